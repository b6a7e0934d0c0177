//! Gradients that there are none of.

use consilience::{Engine, Evidence, Fusion, Measure, Opinions, Rule, Weighting};

#[test]
fn what_has_no_gradient_is_named() {
    let engine = Engine::cpu().expect("an engine");
    let rows = [0.5, 0.5];
    let evidence = Evidence::probabilities(2, &[&rows]).expect("evidence");
    let labels = [1_u8];
    let labelled = Evidence::of(2, &[Opinions::LabelsU8(&labels)]).expect("evidence");
    let by_confidence = Weighting::Confidence { gamma: 1.0, measure: Measure::Max };
    for (fusion, evidence, what) in [
        (Fusion::new(Rule::Vote), &evidence, "the rule vote"),
        (Fusion::default(), &evidence, "the rule ensemble"),
        (Fusion::new(Rule::LogPool).weighting(by_confidence), &evidence, "the weighting confidence"),
        (
            Fusion::new(Rule::Linear).weighting(Weighting::PerClass(vec![1.0, 2.0])),
            &evidence,
            "the weighting per_class",
        ),
        (Fusion::new(Rule::Linear), &labelled, "labels u8"),
    ] {
        let error = engine.gradient(&fusion, evidence, &rows, &rows).expect_err("an error");
        assert!(error.is_spec());
        let begin = format!("no gradient passes through {what}: linear, log_pool and evidence have one");
        assert!(error.to_string().starts_with(&begin), "{error}");
    }
}

#[test]
fn a_product_of_experts_has_no_weights_to_mind() {
    let engine = Engine::cpu().expect("an engine");
    let evidence = Evidence::logits(2, &[&[0.0, 0.0]]).expect("evidence");
    let by_confidence = Weighting::Confidence { gamma: 1.0, measure: Measure::Max };
    let fusion = Fusion::new(Rule::Evidence { exponents: vec![2.0] }).weighting(by_confidence);
    let gradient = engine.gradient(&fusion, &evidence, &[0.5, 0.5], &[1.0, 0.0]).expect("a gradient");
    assert_eq!(gradient, [0.5, -0.5]);
}

#[test]
fn lengths_and_opinions_are_checked() {
    let engine = Engine::cpu().expect("an engine");
    let (good, bad) = ([0.5, 0.5, 0.25, 0.75], [0.5, 0.5, 0.25, 0.5]);
    let evidence = Evidence::probabilities(2, &[&good, &bad]).expect("evidence");
    let linear = Fusion::new(Rule::Linear);
    let error = engine.gradient(&linear, &evidence, &good[..2], &good).expect_err("a short posterior");
    assert!(error.is_shape());
    assert_eq!(error.to_string(), "the posterior has 2 entries where the evidence needs 4");
    let error = engine.gradient(&linear, &evidence, &good, &good[..2]).expect_err("a short gradient");
    assert_eq!(error.to_string(), "the gradient by the posterior has 2 entries where the evidence needs 4");
    let error = engine.gradient(&linear, &evidence, &good, &good).expect_err("an invalid row");
    assert_eq!(error.invalid_opinion().map(|o| (o.source, o.item, o.value)), Some((1, 1, 0.75)));
}

#[test]
fn no_items_have_an_empty_one() {
    let evidence = Evidence::logits(2, &[&[], &[]]).expect("evidence");
    let gradient = Engine::cpu().expect("an engine").gradient(&Fusion::new(Rule::Linear), &evidence, &[], &[]);
    assert_eq!(gradient.expect("a gradient"), Vec::<f32>::new());
}
