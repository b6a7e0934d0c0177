//! Requests from question to outcome, under paused time.

mod cancelling;
mod events;
mod hedging;
mod judging;
mod refusing;
mod stopping;
mod together;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::parallel_fusion::{Fate, Options, Outcome};
use consilience::orchestration::{Cost, Opinion, ParallelFusion, Question, Reply, Source, Stopped, source};
use consilience::{Error, Flags, Fusion, Measure, OnInvalid, Rule, Weighting};

use super::engine::engine;
use super::scripted::{Act, fusion};

/// The preset, without learning.
fn options() -> Options {
    Options { learning: None, ..Options::parallel_fusion() }
}

fn fates(outcome: &Outcome) -> Vec<Fate> {
    outcome.reports.iter().map(|report| report.fate).collect()
}

fn refusal<T: Debug>(answer: Result<T, Error>) -> String {
    answer.expect_err("it must be refused").to_string()
}

/// The scalar case of two confidences, .85 and .5, under .6 and .4.
#[tokio::test(start_paused = true)]
async fn two_sources_by_the_preset() {
    let acts = [Act::Say(Opinion::Binary(0.85)), Act::Say(Opinion::Binary(0.5))];
    let outcome = fusion(2, &acts, Options::parallel_fusion()).ask("?").await.expect("an answer");
    assert_eq!(outcome.decision, 0);
    assert!((outcome.confidence - 0.779_154).abs() < 1e-5, "{outcome:?}");
    let weights: Vec<f32> = outcome.reports.iter().map(|report| report.weight).collect();
    assert!((weights[0] - 0.6).abs() < 1e-6 && (weights[1] - 0.4).abs() < 1e-6);
}

#[tokio::test(start_paused = true)]
async fn a_failed_source_of_two_costs_a_tenth_of_the_confidence() {
    let outcome = fusion(2, &[Act::say(&[0.25, 0.75]), Act::Fail], Options::parallel_fusion()).ask("?").await;
    let outcome = outcome.expect("an answer");
    assert_eq!((outcome.decision, outcome.confidence), (1, 0.75 * 0.9));
    assert_eq!(outcome.posterior, [0.25, 0.75]);
    assert_eq!(fates(&outcome), [Fate::Answered, Fate::Failed]);
}

