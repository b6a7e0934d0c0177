//! The stacked model: objective, minimum, posterior.

use consilience::stacking::{Stacked, Stacking};
use consilience::{Encoding, Evidence};
use proptest::prelude::*;

use super::Labelled;
use super::oracle::Oracle;
use crate::support::cases::config;
use crate::support::engines;
use crate::support::problem::Random;

fn encodings() -> impl Strategy<Value = Encoding> {
    proptest::sample::select(vec![Encoding::Probabilities, Encoding::LogProbabilities, Encoding::Logits])
}

prop_compose! {
    fn problems()(encoding in encodings(), n in 1..6_usize, b in 20..300_usize, c in 1..12_usize, seed: u64) -> Labelled {
        Labelled::random(encoding, n, b, c, seed).with_holes(seed)
    }
}

fn random_model(sources: usize, classes: usize, seed: u64) -> Stacked {
    let mut random = Random::new(seed);
    let mut numbers = |n: usize| (0..n).map(|_| 0.6 * (random.unit() - 0.5)).collect::<Vec<f32>>();
    let (weights, bias) = (numbers(sources * classes * classes), numbers(classes));
    Stacked::new(sources, classes, weights, bias).expect("a sound model")
}

fn parameters(model: &Stacked) -> Vec<f64> {
    model.weights().iter().chain(model.bias()).map(|&x| f64::from(x)).collect()
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn objective_gradient_and_posterior_meet_the_oracle(labelled in problems(), l2 in 0.0..1.0_f64, seed: u64) {
        let evidence = labelled.evidence();
        let model = random_model(evidence.sources(), evidence.classes(), seed);
        let oracle = Oracle::new(&evidence, &labelled.labels, l2);
        let (value, gradient) = (oracle.value(&parameters(&model)), oracle.gradient(&parameters(&model)));
        for (name, engine) in engines::all() {
            let stacking = Stacking { l2, ..Stacking::default() };
            let got = stacking.objective(engine, &evidence, &labelled.labels, &model).expect("valid");
            prop_assert!((got.value - value).abs() < 2e-5, "{}: {} is not {}", name, got.value, value);
            for (i, (got, want)) in got.weights.iter().chain(&got.bias).zip(&gradient).enumerate() {
                prop_assert!((got - want).abs() < 5e-5, "{}: component {} is {}, not {}", name, i, got, want);
            }
            let posterior = model.posterior(engine, &evidence).expect("valid");
            for (item, row) in posterior.chunks(evidence.classes()).enumerate() {
                for (got, want) in row.iter().zip(oracle.posterior(&parameters(&model), item)) {
                    prop_assert!((f64::from(*got) - want).abs() < 1e-5, "{}: item {}", name, item);
                }
            }
        }
    }

    #[test]
    fn the_order_of_sources_permutes_the_weights(n in 2..5_usize, c in 2..5_usize, seed: u64) {
        let labelled = Labelled::random(Encoding::Probabilities, n, 200, c, seed).with_holes(seed);
        let mut moved = labelled.clone();
        moved.problem.planes.reverse();
        moved.problem.presence.reverse();
        let (_, engine) = &engines::all()[0];
        let stacking = Stacking { l2: 1e-2, tolerance: 1e-5, ..Stacking::default() };
        let one = stacking.fit(engine, &labelled.evidence(), &labelled.labels).expect("labelled").model;
        let two = stacking.fit(engine, &moved.evidence(), &moved.labels).expect("labelled").model;
        for source in 0..n {
            let (here, there) = (&one.weights()[source * c * c..][..c * c], &two.weights()[(n - 1 - source) * c * c..][..c * c]);
            prop_assert!(here.iter().zip(there).all(|(a, b)| (a - b).abs() < 2e-3), "{:?} {:?}", here, there);
        }
    }

    #[test]
    fn a_fit_is_no_worse_than_zero(labelled in problems(), l2 in 0.0..0.1_f64) {
        let evidence = labelled.evidence();
        let (_, engine) = &engines::all()[0];
        let report = Stacking { l2, ..Stacking::default() }.fit(engine, &evidence, &labelled.labels).expect("labelled").report;
        prop_assert!(report.objective <= (evidence.classes() as f64).ln() + 1e-7, "{:?}", report);
    }
}

