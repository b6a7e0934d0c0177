//! Gradients of pools against central differences of the formulas in f64.

mod oracle;
mod refused;

use consilience::{Encoding, Engine, EngineOptions, Evidence, Fusion, OnInvalid, Opinions, Rule, Weighting};
use half::bf16;

use self::oracle::{Case, difference};
use crate::support::engines;

const WEIGHTS: [f32; 3] = [0.5, 2.0, 1.25];
const EXPONENTS: [f32; 3] = [0.75, 1.5, 0.25];
/// Large, so that opinions fall below it.
const FLOOR: f32 = 1e-3;

fn rules() -> [Rule; 3] {
    [Rule::Linear, Rule::LogPool, Rule::Evidence { exponents: EXPONENTS.to_vec() }]
}

fn fusion(rule: Rule, classes: usize) -> Fusion {
    Fusion::new(rule)
        .weighting(Weighting::Fixed(WEIGHTS.to_vec()))
        .class_prior((0..classes).map(|k| 1.0 + k as f32).collect())
        .source_priors(vec![0.2, 0.5, 0.3])
        .log_floor(FLOOR)
}

/// Numbers between 0 and 1 that repeat nowhere near.
fn number(i: usize) -> f32 {
    ((i * 2_654_435_761) % 1_000_003) as f32 / 1_000_003.0
}

/// Opinions of three sources, every seventh value of which is below the floor.
fn opinions(encoding: Encoding, items: usize, classes: usize) -> Vec<f32> {
    let mut values = Vec::new();
    for row in 0..3 * items {
        let raw: Vec<f64> = (0..classes)
            .map(|k| {
                let i = row * classes + k;
                if i % 7 == 6 && classes > 1 && k > 0 { 1e-5 } else { 0.05 + f64::from(number(i)) }
            })
            .collect();
        let sum: f64 = raw.iter().sum();
        values.extend(raw.iter().map(|x| match encoding {
            Encoding::Probabilities => (x / sum) as f32,
            Encoding::LogProbabilities => (x / sum).ln() as f32,
            Encoding::Logits => (x.ln() + f64::from(number(row))) as f32,
        }));
    }
    values
}

/// G, of both signs.
fn upstream(len: usize) -> Vec<f32> {
    (0..len).map(|i| 2.0 * number(3 * i + 1) - 1.0).collect()
}

/// Compares on every executor. `presence` is of the second source.
fn check(fusion: &Fusion, encoding: Encoding, classes: usize, values: &[f32], presence: Option<&[bool]>) {
    let items = values.len() / 3 / classes;
    let upstream = upstream(items * classes);
    let planes: Vec<&[f32]> = values.chunks_exact(items * classes).collect();
    let mut evidence = Evidence::new(encoding, classes, &planes).expect("evidence");
    if let Some(presence) = presence {
        evidence = evidence.with_presence(1, presence).expect("a presence mask");
    }
    let case = Case { fusion, encoding, classes, presence };
    for (name, engine) in engines::all() {
        let fused = engine.fuse(fusion, &evidence).expect("an answer");
        let gradient = engine.gradient(fusion, &evidence, fused.posterior(), &upstream).expect("a gradient");
        assert_eq!(gradient.len(), values.len());
        for (i, (&found, &x)) in gradient.iter().zip(values).enumerate() {
            let (want, slack) = difference(&case, values, &upstream, i);
            let is_near = (f64::from(found) - want).abs() <= 1e-5 * (1.0 + slack);
            assert!(is_near, "{name}, {}, {encoding:?}, value {i} = {x}: {found}, not {want}", fusion.rule);
        }
    }
}

#[test]
fn they_are_central_differences_under_every_rule_and_encoding() {
    for rule in rules() {
        for encoding in Encoding::ALL {
            for (items, classes) in [(19, 5), (16, 2), (3, 3), (1, 1)] {
                check(&fusion(rule.clone(), classes), encoding, classes, &opinions(encoding, items, classes), None);
            }
        }
    }
}

