//! What requests teach.

use consilience::learning::{State, Weights, WeightsOptions};
use consilience::orchestration::Opinion;
use consilience::orchestration::parallel_fusion::Options;
use consilience::{Evidence, Fusion, Rule, Weighting};

use super::scripted::{Act, fusion};

/// As the learner's own: ten observations before the weights move.
#[tokio::test(start_paused = true)]
async fn the_preset_learns_as_its_learner_does() {
    let acts = [Act::say(&[0.9, 0.1]), Act::say(&[0.4, 0.6])];
    let asked = fusion(2, &acts, Options::parallel_fusion());
    let mut oracle = Weights::new(WeightsOptions::parallel_fusion()).expect("a learner");
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.4, 0.6]]).expect("evidence");
    for round in 0..15 {
        let outcome = asked.ask("?").await.expect("an answer");
        let weight = asked.weights().expect("weights")[0];
        assert!((outcome.reports[0].weight - weight).abs() < 1e-6, "round {round}");
        asked.learn(&outcome, 0).expect("learned");
        oracle.update(&evidence, &[Some(0)]).expect("learned");
        assert_eq!(asked.weights(), Some(oracle.weights()));
        assert!(asked.learn(&outcome, 2).expect_err("no class").is_label());
    }
    assert!(asked.weights().expect("weights")[0] > 0.7);

    // What was learned goes on elsewhere.
    let saved = asked.learned().expect("weights").to_text().expect("text");
    let again = fusion(2, &acts, Options::parallel_fusion());
    again.resume(Weights::from_text(&saved).expect("saved weights")).expect("the same sources");
    assert_eq!(again.weights(), asked.weights());
    let outcome = again.ask("?").await.expect("an answer");
    assert!((outcome.reports[0].weight - asked.weights().expect("weights")[0]).abs() < 1e-6);

    let three = fusion(2, &[Act::Fail, Act::Fail, Act::Fail], Options::parallel_fusion());
    assert!(three.learn(&outcome, 0).expect_err("two reports").is_state());
    assert!(three.resume(asked.learned().expect("weights")).expect_err("two weights").is_shape());
}

#[tokio::test(start_paused = true)]
async fn of_a_source_that_failed_nothing_is_learned() {
    let asked = fusion(2, &[Act::say(&[0.9, 0.1]), Act::Fail], Options::parallel_fusion());
    let outcome = asked.ask("?").await.expect("an answer");
    asked.learn(&outcome, 1).expect("learned");
    assert_eq!(asked.learned().expect("weights").reliability().observations(), [1.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn learned_weights_go_where_the_fusion_has_weights() {
    let acts = [Act::say(&[0.9, 0.1]), Act::say(&[0.2, 0.8]), Act::say(&[0.6, 0.4])];
    let learned = Weights::new(WeightsOptions { start: vec![0.5, 0.25, 0.25], ..WeightsOptions::parallel_fusion() });
    let learned = learned.expect("a learner");
    let posterior = async |given: Fusion| {
        let asked = fusion(2, &acts, Options::parallel_fusion().fusion(given));
        asked.resume(learned.clone()).expect("three sources");
        asked.ask("?").await.expect("an answer").posterior[0]
    };
    let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} {b}");
    close(posterior(Fusion::new(Rule::Linear)).await, 0.65);
    close(posterior(Fusion::new(Rule::Adaptive { learned: vec![1.0; 3] })).await, 0.65);
    let adaptive = Weighting::Adaptive { beta: 0.0, learned: vec![1.0; 3] };
    close(posterior(Fusion::new(Rule::Linear).weighting(adaptive)).await, 0.65);
    // By confidence, whatever was learned.
    let confidence = Weighting::Confidence { gamma: 1.0, measure: Default::default() };
    let own = (0.9 * 0.9 + 0.8 * 0.2 + 0.6 * 0.6) / 2.3;
    close(posterior(Fusion::new(Rule::Linear).weighting(confidence)).await, own);
}

#[tokio::test(start_paused = true)]
async fn without_truth_it_goes_by_confidence_above_the_threshold() {
    let acts = [Act::say(&[0.9, 0.1]), Act::Say(Opinion::Binary(0.45))];
    let asked = fusion(2, &acts, Options::parallel_fusion());
    for _ in 0..3 {
        let outcome = asked.ask("?").await.expect("an answer");
        asked.learn_self_reported(&outcome).expect("learned");
    }
    assert_eq!(asked.learned().expect("weights").reliability().reliabilities(), [1.0, 0.0]);
    let nothing = fusion(2, &acts, Options { learning: None, ..Options::parallel_fusion() });
    let outcome = nothing.ask("?").await.expect("an answer");
    nothing.learn(&outcome, 0).expect("nothing to learn");
    assert_eq!((nothing.weights(), nothing.learned()), (None, None));
}