#[test]
fn the_fit_is_newtons() {
    let labelled = Labelled::random(Encoding::LogProbabilities, 2, 150, 3, 3).with_holes(4);
    let evidence = labelled.evidence();
    for l2 in [1e-3, 0.1] {
        let oracle = Oracle::new(&evidence, &labelled.labels, l2);
        let want = oracle.minimum();
        for (name, engine) in engines::all() {
            let stacking = Stacking { l2, tolerance: 1e-6, ..Stacking::default() };
            let fit = stacking.fit(engine, &evidence, &labelled.labels).expect("labelled");
            assert!(fit.report.evaluations < 60 && fit.report.converged, "{name}: {:?}", fit.report);
            assert!((fit.report.objective - oracle.value(&want)).abs() < 1e-6, "{name}: {:?}", fit.report);
            let got = parameters(&fit.model);
            // All biases may move together.
            let shift = (got[18..].iter().sum::<f64>() - want[18..].iter().sum::<f64>()) / 3.0;
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                let shift = if i < 18 { 0.0 } else { shift };
                assert!((got - shift - want).abs() < 4e-4 / l2.sqrt(), "{name}: parameter {i} is {got}, not {want}");
            }
        }
    }
}

#[test]
fn two_opinions_have_the_minimum_worked_out_by_hand() {
    // One source that is right three times of four, whatever its words: with l2 = 0 the posterior is the share.
    let plane = [0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9];
    let evidence = Evidence::probabilities(2, &[&plane]).expect("whole rows");
    let labels = [0, 0, 0, 1, 1, 1, 1, 0];
    for (name, engine) in engines::all() {
        let stacking = Stacking { l2: 0.0, tolerance: 1e-6, ..Stacking::default() };
        let fit = stacking.fit(engine, &evidence, &labels).expect("labelled");
        let posterior = fit.model.posterior(engine, &evidence).expect("valid");
        for row in posterior.chunks(2).zip([0.75, 0.75, 0.75, 0.75, 0.25, 0.25, 0.25, 0.25]) {
            assert!((row.0[0] - row.1).abs() < 1e-4, "{name}: {posterior:?}");
        }
        let entropy = -(0.75 * 0.75_f64.ln() + 0.25 * 0.25_f64.ln());
        assert!((fit.report.objective - entropy).abs() < 1e-6 && fit.report.converged, "{name}: {:?}", fit.report);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let labelled = Labelled::random(Encoding::Probabilities, 3, 20_011, 5, 9).with_holes(2);
    let best = |threads: &str| {
        let name = format!("cpu {} x {threads}", consilience::SimdLevel::best());
        &engines::all().iter().find(|(found, _)| *found == name).expect("an engine").1
    };
    let fit =
        |threads| Stacking::default().fit(best(threads), &labelled.evidence(), &labelled.labels).expect("labelled");
    let (one, three) = (fit("1"), fit("3"));
    assert_eq!(one, three);
    let posterior = |threads| one.model.posterior(best(threads), &labelled.evidence()).expect("valid");
    assert_eq!(posterior("1"), posterior("3"));
}

#[test]
fn an_items_bits_do_not_depend_on_its_batch() {
    let labelled = Labelled::random(Encoding::Logits, 3, 200, 7, 4).with_holes(7);
    let model = random_model(3, 7, 1);
    for (name, engine) in engines::all() {
        let all = model.posterior(engine, &labelled.evidence()).expect("valid");
        for item in [0, 1, 15, 16, 63, 64, 130, 199] {
            let alone = model.posterior(engine, &labelled.problem.select(&[item]).evidence()).expect("valid");
            assert_eq!(alone, all[item * 7..][..7], "{name}: item {item}");
        }
        let none = model.posterior(engine, &labelled.problem.select(&[]).evidence()).expect("valid");
        assert_eq!(none, [0.0_f32; 0], "{name}");
    }
}

#[test]
fn where_nobody_speaks_the_bias_does() {
    let mut labelled = Labelled::random(Encoding::Probabilities, 2, 40, 3, 6);
    labelled.problem.presence = vec![Some((0..40).map(|i| i != 7).collect()); 2];
    for plane in &mut labelled.problem.planes {
        plane.f32s_mut()[7 * 3..8 * 3].fill(f32::NAN);
    }
    for (name, engine) in engines::all() {
        let fit = Stacking::default().fit(engine, &labelled.evidence(), &labelled.labels).expect("labelled");
        let posterior = fit.model.posterior(engine, &labelled.evidence()).expect("valid");
        let powers: Vec<f64> = fit.model.bias().iter().map(|&b| f64::from(b).exp()).collect();
        for (p, power) in posterior[21..24].iter().zip(&powers) {
            assert!((f64::from(*p) - power / powers.iter().sum::<f64>()).abs() < 1e-6, "{name}");
        }
    }
}

#[test]
fn one_class_is_certain() {
    let labelled = Labelled::random(Encoding::Probabilities, 2, 20, 1, 6);
    for (name, engine) in engines::all() {
        let fit = Stacking::default().fit(engine, &labelled.evidence(), &labelled.labels).expect("labelled");
        assert_eq!((fit.report.objective, fit.report.converged), (0.0, true), "{name}");
        assert_eq!(fit.model.posterior(engine, &labelled.evidence()).expect("valid"), [1.0; 20], "{name}");
    }
}

#[test]
fn classes_told_apart_without_error_end_at_the_floor_of_rounding() {
    let plane: Vec<f32> = (0..40).flat_map(|i| if i % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
    let evidence = consilience::Evidence::probabilities(2, &[&plane]).expect("a plane");
    let labels: Vec<u32> = (0..40).map(|i| i % 2).collect();
    for (name, engine) in engines::all() {
        let fit = Stacking { l2: 0.0, ..Stacking::default() }.fit(engine, &evidence, &labels).expect("labelled");
        assert!(fit.report.objective < 1e-3 && fit.report.objective >= 0.0, "{name}: {:?}", fit.report);
        assert!(
            fit.model.posterior(engine, &evidence).expect("valid").iter().all(|p| (0.0..=1.0).contains(p)),
            "{name}"
        );
    }
}

#[test]
fn the_most_steps_are_kept() {
    let labelled = Labelled::random(Encoding::Probabilities, 3, 400, 4, 2);
    let (_, engine) = &engines::all()[0];
    let fit = |max_iterations| {
        let stacking = Stacking { max_iterations, tolerance: 1e-6, ..Stacking::default() };
        stacking.fit(engine, &labelled.evidence(), &labelled.labels).expect("labelled")
    };
    let none = fit(0);
    assert_eq!((none.report.iterations, none.report.converged), (0, false));
    assert!(none.model.weights().iter().chain(none.model.bias()).all(|&x| x == 0.0));
    assert_eq!(fit(3).report.iterations, 3);
    assert!(fit(3).report.objective < none.report.objective);
}

#[test]
fn a_model_is_saved_and_loaded_bit_for_bit_and_checked() {
    let model = random_model(3, 4, 5);
    let saved = serde_json::to_string(&model).expect("finite numbers");
    assert_eq!(serde_json::from_str::<Stacked>(&saved).expect("what was saved"), model);
    let wrong = |text: &str| serde_json::from_str::<Stacked>(text).expect_err("no model").to_string();
    for (text, why) in [
        (
            r#"{"sources":1,"classes":2,"weights":[1,2,3],"bias":[0,0]}"#,
            "1 sources x 2 x 2 classes do not make 3 weights",
        ),
        (r#"{"sources":1,"classes":1,"weights":[1],"bias":[0,0]}"#, "it has 1 classes and 2 biases"),
        (r#"{"sources":0,"classes":1,"weights":[],"bias":[0]}"#, "it has 0 sources and 1 classes"),
        (r#"{"sources":1,"classes":1,"weights":[1e38],"bias":[0]}"#, "weights lie within 1e30 of zero"),
        (r#"{"sources":18446744073709551615,"classes":4294967296,"weights":[],"bias":[]}"#, "do not make 0 weights"),
        (r#"{"sources":1,"classes":1,"weights":[1],"bias":[0],"more":1}"#, "unknown field `more`"),
    ] {
        assert!(wrong(text).contains(why), "{}", wrong(text));
    }
    let error = Stacked::new(1, 1, vec![f32::NAN], vec![0.0]).expect_err("no number");
    assert!(error.is_fit() && error.to_string().contains("weight 0 is NaN"), "{error}");
}