#[test]
fn temperatures_are_part_of_them() {
    for rule in rules() {
        for encoding in Encoding::ALL {
            let fusion = fusion(rule.clone(), 4).temperature(1.7).source_temperatures(vec![0.8, 1.0, 2.5]);
            check(&fusion, encoding, 4, &opinions(encoding, 17, 4), None);
        }
    }
}

#[test]
fn more_classes_than_a_workgroup_has_lanes_are_no_exception() {
    for rule in rules() {
        check(&fusion(rule, 257), Encoding::Logits, 257, &opinions(Encoding::Logits, 1, 257), None);
    }
}

#[test]
fn who_was_not_asked_has_none_and_leaves_the_weight_to_others() {
    let presence: Vec<bool> = (0..18).map(|item| item % 3 != 1).collect();
    for rule in rules() {
        check(&fusion(rule, 3), Encoding::Logits, 3, &opinions(Encoding::Logits, 18, 3), Some(&presence));
    }
}

#[test]
fn weights_of_zero_fall_back_to_the_priors() {
    for rule in rules() {
        let fusion = fusion(rule, 3).weighting(Weighting::Fixed(vec![0.0; 3]));
        check(&fusion, Encoding::Logits, 3, &opinions(Encoding::Logits, 17, 3), None);
    }
    // The one source with a weight is absent from some items.
    let presence: Vec<bool> = (0..18).map(|item| item % 3 != 1).collect();
    let fusion = fusion(Rule::Linear, 3).weighting(Weighting::Fixed(vec![0.0, 1.0, 0.0]));
    check(&fusion, Encoding::Probabilities, 3, &opinions(Encoding::Probabilities, 18, 3), Some(&presence));
}

#[test]
fn what_is_mended_is_divided_and_what_is_left_out_has_none() {
    for rule in rules() {
        for encoding in [Encoding::Probabilities, Encoding::LogProbabilities] {
            let mut values = opinions(encoding, 17, 4);
            for row in values.chunks_exact_mut(4).step_by(5) {
                match encoding {
                    Encoding::LogProbabilities => row.iter_mut().for_each(|x| *x -= 0.5),
                    _ => row.iter_mut().for_each(|x| *x *= 0.625),
                }
            }
            for fusion in [fusion(rule.clone(), 4), fusion(rule.clone(), 4).source_temperatures(vec![1.0, 1.0, 1.5])] {
                check(&fusion.clone().on_invalid(OnInvalid::Renormalise), encoding, 4, &values, None);
                check(&fusion.on_invalid(OnInvalid::Missing), encoding, 4, &values, None);
            }
        }
    }
}

#[test]
fn rows_that_are_off_within_the_tolerance_are_no_exception() {
    for encoding in [Encoding::Probabilities, Encoding::LogProbabilities] {
        let mut values = opinions(encoding, 17, 4);
        match encoding {
            Encoding::LogProbabilities => values.iter_mut().for_each(|x| *x += 9e-4),
            _ => values.iter_mut().for_each(|x| *x *= 1.0009),
        }
        for rule in rules() {
            check(&fusion(rule, 4), encoding, 4, &values, None);
        }
    }
}

#[test]
fn no_number_is_left_out_too() {
    let engine = Engine::cpu().expect("an engine");
    let fusion = fusion(Rule::Linear, 2).on_invalid(OnInvalid::Missing);
    let values = [f32::NAN, 0.5, 0.25, 0.75, 0.5, 0.5];
    let planes: Vec<&[f32]> = values.chunks_exact(2).collect();
    let evidence = Evidence::probabilities(2, &planes).expect("evidence");
    let posterior = engine.fuse(&fusion, &evidence).expect("an answer");
    let gradient = engine.gradient(&fusion, &evidence, posterior.posterior(), &[1.0, 0.0]).expect("a gradient");
    assert_eq!(gradient[..2], [0.0, 0.0]);
    // G - sum G P = (1 - P_0, -P_0) = P_1, -P_0 under weights 2 and 1.25 of 3.25.
    let p_0 = (2.0 * 0.25 + 1.25 * 0.5) / 3.25;
    let want = [2.0 / 3.25 * (1.0 - p_0), -2.0 / 3.25 * p_0, 1.25 / 3.25 * (1.0 - p_0), -1.25 / 3.25 * p_0];
    for (found, want) in gradient[2..].iter().zip(want) {
        assert!((found - want).abs() < 1e-6, "{gradient:?}");
    }
}

