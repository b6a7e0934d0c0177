//! Models that answer many questions at once.

mod faults;
mod held;
mod limits;

use std::sync::Arc;
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::batcher::Shutdown;
use consilience::orchestration::{Cost, Opinion, Source, source};
use futures_util::future::join_all;
use tokio::time::timeout;

use self::held::{Held, after, question};
use super::batcher::gate::begun;

#[tokio::test]
async fn what_waits_while_the_model_works_is_one_call() {
    let held = Held::default();
    let model = held.source().build().expect("a source");
    let first = begun(model.ask(question("0"))).await;
    held.wait_begun(1);
    let mut rest = Vec::new();
    for text in ["1", "0", "1"] {
        rest.push(begun(model.ask(question(text))).await);
    }
    held.open(2);
    assert_eq!(first.await.expect("an answer").opinion, Opinion::label(0));
    let opinions: Vec<_> = join_all(rest).await.into_iter().map(|reply| reply.expect("an answer").opinion).collect();
    assert_eq!(opinions, [Opinion::label(1), Opinion::label(0), Opinion::label(1)]);
    assert_eq!(held.begun(), ["0", "1 0 1"]);
    assert_eq!((model.stats().batches, model.stats().answered), (2, 4));
}

#[tokio::test]
async fn a_call_has_no_more_questions_than_it_may() {
    let held = Held::default();
    let model = held.source().batch_questions(2).build().expect("a source");
    let mut asked = vec![begun(model.ask(question("0"))).await];
    held.wait_begun(1);
    for text in ["1", "0", "1"] {
        asked.push(begun(model.ask(question(text))).await);
    }
    held.open(3);
    assert!(join_all(asked).await.iter().all(Result::is_ok));
    assert_eq!(held.begun(), ["0", "1 0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn dropped_and_late_questions_never_reach_the_model() {
    let held = Held::default();
    let model = held.source().build().expect("a source");
    let first = begun(model.ask(question("0"))).await;
    held.wait_begun(1);
    let dropped = begun(model.ask(question("1"))).await;
    let late = begun(model.ask(after("1", 2))).await;
    let kept = begun(model.ask(question("0"))).await;
    drop(dropped);
    let waited = match late.await {
        Err(SourceError::TimedOut { after }) => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(waited, Duration::from_secs(2));
    held.open(2);
    // The clock would run to the last deadline if it were the runtime that waited.
    held.wait_begun(2);
    assert!(first.await.is_ok() && kept.await.is_ok());
    assert_eq!(held.begun(), ["0", "0"]);
    assert_eq!((model.stats().cancelled, model.stats().expired), (1, 1));
}

#[tokio::test]
async fn with_two_slots_two_calls_run_at_a_time() {
    let held = Held::default();
    let model = held.source().slots(2).build().expect("a source");
    let first = begun(model.ask(question("0"))).await;
    held.wait_begun(1);
    let second = begun(model.ask(question("1"))).await;
    held.wait_begun(2);
    held.open(2);
    assert!(first.await.is_ok() && second.await.is_ok());
    assert_eq!(held.begun(), ["0", "1"]);
}

#[tokio::test]
async fn it_says_what_it_is() {
    let model = Held::default().source().cost(Cost { micros: 7, ..Cost::CALL }).build().expect("a source");
    assert_eq!((model.name(), model.expected_cost().micros, model.may_be_asked_twice()), ("held", 7, false));
    assert!(format!("{model:?}").starts_with("Batched { name: \"held\", batcher: Batcher {"), "{model:?}");
    let free = source::batched("free", held::nothing).build().expect("a source");
    assert_eq!(free.expected_cost(), Cost::CALL);
}

#[tokio::test]
async fn shut_down_it_answers_what_waits_or_turns_it_away() {
    for (mode, answered) in [(Shutdown::Drain, true), (Shutdown::Reject, false)] {
        let held = Held::default();
        let model = Arc::new(held.source().build().expect("a source"));
        let first = begun(model.ask(question("0"))).await;
        held.wait_begun(1);
        let waiting = begun(model.ask(question("1"))).await;
        // It waits for the call that has begun.
        assert!(timeout(Duration::from_millis(5), model.shutdown(mode)).await.is_err());
        let refused = model.ask(question("1")).await;
        assert!(matches!(refused, Err(SourceError::Closed)), "{refused:?}");
        held.open(2);
        assert_eq!(first.await.expect("an answer").opinion, Opinion::label(0));
        match waiting.await {
            Ok(reply) => assert_eq!((reply.opinion, answered), (Opinion::label(1), true)),
            Err(error) => assert!(matches!(error, SourceError::Closed) && !answered, "{error:?}"),
        }
        model.clone().shutdown(mode).await;
        assert_eq!(held.begun().len(), if answered { 2 } else { 1 });
    }
}
