//! Questions that are turned away.

use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::{Opinion, Source, source};

use super::super::batcher::gate::begun;
use super::held::{Held, after, nothing, question};

#[tokio::test]
async fn what_finds_no_room_is_told_when_to_come_again() {
    let held = Held::default();
    let model = held.source().queue_questions(1).build().expect("a source");
    let first = begun(model.ask(question("0"))).await;
    held.wait_begun(1);
    let second = begun(model.ask(question("1"))).await;
    let third = model.ask(question("1")).await;
    let Err(SourceError::Busy { retry_after: Some(wait) }) = third else { panic!("{third:?}") };
    assert!(wait >= Duration::from_millis(1), "{wait:?}");
    held.open(2);
    first.await.expect("an answer");
    assert_eq!(second.await.expect("an answer").opinion, Opinion::label(1));
}

#[tokio::test]
async fn sizes_are_those_of_the_inputs() {
    let held = Held::default();
    let model = held.source().batch_bytes(4).queue_bytes(6).build().expect("a source");
    let long = model.ask(question("00000")).await;
    let Err(SourceError::TooLarge { what, bytes, limit }) = long else { panic!("{long:?}") };
    assert_eq!((what, bytes, limit), ("the question", 5, 4));

    let first = begun(model.ask(question("0"))).await;
    held.wait_begun(1);
    let second = begun(model.ask(question("0001"))).await;
    assert_eq!(model.stats().queued_bytes, 4);
    let third = model.ask(question("001")).await;
    assert!(matches!(third, Err(SourceError::Busy { .. })), "{third:?}");
    held.open(2);
    first.await.expect("an answer");
    assert_eq!(second.await.expect("an answer").opinion, Opinion::label(1));
}

#[tokio::test]
async fn what_comes_too_late_is_never_asked() {
    let held = Held::default();
    let model = held.source().build().expect("a source");
    let late = model.ask(after("0", 0)).await;
    assert!(matches!(late, Err(SourceError::TimedOut { after: Duration::ZERO })), "{late:?}");
    assert!(held.begun().is_empty());
}

#[test]
fn limits_that_hold_nothing_are_refused() {
    let error = source::batched("m", nothing).batch_questions(0).build().expect_err("no limit");
    assert!(error.to_string().contains("the most requests of a batch"), "{error}");
    let error = source::batched("m", nothing).slots(0).build().expect_err("no slots");
    assert!(error.to_string().contains("the number of slots"), "{error}");
}
