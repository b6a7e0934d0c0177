//! Gradients, compared with central differences in f64.

use ::burn::tensor::{Device, Tensor};
use consilience::burn::{On, fuse};
use consilience::{Encoding, Engine, Fusion, Measure, OnInvalid, Rule, Weighting};

use super::fuse::{numbers, places, stacked};
use super::oracle::{ENCODINGS, POOLS, Pool, gradient, opinions};

const ITEMS: usize = 4;

/// A weight of each entry of the posterior, so that a loss tells them apart.
fn share(item: usize, k: usize) -> f64 {
    0.3 + 0.7 * item as f64 - 0.9 * k as f64 + 0.25 * (item * k) as f64
}

/// sum of share P^2, as a loss in f64.
fn loss(item: usize, posterior: &[f64]) -> f64 {
    posterior.iter().enumerate().map(|(k, p)| share(item, k) * p * p).sum()
}

/// The same of burn's tensor.
fn burn_loss(posterior: Tensor<2>) -> Tensor<1> {
    let shares: Vec<f32> = (0..ITEMS).flat_map(|item| (0..3).map(move |k| share(item, k) as f32)).collect();
    let shares = Tensor::<1>::from_floats(&shares[..], &posterior.device()).reshape([ITEMS, 3]);
    (posterior.clone() * posterior * shares).sum()
}

fn compare(got: &[f32], want: &[f64], of: &str) {
    assert_eq!(got.len(), want.len(), "{of}");
    for (at, (&got, &want)) in got.iter().zip(want).enumerate() {
        assert!((f64::from(got) - want).abs() <= 2e-5 * (1.0 + want.abs()), "{of}, at {at}: {got}, not {want}");
    }
}

fn posterior(on: On<'_>, fusion: &Fusion, encoding: Encoding, tensor: Tensor<3>) -> Tensor<2> {
    fuse(on, fusion, encoding, tensor).expect("a posterior").into_posterior()
}

fn of_leaf(on: On<'_>, pool: Pool, encoding: Encoding, values: &[f32], device: &Device) -> Vec<f32> {
    let leaf = stacked(values, [3, ITEMS, 3], device).require_grad();
    let gradients = burn_loss(posterior(on, &pool.fusion(), encoding, leaf.clone())).backward();
    numbers(&leaf.grad(&gradients).expect("a gradient"))
}

#[test]
fn every_rule_and_encoding_by_central_differences() {
    for (place, device, on) in places() {
        for (pool, encoding) in POOLS.into_iter().flat_map(|pool| ENCODINGS.map(|encoding| (pool, encoding))) {
            let values = opinions(encoding, ITEMS, 5);
            let want = gradient(&values, ITEMS, |item, rows| loss(item, &pool.posterior(encoding, rows)));
            let got = of_leaf(on, pool, encoding, &values, &device.clone().autodiff());
            compare(&got, &want, &format!("{place}: {pool:?} of {encoding:?}"));
        }
    }
}

#[test]
fn below_the_floor_of_logarithms_nothing_pulls() {
    for (place, device, on) in places() {
        for (pool, encoding) in POOLS.into_iter().flat_map(|pool| ENCODINGS.map(|encoding| (pool, encoding))) {
            let mut values = opinions(encoding, ITEMS, 6);
            // Source 1 holds class 0 of item 2 for impossible, and source 2 class 2 of item 0 for nearly so.
            let (none, nearly) = match encoding {
                Encoding::Probabilities => ([0.0, 0.25, 0.75], [0.5, 0.5 - 1e-8, 1e-8]),
                _ => ([-30.0, 0.25_f32.ln(), 0.75_f32.ln()], [0.5_f32.ln(), 0.5_f32.ln(), 1e-8_f32.ln()]),
            };
            values[(ITEMS + 2) * 3..][..3].copy_from_slice(&none);
            values[2 * ITEMS * 3..][..3].copy_from_slice(&nearly);
            let want = gradient(&values, ITEMS, |item, rows| loss(item, &pool.posterior(encoding, rows)));
            let got = of_leaf(on, pool, encoding, &values, &device.clone().autodiff());
            let of = format!("{place}: {pool:?} of {encoding:?}");
            compare(&got, &want, &of);
            if pool != Pool::Linear && encoding != Encoding::Logits {
                assert_eq!((got[(ITEMS + 2) * 3], got[2 * ITEMS * 3 + 2]), (0.0, 0.0), "{of}");
            }
        }
    }
}

#[test]
fn an_impossible_class_is_no_trouble() {
    for (place, device, on) in places() {
        for (pool, encoding) in POOLS.into_iter().flat_map(|pool| ENCODINGS.map(|encoding| (pool, encoding))) {
            let impossible = if encoding == Encoding::Probabilities { 0.0 } else { f32::NEG_INFINITY };
            let mut values = opinions(encoding, ITEMS, 6);
            let half = if encoding == Encoding::Probabilities { 0.5 } else { 0.5_f32.ln() };
            values[..3].copy_from_slice(&[impossible, half, half]);
            let got = of_leaf(on, pool, encoding, &values, &device.clone().autodiff());
            assert!(got.iter().all(|g| g.is_finite()), "{place}: {pool:?} of {encoding:?}: {got:?}");
        }
    }
}