#[tokio::test(start_paused = true)]
async fn abstaining_is_an_answer_and_no_opinion() {
    let acts = [Act::Say(Opinion::Abstained), Act::say(&[0.3, 0.7])];
    let outcome = fusion(2, &acts, options()).ask("?").await.expect("an answer");
    assert_eq!(fates(&outcome), [Fate::Abstained, Fate::Answered]);
    assert_eq!((outcome.confidence, outcome.failures().count()), (0.7, 0));
    assert!(outcome.flags.contains(Flags::ABSTAINED));

    let nobody = fusion(2, &[Act::Say(Opinion::Abstained), Act::Fail], options()).ask("?").await;
    assert_eq!(refusal(nobody), "no source answered: `a`: it abstained; `b`: out of order");

    // Where a confusion matrix says what it means to abstain, it is evidence.
    let matrices = vec![0.6, 0.1, 0.3, 0.1, 0.8, 0.1];
    let confusion = options().fusion(Fusion::new(Rule::Confusion { matrices }));
    let outcome = fusion(2, &[Act::Say(Opinion::Abstained)], confusion).ask("?").await.expect("an answer");
    assert!((outcome.posterior[0] - 0.75).abs() < 1e-6, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_sum_to_one_fails_or_is_divided_as_the_fusion_says() {
    let off = Opinion::Probabilities(vec![3.0, 1.0]);
    let logs = Opinion::LogProbabilities(vec![3.0_f32.ln(), 1.0_f32.ln()]);
    let never = Opinion::Probabilities(vec![f32::NAN, 1.0]);
    let long = Opinion::Probabilities(vec![1.0; 3]);
    let acts = [off, logs, never, long, Opinion::Probabilities(vec![0.5, 0.5])].map(Act::Say);
    let linear = |on_invalid| options().fusion(Fusion::new(Rule::Linear).on_invalid(on_invalid));
    for (on_invalid, fate, p) in [
        (OnInvalid::Error, Fate::Invalid, 0.5),
        (OnInvalid::Missing, Fate::Invalid, 0.5),
        (OnInvalid::Renormalise, Fate::Answered, (0.75 + 0.75 + 0.5) / 3.0),
    ] {
        let asked = fusion(2, &acts, linear(on_invalid));
        let outcome = asked.ask("?").await.expect("an answer");
        assert_eq!(fates(&outcome), [fate, fate, Fate::Invalid, Fate::Invalid, Fate::Answered]);
        assert!((outcome.posterior[0] - p).abs() < 1e-6, "{outcome:?}");
        assert_eq!(outcome.flags.contains(Flags::RENORMALISED), on_invalid == OnInvalid::Renormalise);
        if fate == Fate::Answered {
            assert_eq!(outcome.reports[0].opinion, Some(Opinion::Probabilities(vec![0.75, 0.25])));
            assert!((outcome.reports[0].weight - 1.0 / 3.0).abs() < 1e-6);
            asked.learn(&outcome, 0).expect("what was mended can be learned from");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn opinions_of_every_form_are_fused() {
    let acts = [
        Act::say(&[0.6, 0.4]),
        Act::Say(Opinion::LogProbabilities(vec![0.3_f32.ln(), 0.7_f32.ln()])),
        Act::Say(Opinion::Logits(vec![0.0, 4.0_f32.ln()])),
        Act::Say(Opinion::Label { class: 0, confidence: Some(0.9) }),
        Act::Say(Opinion::Binary(0.45)),
    ];
    let outcome = fusion(2, &acts, options().fusion(Fusion::new(Rule::Linear))).ask("?").await.expect("an answer");
    let mean = (0.6 + 0.3 + 0.2 + 0.9 + 0.45) / 5.0;
    assert!((outcome.posterior[0] - mean).abs() < 1e-6, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn weights_are_those_the_engine_used() {
    let acts = [Act::say(&[0.9, 0.1]), Act::say(&[0.3, 0.7]), Act::Fail, Act::say(&[0.5, 0.5])];
    let positions = vec![6.0, 4.0, 3.0, 1.0];
    for weighting in [
        Weighting::Fixed(vec![1.0, 2.0, 3.0, 4.0]),
        Weighting::Confidence { gamma: 2.0, measure: Measure::Max },
        Weighting::Confidence { gamma: 1.0, measure: Measure::Entropy },
        Weighting::Confidence { gamma: 1.0, measure: Measure::Margin },
        Weighting::Adaptive { beta: 0.5, learned: vec![0.1, 0.2, 0.3, 0.4] },
        // Nothing for those who answered: all the same.
        Weighting::Fixed(vec![0.0, 0.0, 1.0, 0.0]),
        Weighting::Proximity { positions, target: 6.0, distance: Default::default() },
        "hellinger".parse().expect("a weighting"),
        "jensen_shannon".parse().expect("a weighting"),
    ] {
        let weighted = options().fusion(Fusion::new(Rule::Linear).weighting(weighting.clone()));
        let outcome = fusion(2, &acts, weighted).ask("?").await.expect("an answer");
        let weight = |n: usize| f64::from(outcome.reports[n].weight);
        let sum = weight(0) * 0.9 + weight(1) * 0.3 + weight(3) * 0.5;
        assert!((sum - f64::from(outcome.posterior[0])).abs() < 1e-5, "{weighting:?}: {outcome:?}");
        assert_eq!(outcome.reports[2].weight, 0.0);
        assert!((weight(0) + weight(1) + weight(3) - 1.0).abs() < 1e-6);
    }
}

#[tokio::test(start_paused = true)]
async fn the_words_are_those_of_whoever_says_most_for_the_decision() {
    let says = |name: &'static str, p: f32| -> Arc<dyn Source<str>> {
        let answer = move || Ok(Reply::from(Opinion::Binary(p)).content(name));
        Arc::new(source::of(name, move |_: Question<str>| async move { answer() }))
    };
    let sources = vec![says("against", 0.05), says("weakly for", 0.6), says("strongly for", 0.95)];
    let asked = ParallelFusion::new(engine(), 2, sources, options().fusion(Fusion::new(Rule::Linear)));
    let outcome = asked.expect("a fusion").ask("?").await.expect("an answer");
    assert_eq!((outcome.decision, outcome.content.as_deref()), (0, Some("strongly for")));
}

#[tokio::test(start_paused = true)]
async fn ten_megabytes_are_handed_on_and_not_copied() {
    let long: Arc<str> = "x".repeat(10_000_000).into();
    let address = Arc::clone(&long);
    let reads: Arc<dyn Source<str>> = Arc::new(source::of("reads", move |question: Question<str>| {
        let same = Arc::ptr_eq(&question.input, &address);
        async move { Ok(Reply::from(Opinion::label(u16::from(same))).cost(Cost { tokens_in: 3, ..Cost::CALL })) }
    }));
    let asked = ParallelFusion::new(engine(), 2, vec![reads], options()).expect("a fusion");
    let outcome = asked.ask(long).await.expect("an answer");
    assert_eq!((outcome.decision, outcome.cost.tokens_in), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn presets_differ_as_they_say() {
    let acts: Vec<_> = (0..4).map(|n| Act::say_after(200 * n, &[0.02, 0.98])).collect();
    let took = async |preset: Options| {
        let outcome = fusion(2, &acts, preset).ask("?").await.expect("an answer");
        (outcome.elapsed, outcome.stopped)
    };
    let millis = Duration::from_millis;
    assert_eq!(took(Options::parallel_fusion()).await, (millis(600), Stopped::Complete));
    assert_eq!(took(Options::low_latency()).await, (millis(200), Stopped::Confident));
    assert_eq!(took(Options::accurate()).await, (millis(600), Stopped::Complete));
    for preset in [Options::parallel_fusion(), Options::low_latency(), Options::accurate()] {
        let text = serde_json::to_string(&preset).expect("JSON");
        assert_eq!(serde_json::from_str::<Options>(&text).expect("the same"), preset);
    }
}