#[test]
fn impossible_classes_have_none_and_spoil_none() {
    let engine = Engine::cpu().expect("an engine");
    let impossible = f32::NEG_INFINITY;
    for (encoding, row) in [
        (Encoding::Logits, [impossible, 0.0]),
        (Encoding::LogProbabilities, [impossible, 0.0]),
        (Encoding::Probabilities, [0.0, 1.0]),
    ] {
        for rule in [Rule::LogPool, Rule::Evidence { exponents: Vec::new() }] {
            let evidence = Evidence::new(encoding, 2, &[&row]).expect("evidence");
            for fusion in [Fusion::new(rule.clone()), Fusion::new(rule.clone()).source_temperatures(vec![2.0])] {
                let fused = engine.fuse(&fusion, &evidence).expect("an answer");
                let gradient =
                    engine.gradient(&fusion, &evidence, fused.posterior(), &[1.0, -1.0]).expect("a gradient");
                assert!(gradient[0] == 0.0 && gradient[1].abs() < 1e-6, "{rule} {encoding:?}: {gradient:?}");
            }
        }
    }
}

#[test]
fn rows_in_16_bits_are_divided_by_their_sum() {
    let engine = Engine::cpu().expect("an engine");
    for (encoding, rule) in
        [Encoding::Probabilities, Encoding::Logits].into_iter().flat_map(|e| rules().map(|r| (e, r)))
    {
        let rounded: Vec<bf16> = opinions(encoding, 17, 4).into_iter().map(bf16::from_f32).collect();
        let planes = rounded.chunks_exact(17 * 4).map(|plane| match encoding {
            Encoding::Probabilities => Opinions::ProbabilitiesBf16(plane),
            _ => Opinions::LogitsBf16(plane),
        });
        let evidence = Evidence::of(4, &planes.collect::<Vec<_>>()).expect("evidence");
        let fusion = fusion(rule, 4);
        let values: Vec<f32> = rounded.iter().map(|x| x.to_f32()).collect();
        let upstream = upstream(17 * 4);
        let fused = engine.fuse(&fusion, &evidence).expect("an answer");
        let gradient = engine.gradient(&fusion, &evidence, fused.posterior(), &upstream).expect("a gradient");
        // Probabilities over their sum, whatever it is, are what shares of a sum are to the oracle.
        let case = Case { fusion: &fusion, encoding, classes: 4, presence: None };
        for (i, found) in gradient.iter().enumerate() {
            let (want, slack) = oracle::difference_of_shares(&case, &values, &upstream, i);
            assert!((f64::from(*found) - want).abs() <= 1e-5 * (1.0 + slack), "{encoding:?} {i}: {found}, not {want}");
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let (items, classes) = (12_000, 5);
    let values = opinions(Encoding::Logits, items, classes);
    let planes: Vec<&[f32]> = values.chunks_exact(items * classes).collect();
    let evidence = Evidence::logits(classes, &planes).expect("evidence");
    let (fusion, upstream) = (fusion(Rule::Linear, classes), upstream(items * classes));
    let gradient = |threads| {
        let options = EngineOptions { device: consilience::Device::Cpu, threads: Some(threads), ..Default::default() };
        let engine = Engine::open(&options).expect("an engine");
        let fused = engine.fuse(&fusion, &evidence).expect("an answer");
        engine.gradient(&fusion, &evidence, fused.posterior(), &upstream).expect("a gradient")
    };
    let alone = gradient(1);
    assert_eq!(alone, gradient(3));
    // The last item, which another thread reached, by the oracle.
    let case = Case { fusion: &fusion, encoding: Encoding::Logits, classes, presence: None };
    let (want, _) = difference(&case, &values, &upstream, 3 * items * classes - 1);
    assert!((f64::from(alone[3 * items * classes - 1]) - want).abs() < 1e-5);
}