#[test]
fn they_pass_through_what_comes_before_and_after() {
    // Probabilities made by burn's softmax of a leaf at half its size; the logarithm of the first class afterwards.
    let values = opinions(Encoding::Logits, ITEMS, 7);
    for (place, device, on) in places() {
        let device = device.autodiff();
        for pool in POOLS {
            let after = |item: usize, rows: &[Vec<f64>]| {
                let halves: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|x| x * 0.5).collect()).collect();
                let posterior = pool.posterior(Encoding::Logits, &halves);
                share(item, 0) * posterior[0].ln()
            };
            let want = gradient(&values, ITEMS, after);
            let leaf = stacked(&values, [3, ITEMS, 3], &device).require_grad();
            let opinions = ::burn::tensor::activation::softmax(leaf.clone() * 0.5, 2);
            let fused = posterior(on, &pool.fusion(), Encoding::Probabilities, opinions);
            let shares: Vec<f32> = (0..ITEMS).map(|item| share(item, 0) as f32).collect();
            let shares = Tensor::<1>::from_floats(&shares[..], &device);
            let loss = (fused.slice([0..ITEMS, 0..1]).log().reshape([ITEMS]) * shares).sum();
            let got = numbers(&leaf.grad(&loss.backward()).expect("a gradient"));
            compare(&got, &want, &format!("{place}: {pool:?}"));
        }
    }
}

#[test]
fn a_list_of_tensors_has_a_gradient_each_where_it_is_asked_for() {
    let values = opinions(Encoding::Probabilities, ITEMS, 8);
    for (place, device, on) in places() {
        let (inner, device) = (device.clone(), device.autodiff());
        let plane = |n: usize, device: &Device| stacked(&values, [3, ITEMS, 3], device).narrow(0, n, 1).squeeze_dim(0);
        let first: Tensor<2> = plane(0, &device).require_grad();
        // Of one no gradient is asked, and another is not of autodiff at all.
        let list = [first.clone(), plane(1, &device), plane(2, &inner)];
        let fused = fuse(on, &Pool::Logarithmic.fusion(), Encoding::Probabilities, list).expect("a posterior");
        let gradients = burn_loss(fused.into_posterior()).backward();
        let whole = gradient(&values, ITEMS, |item, rows| {
            loss(item, &Pool::Logarithmic.posterior(Encoding::Probabilities, rows))
        });
        let got = numbers(&first.grad(&gradients).expect("a gradient"));
        compare(&got, &whole[..ITEMS * 3], &place);
    }
}

#[test]
fn checkpointing_changes_nothing() {
    let values = opinions(Encoding::Logits, ITEMS, 9);
    let (_, device, on) = &places()[0];
    let of = |device: &Device| of_leaf(*on, Pool::Evidence, Encoding::Logits, &values, device);
    let usual = of(&device.clone().autodiff());
    assert_eq!(of(&device.clone().autodiff().gradient_checkpointing()), usual);
}

#[test]
fn weights_that_are_all_zero_are_the_priors() {
    let values = opinions(Encoding::Probabilities, ITEMS, 10);
    let (_, device, on) = &places()[0];
    let priors = vec![0.5, 1.25, 2.0];
    let zeros = Fusion::new(Rule::Linear).weighting(Weighting::Fixed(vec![0.0; 3])).source_priors(priors);
    let leaf = stacked(&values, [3, ITEMS, 3], &device.clone().autodiff()).require_grad();
    let gradients = burn_loss(posterior(*on, &zeros, Encoding::Probabilities, leaf.clone())).backward();
    let want =
        gradient(&values, ITEMS, |item, rows| loss(item, &Pool::Linear.posterior(Encoding::Probabilities, rows)));
    compare(&numbers(&leaf.grad(&gradients).expect("a gradient")), &want, "priors");
}

#[test]
fn what_has_no_gradient_says_so_where_one_is_asked_for() {
    let device = Device::flex().autodiff();
    let values = opinions(Encoding::Probabilities, ITEMS, 11);
    let engine = Engine::cpu().expect("an engine");
    let free = stacked(&values, [3, ITEMS, 3], &device);
    let asked = free.clone().require_grad();
    let by_confidence = Weighting::Confidence { gamma: 1.0, measure: Measure::Max };
    let mut missing = Fusion::new(Rule::Linear);
    missing.on_invalid = OnInvalid::Missing;
    let mut hot = Fusion::new(Rule::LogPool);
    hot.temperature = 2.0;
    let mut one_hot = Fusion::new(Rule::LogPool);
    one_hot.source_temperatures = Some(vec![1.0, 2.0, 1.0]);
    let have = "linear, log_pool and evidence have one, of rows of numbers, under weights that depend neither on the \
                opinions nor on the class";
    let temperature = "a temperature; divide the logits by it before they are fused";
    for (fusion, what) in [
        (Fusion::new(Rule::Vote), format!("the rule vote: {have}")),
        (Fusion::default(), format!("the rule {}: {have}", Fusion::default().rule)),
        (Fusion::new(Rule::Linear).weighting(by_confidence), format!("the weighting confidence: {have}")),
        (
            Fusion::new(Rule::Linear).weighting(Weighting::PerClass(vec![1.0; 9])),
            format!("the weighting per_class: {have}"),
        ),
        (missing, "on_invalid of missing; leave it at error".to_owned()),
        (hot, temperature.to_owned()),
        (one_hot, temperature.to_owned()),
    ] {
        let error = fuse(&engine, &fusion, Encoding::Probabilities, &asked).expect_err("no gradient");
        assert!(error.is_burn() || error.is_spec(), "{error:?}");
        assert_eq!(error.to_string(), format!("no gradient passes through {what}"));
        // Without a wish for one it is a posterior like any other.
        let fused = fuse(&engine, &fusion, Encoding::Probabilities, &free).expect("a posterior");
        let inner = fuse(&engine, &fusion, Encoding::Probabilities, free.clone().inner()).expect("a posterior");
        let fused = fused.into_posterior();
        assert!(fused.is_autodiff() && !fused.is_require_grad());
        assert_eq!(numbers(&fused), numbers(&inner.into_posterior()));
    }
}
