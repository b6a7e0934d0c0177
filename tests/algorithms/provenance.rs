//! Flip sets against every removal there is, dependence against a simulation with known correlations.

use consilience::provenance::{Dependence, flip_set};
use consilience::{BeliefFusion, Encoding, Engine, Evidence, Fusion, Opinions, Output, Rule, Weighting};

use crate::support::problem::{Problem, Random};

fn rules(n: usize, classes: usize) -> Vec<Rule> {
    let mut random = Random::new(5);
    let mut list = |len: usize| (0..len).map(|_| 0.05 + 0.9 * random.unit()).collect::<Vec<f32>>();
    vec![
        Rule::Linear,
        Rule::Vote,
        Rule::BayesianAverage,
        Rule::LogPool,
        Rule::Extremised { exponent: 2.0 },
        Rule::Evidence { exponents: list(n) },
        Rule::Belief(BeliefFusion::Cumulative),
        Rule::Belief(BeliefFusion::Averaging),
        Rule::Confusion { matrices: list(n * classes * (classes + 1)) },
        Rule::Stacked { weights: list(n * classes * classes), bias: list(classes) },
        Rule::Adaptive { learned: list(n) },
    ]
}

/// The decision of the engine without some sources; `None` where it is too close to be told.
fn decide(engine: &Engine, fusion: &Fusion, problem: &Problem, item: usize, removed: u32) -> Option<usize> {
    let mut rest = problem.clone();
    for source in (0..problem.planes.len()).filter(|source| removed >> source & 1 == 1) {
        rest.presence[source] = Some(vec![false; problem.items()]);
    }
    let fused = engine.fuse(fusion, &rest.evidence()).expect("valid evidence");
    (fused.margin()[item] > 1e-5).then_some(fused.decision()[item] as usize)
}

#[test]
fn no_smaller_set_turns_a_decision() {
    let engine = Engine::cpu().expect("a CPU engine");
    let (n, items, classes) = (5, 6, 3);
    let mut found = 0;
    for (i, rule) in rules(n, classes).into_iter().enumerate() {
        let problem = Problem::random(Encoding::Probabilities, n, items, classes, i as u64).with_holes(i as u64);
        let fusion = Fusion::new(rule.clone())
            .weighting(Weighting::Confidence { gamma: 1.0, measure: Default::default() })
            .class_prior(vec![0.5, 0.3, 0.2])
            .outputs(&[Output::Decision, Output::Margin]);
        let evidence = problem.evidence();
        for item in 0..items {
            let Some(decision) = decide(&engine, &fusion, &problem, item, 0) else { continue };
            let flip = flip_set(&fusion, &evidence, item).expect("a rule that adds up");
            let smallest = (1_u32..1 << n)
                .filter(|&set| decide(&engine, &fusion, &problem, item, set).is_some_and(|d| d != decision))
                .map(u32::count_ones)
                .min();
            // Removing who was not there removes nothing, so the smallest set has present sources only.
            assert_eq!(flip.as_ref().map(|flip| flip.removed.len() as u32), smallest, "{rule}, item {item}");
            if let Some(flip) = flip {
                let set = flip.removed.iter().fold(0, |set, source| set | 1 << source);
                let becomes = decide(&engine, &fusion, &problem, item, set);
                assert!(becomes.is_none_or(|becomes| becomes == flip.becomes), "{rule}, item {item}");
                assert_eq!(flip.decision, decision, "{rule}, item {item}");
                found += 1;
            }
        }
    }
    assert!(found > 30, "{found} flips are too few to tell");
}

#[test]
fn rules_that_do_not_add_up_are_refused() {
    let problem = Problem::random(Encoding::Probabilities, 3, 2, 3, 1);
    let evidence = problem.evidence();
    for rule in [Rule::Median, Rule::default(), Rule::PowerMean { exponent: 0.5 }, Rule::MaxVote] {
        let error = flip_set(&Fusion::new(rule), &evidence, 0).expect_err("not additive").to_string();
        assert!(error.starts_with("the smallest set that turns a decision is known for one rule alone"), "{error}");
    }
    let error = flip_set(&Fusion::new(Rule::Linear), &evidence, 2).expect_err("no such item").to_string();
    assert_eq!(error, "the list of items has 3 entries where the evidence needs 2");
}

/// Sources that take over another's answer with a known probability, and are right by chance alone otherwise.
#[test]
fn dependence_finds_who_copies() {
    let (items, copied) = (40_000, 0.6);
    let mut random = Random::new(3);
    let truth: Vec<u32> = (0..items).map(|_| random.below(4) as u32).collect();
    let mut answer = |truth: u32| if random.unit() < 0.7 { truth as u8 } else { random.below(4) as u8 };
    let a: Vec<u8> = truth.iter().map(|&k| answer(k)).collect();
    let b: Vec<u8> = truth.iter().map(|&k| answer(k)).collect();
    let own: Vec<u8> = truth.iter().map(|&k| answer(k)).collect();
    let copy: Vec<u8> = a.iter().zip(&own).map(|(&a, &own)| if random.unit() < copied { a } else { own }).collect();
    let sources = [Opinions::LabelsU8(&a), Opinions::LabelsU8(&b), Opinions::LabelsU8(&copy)];
    let report = Dependence::of(&Evidence::of(4, &sources).expect("labels"), &truth).expect("labels");
    let near = |value: f64, want: f64| (value - want).abs() < 0.02;
    let pair = |a, b| report.pair(a, b).expect("a pair");
    // Right with 0.7 + 0.3 / 4 = 0.775 each; a copy is right together with its model by copied, else by chance.
    assert!(near(pair(0, 1).correlation, 0.0) && near(pair(0, 1).residual_agreement, 0.0), "{report:?}");
    assert!(near(pair(0, 2).correlation, copied.into()), "{report:?}");
    // On items of one class both agree independently with 0.775^2 + 3 * 0.075^2.
    let independent = 0.775_f64.powi(2) + 3.0 * 0.075_f64.powi(2);
    assert!(near(pair(0, 2).residual_agreement, f64::from(copied) * (1.0 - independent)), "{report:?}");
    let squares = 2.0 * f64::from(copied).powi(2);
    assert!((report.effective_sources() - 9.0 / (3.0 + squares)).abs() < 0.05, "{}", report.effective_sources());
}

#[test]
fn bad_truth_is_refused() {
    let problem = Problem::random(Encoding::Probabilities, 2, 3, 2, 1);
    let error = Dependence::of(&problem.evidence(), &[0, 1]).expect_err("too few").to_string();
    assert_eq!(error, "the list of true classes has 2 entries where the evidence needs 3");
    let error = Dependence::of(&problem.evidence(), &[0, 1, 2]).expect_err("no class");
    assert!(error.is_label() && !error.is_shape());
    assert_eq!(error.to_string(), "the label of item 2 is 2, which is no class; classes are 0 to 1");
}
