//! What a call costs that brings no answer.

use std::sync::Arc;
use std::time::Duration;

use consilience::Engine;
use consilience::http::{ChatOptions, Prices};
use consilience::orchestration::parallel_fusion::{Fate, Options};
use consilience::orchestration::{Cost, Opinion, ParallelFusion, Question, Source, source};
use serde_json::json;
use tokio::time::Instant;

use super::server::{Server, Step, answer, chunks, last_chunk, ok};
use super::{changed, completion, question, source};

/// 2.50 per million tokens read, 10 per million written.
const PRICES: Prices = Prices { input: 2_500_000, output: 10_000_000 };

fn priced() -> ChatOptions {
    ChatOptions { prices: PRICES, ..ChatOptions::default() }
}

/// What a question costs that fails.
async fn of_failure(answers: Vec<Vec<Step>>, options: ChatOptions) -> Cost {
    let server = Server::start(answers).await;
    let asked = question("a tail");
    source(&server, options).ask(asked.clone()).await.expect_err("a failure");
    asked.spent()
}

/// `calls` of which the last read 40 tokens and wrote 3, as [`completion`] says.
fn paid(calls: u64) -> Cost {
    Cost { calls, tokens_in: 40, tokens_out: 3, micros: 130 }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_paid_for() {
    let usage = r#""usage": {"prompt_tokens": 40, "completion_tokens": 3}"#;
    for body in [
        completion("neither"),
        completion(r#"{"class": "cow"}"#),
        completion(r#"{"class": "cat", "confidence": 7}"#),
        format!(r#"{{"choices": [], {usage}}}"#),
        format!(r#"{{"error": {{"message": "cut off"}}, {usage}}}"#),
        format!(r#"{{"choices": [{{"message": {{"content": 7}}}}], {usage}}}"#),
    ] {
        assert_eq!(of_failure(vec![ok(&body)], priced()).await, paid(1), "{body}");
    }
}

#[tokio::test]
async fn a_call_that_fails_without_an_account_is_a_call() {
    for steps in [ok("{"), answer("500 Oh", "", "out of memory"), vec![Step::Close], answer("429 Busy", "", "")] {
        assert_eq!(of_failure(vec![steps], priced()).await, Cost::CALL);
    }
    // Nothing is sent of what is too large, but it was asked.
    let options = ChatOptions { question_bytes: 1, ..priced() };
    assert_eq!(of_failure(vec![ok(&completion("dog"))], options).await, Cost::CALL);
}

#[tokio::test]
async fn each_request_counts_that_was_sent_in_vain() {
    let busy = answer("429 Too Many Requests", "retry-after: 0\r\n", "");
    let twice = ChatOptions { retries: 1, ..priced() };
    assert_eq!(of_failure(vec![busy.clone(), busy.clone()], twice.clone()).await, Cost { calls: 2, ..Cost::default() });
    assert_eq!(of_failure(vec![busy, ok(&completion("neither"))], twice).await, paid(2));
}

/// A stream that says what it took, again and again, and has not ended.
fn unfinished() -> Vec<Step> {
    let event = |text: &str, tokens_out: u64| {
        let usage = json!({"prompt_tokens": 40, "completion_tokens": tokens_out});
        format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}}], "usage": usage}))
    };
    let events = [event("It is", 2), event(" a", 3)];
    chunks("text/event-stream", events.iter().map(|event| event.as_bytes()))
}

#[tokio::test]
async fn a_stream_that_is_cut_costs_what_it_said_last() {
    let streamed = || ChatOptions { streamed: true, ..priced() };
    let wrong = chunks("", [&b"data: {\n\n"[..]]).split_off(1);
    for end in [vec![Step::Close], vec![last_chunk()], wrong] {
        assert_eq!(of_failure(vec![[unfinished(), end].concat()], streamed()).await, paid(1));
    }
    // At the deadline, too.
    let server = Server::start([[unfinished(), vec![Step::Hold]].concat()]).await;
    let asked = changed("a tail", |q| q.deadline = Instant::now() + Duration::from_millis(300));
    source(&server, streamed()).ask(asked.clone()).await.expect_err("late");
    assert_eq!(asked.spent(), paid(1));
}

#[tokio::test]
async fn an_outcome_counts_those_that_failed_and_those_that_were_late() {
    let unread = Server::start([ok(&completion("neither"))]).await;
    let late = Server::start([[unfinished(), vec![Step::Hold]].concat()]).await;
    let options = ChatOptions { streamed: true, ..priced() };
    let named = |name: &str, server: &Server| -> Arc<dyn Source<str>> {
        let classes = ["cat", "dog"];
        Arc::new(super::ChatSource::open(name, &server.base(), "m", classes, options.clone()).expect("a source"))
    };
    let table = source::of("table", async |_: Question<str>| Ok(Opinion::label(1).into()));
    let sources = vec![Arc::new(table) as _, named("unread", &unread), named("late", &late)];
    let asked = Options::parallel_fusion().deadline(Duration::from_millis(300));
    let fusion = ParallelFusion::new(Arc::new(Engine::cpu().expect("an engine")), 2, sources, asked).expect("a fusion");
    let outcome = fusion.ask("a tail").await.expect("an outcome");
    let costs: Vec<_> = outcome.reports.iter().map(|report| (report.fate, report.cost)).collect();
    assert_eq!(costs, [(Fate::Answered, Cost::CALL), (Fate::Failed, paid(1)), (Fate::TimedOut, paid(1))]);
    assert_eq!(outcome.cost, Cost { calls: 3, tokens_in: 80, tokens_out: 6, micros: 260 });
    assert_eq!(fusion.tracks()[1].cost(), paid(1));
}
