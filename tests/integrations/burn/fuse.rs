//! Values: whatever way the tensors lie in memory.

use ::burn::tensor::{Device, Tensor, TensorData};
use consilience::burn::{Input, On, fuse};
use consilience::{Encoding, Engine, Evidence, Fusion, Rule};

use super::oracle::{ENCODINGS, POOLS, opinions, rows};
use crate::support::compare::agree;
use crate::support::engines::{self, Named};

/// Where tensors are, and the engine that fuses them there.
pub fn places() -> Vec<(String, Device, On<'static>)> {
    let flex = |(name, engine): &'static Named| (format!("flex on {name}"), Device::flex(), On::Host(engine));
    #[cfg_attr(not(feature = "burn-wgpu"), expect(unused_mut, reason = "without wgpu there is one backend"))]
    let mut places: Vec<_> = engines::all().iter().map(flex).collect();
    #[cfg(feature = "burn-wgpu")]
    places.extend(super::wgpu::engine().map(|on| ("wgpu".to_owned(), on.device().clone(), On::Wgpu(on))));
    places
}

/// The engine itself.
fn engine(on: On<'_>) -> &Engine {
    match on {
        On::Host(engine) => engine,
        #[cfg(feature = "burn-wgpu")]
        On::Wgpu(on) => on.engine(),
        _ => panic!("a place that the tests do not know"),
    }
}

pub fn stacked(values: &[f32], shape: [usize; 3], device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

pub fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().expect("numbers")
}

fn posterior(on: On<'_>, fusion: &Fusion, encoding: Encoding, input: impl Into<Input>) -> Vec<f32> {
    let fused = fuse(on, fusion, encoding, input).expect("a posterior");
    numbers(&fused.checked().expect("valid opinions"))
}

#[test]
fn posteriors_are_those_in_f64() {
    for (place, device, on) in places() {
        for (pool, encoding) in POOLS.into_iter().flat_map(|pool| ENCODINGS.map(|encoding| (pool, encoding))) {
            let values = opinions(encoding, 70, 1);
            let tensor = stacked(&values, [3, 70, 3], &device);
            let got = posterior(on, &pool.fusion(), encoding, &tensor);
            let apart: Vec<Tensor<2>> = tensor.iter_dim(0).map(|source| source.squeeze_dim(0)).collect();
            assert_eq!(posterior(on, &pool.fusion(), encoding, apart), got, "{place}");
            for item in 0..70 {
                let want = pool.posterior(encoding, &rows(&values, 70, item));
                for (k, &want) in want.iter().enumerate() {
                    let got = got[3 * item + k];
                    assert!(
                        agree(got, want),
                        "{place}, {pool:?} of {encoding:?}, item {item}, class {k}: {got}, not {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn any_rule_gives_what_it_gives_of_slices() {
    for (place, device, on) in places() {
        let values = opinions(Encoding::Probabilities, 33, 2);
        let planes: Vec<&[f32]> = values.chunks(99).collect();
        let evidence = Evidence::probabilities(3, &planes).expect("evidence");
        for rule in [Rule::Vote, Rule::Median, Rule::MaxVote, Fusion::default().rule] {
            let fusion = Fusion::new(rule);
            let want = engine(on).fuse(&fusion, &evidence).expect("a posterior");
            let got = posterior(on, &fusion, Encoding::Probabilities, stacked(&values, [3, 33, 3], &device));
            assert_eq!(got, want.posterior(), "{place}: {}", fusion.rule);
        }
    }
}

#[test]
fn views_are_what_they_show() {
    let all = opinions(Encoding::Logits, 20, 3);
    let fusion = Fusion::new(Rule::LogPool);
    for (place, device, on) in places() {
        let tensor = stacked(&all, [3, 20, 3], &device);
        let views = [
            ("items", tensor.clone().slice([0..3, 4..11, 0..3])),
            ("sources", tensor.clone().slice([1..3, 0..20, 0..3])),
            ("one item", tensor.clone().slice([0..3, 19..20, 0..3])),
            ("classes", tensor.clone().slice([0..3, 0..20, 1..3])),
            ("one class", tensor.clone().slice([0..3, 0..20, 2..3])),
            ("sources in reverse", tensor.clone().flip([0])),
            ("items in reverse", tensor.clone().flip([1])),
            ("items as sources", tensor.clone().swap_dims(0, 1)),
            ("classes as items", tensor.clone().swap_dims(1, 2)),
            ("one source thrice", tensor.clone().slice([1..2, 0..20, 0..3]).expand([3, 20, 3])),
        ];
        for (name, view) in views {
            let [n, items, classes] = view.dims();
            let copy = stacked(&numbers(&view), [n, items, classes], &device);
            let want = posterior(on, &fusion, Encoding::Logits, copy);
            assert_eq!(posterior(on, &fusion, Encoding::Logits, view), want, "{place}: {name}");
        }
    }
}

#[test]
fn what_comes_before_and_after_is_burns() {
    let values = opinions(Encoding::Logits, 5, 4);
    let fusion = Fusion::new(Rule::Linear);
    for (place, device, on) in places() {
        let tensor = stacked(&values, [3, 5, 3], &device);
        let doubled = tensor.clone() * 2.0 + 1.0;
        let fused = fuse(on, &fusion, Encoding::Logits, doubled).expect("a posterior");
        let next = fused.into_posterior() * 3.0 - 1.0;
        let same: Vec<f32> = values.iter().map(|x| x * 2.0 + 1.0).collect();
        let want = posterior(on, &fusion, Encoding::Logits, stacked(&same, [3, 5, 3], &device));
        let want: Vec<f32> = want.iter().map(|p| p * 3.0 - 1.0).collect();
        assert_eq!(numbers(&next), want, "{place}");
        assert_eq!(next.device(), device);
        assert_eq!(numbers(&tensor), values, "{place}: the opinions are as they were");
    }
}
