//! What fusions are lowered to: printed programs, held against files. `UPDATE_GOLDEN=1` rewrites them.

use std::path::Path;

use consilience::{Encoding, Engine, Fusion, OnInvalid, Output, Rule, Weighting};

use crate::support::problem::Problem;

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
    let fusion = Fusion::new(Rule::Vote).weighting(Weighting::Confidence { gamma: 2.0 }).outputs(&[Output::Decision]);
    check("wide.txt", &fusion, &Problem::random(Encoding::Probabilities, 2, 2, 257, 1));
}
