//! Questions and calls that fail.

use std::sync::Arc;

use consilience::SourceError;
use consilience::orchestration::parallel_fusion::{Fate, Options};
use consilience::orchestration::{Opinion, ParallelFusion, Question, Reply, Source, source};
use futures_util::future::join_all;

use super::super::batcher::gate::begun;
use super::super::engine::engine;
use super::super::scripted::{self, Act};
use super::held::{Held, question};

/// What becomes of `1`, the order, and `0` in one call, after a call before them; a call after them must work.
async fn outcomes(order: &str) -> Vec<Result<Reply, SourceError>> {
    let held = Held::default();
    let model = held.source().build().expect("a source");
    let first = begun(model.ask(question("0"))).await;
    held.wait_begun(1);
    let mut call = Vec::new();
    for text in ["1", order, "0"] {
        call.push(begun(model.ask(question(text))).await);
    }
    held.open(3);
    first.await.expect("an answer");
    let outcomes = join_all(call).await;
    assert_eq!(held.begun()[1], format!("1 {order} 0"));
    assert_eq!(model.ask(question("1")).await.expect("an answer").opinion, Opinion::label(1));
    outcomes
}

#[tokio::test]
async fn an_error_is_of_its_question_alone() {
    let outcomes = outcomes("what").await;
    let [Ok(one), Err(SourceError::Failed { message, .. }), Ok(zero)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((&one.opinion, &zero.opinion), (&Opinion::label(1), &Opinion::label(0)));
    assert_eq!(message, "`what` is no number");
}

#[tokio::test]
async fn a_panic_is_of_its_call_alone() {
    for outcome in outcomes("panic").await {
        let Err(SourceError::Panicked { message }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(message, "a test asked for this panic");
    }
}

#[tokio::test]
async fn another_number_of_answers_is_used_for_nobody() {
    for outcome in outcomes("lose").await {
        let Err(error) = outcome else { panic!("{outcome:?}") };
        let expected = "model gave 2 answers to 3 requests, so that none could be used; it must give each one";
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn what_is_no_number_fails_the_source_by_name() {
    let says = |questions: &[Question<str>]| {
        let row = |_: &Question<str>| Ok(Opinion::Logits(vec![0.0, f32::NAN]).into());
        questions.iter().map(row).collect::<Vec<_>>()
    };
    let broken: Arc<dyn Source<str>> = Arc::new(source::batched("network", says).build().expect("a source"));
    let sources = vec![scripted::source("sure", Act::say(&[0.25, 0.75])), broken];
    let options = Options { learning: None, ..Options::parallel_fusion() };
    let asked = ParallelFusion::new(engine(), 2, sources, options).expect("a fusion");
    let outcome = asked.ask("?").await.expect("an answer");
    assert_eq!((outcome.decision, outcome.confidence), (1, 0.75 * 0.9));
    let report = &outcome.reports[1];
    assert_eq!((&*report.name, report.fate), ("network", Fate::Invalid));
    let error = report.error.as_ref().expect("an error").to_string();
    assert!(error.contains("class 1: NaN is not a number"), "{error}");
}
