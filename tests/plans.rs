//! What fusions are lowered to: printed programs, held against files. `UPDATE_GOLDEN=1` rewrites them.

use std::path::Path;

use consilience::{Divergence, Encoding, Engine, Form, Fusion, Measure, OnInvalid, Output, Rule, Weighting};

use crate::support::problem::{FORMS, Problem};
use crate::support::specs;

fn check(name: &str, fusion: &Fusion, problem: &Problem) {
    let engine = Engine::cpu().expect("a CPU engine");
    let printed = engine.explain(fusion, &problem.evidence()).expect("a fusion that can be lowered");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &printed).expect("a writable checkout");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(printed, golden, "{name}");
}

#[test]
fn default_ensemble() {
    check("default.txt", &Fusion::default(), &Problem::random(Encoding::Probabilities, 3, 4, 10, 1));
}

#[test]
fn log_pool_of_logits_with_holes() {
    let problem = Problem::random(Encoding::Logits, 2, 8, 4, 1).with_holes(1).with_confidences(1);
    let fusion = Fusion::new(Rule::LogPool)
        .weighting(Weighting::Adaptive { beta: 0.25, learned: vec![1.0, 0.5] })
        .source_priors(vec![3.0, 1.0])
        .on_invalid(OnInvalid::Missing)
        .outputs(&Output::ALL);
    check("log_pool.txt", &fusion, &problem);
}

#[test]
fn many_classes_take_the_wide_kernel() {
    let fusion = Fusion::new(Rule::Vote)
        .weighting(Weighting::Confidence { gamma: 2.0, measure: Measure::Max })
        .outputs(&[Output::Decision]);
    check("wide.txt", &fusion, &Problem::random(Encoding::Probabilities, 2, 2, 257, 1));
}

#[test]
fn mixed_forms_with_temperatures() {
    let problem = Problem::of(&FORMS, 4, 2, 1).with_holes(1);
    let heat = (0..FORMS.len()).map(|n| 1.0 + n as f32 / 4.0).collect();
    let fusion = Fusion::new(Rule::Evidence { exponents: vec![] }).source_temperatures(heat).temperature(0.5);
    check("mixed.txt", &fusion, &problem);
}

#[test]
fn neighbours_of_one_form_are_read_together() {
    let forms = [Form::LabelsU8, Form::LabelsU8, Form::F32(Encoding::Probabilities), Form::LabelsU8];
    let fusion = Fusion::new(Rule::MaxVote).outputs(&[Output::Decision, Output::Contributions]);
    check("neighbours.txt", &fusion, &Problem::of(&forms, 4, 3, 1));
}

#[test]
fn weights_by_consensus() {
    let weighting = Weighting::Consensus { divergence: Divergence::JensenShannon, steepness: 20.0 };
    let fusion = Fusion::new(Rule::PowerMean { exponent: -1.0 }).weighting(weighting).outputs(&[Output::Conflict]);
    check("consensus.txt", &fusion, &Problem::random(Encoding::Logits, 2, 4, 10, 1));
}

#[test]
fn an_ensemble_of_every_rule_under_weights_per_class() {
    let fusion =
        Fusion::new(specs::everything(3, 4, 1)).weighting(Weighting::PerClass((1..13).map(|w| w as f32).collect()));
    check("everything.txt", &fusion, &Problem::random(Encoding::Probabilities, 3, 4, 4, 1));
}
