//! Queues that are full, requests that are too large, limits that are none.

use std::time::Duration;

use consilience::orchestration::batcher::{Builder, Submission};
use consilience::{Error, ErrorKind, RequestError};

use super::gate::{Ask, Gate, ask, begun};

fn sized(id: u32, bytes: usize) -> Ask {
    Ask { bytes, ..ask(id) }
}

/// Which batcher was full.
fn full(error: &Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::Request(RequestError::Full { what, .. }) => Some(what),
        _ => None,
    }
}

#[tokio::test]
async fn a_queue_full_of_requests_turns_the_next_one_away_until_there_is_room() {
    let gate = Gate::default();
    let batcher = gate.batcher().queue_requests(2).build().unwrap();
    let ask = |id| batcher.submit(ask(id), Submission::default());
    let first = begun(ask(1)).await;
    gate.wait_begun(1);
    let (second, third) = (begun(ask(2)).await, begun(ask(3)).await);
    let error = ask(4).await.unwrap_err();
    assert_eq!(full(&error), Some("gate"));
    let hint = error.retry_after().unwrap();
    assert!((Duration::from_millis(1)..=Duration::from_secs(60)).contains(&hint), "{hint:?}");
    gate.open(2);
    assert_eq!((first.await.unwrap(), second.await.unwrap(), third.await.unwrap()), (10, 20, 30));
    gate.open(1);
    assert_eq!(ask(5).await.unwrap(), 50);
    assert_eq!((batcher.stats().rejected, batcher.stats().answered), (1, 4));
}

#[tokio::test]
async fn a_queue_full_of_bytes_turns_away_what_does_not_fit_and_takes_what_does() {
    let gate = Gate::default();
    let batcher = gate.batcher().queue_bytes(100).build().unwrap();
    let ask = |ask| batcher.submit(ask, Submission::default());
    let first = begun(ask(sized(1, 100))).await;
    gate.wait_begun(1);
    let second = begun(ask(sized(2, 70))).await;
    assert_eq!(full(&ask(sized(3, 31)).await.unwrap_err()), Some("gate"));
    let fourth = begun(ask(sized(4, 30))).await;
    assert_eq!(batcher.stats().queued_bytes, 100);
    assert_eq!(full(&ask(sized(5, 1)).await.unwrap_err()), Some("gate"));
    drop(second);
    let sixth = begun(ask(sized(6, 70))).await;
    gate.open(2);
    assert_eq!((first.await.unwrap(), fourth.await.unwrap(), sixth.await.unwrap()), (10, 40, 60));
}

#[tokio::test]
async fn what_fits_no_batch_or_no_queue_is_too_large() {
    let gate = Gate::default();
    for (builder, most) in [(gate.batcher().batch_bytes(64), 64), (gate.batcher().queue_bytes(32), 32)] {
        let batcher = builder.build().unwrap();
        let error = batcher.submit(sized(1, most + 1), Submission::default()).await.unwrap_err();
        let ErrorKind::Request(RequestError::TooLarge { bytes, limit }) = error.kind() else { panic!("{error}") };
        assert_eq!((*bytes, *limit), (most + 1, most));
        gate.open(1);
        assert_eq!(batcher.submit(sized(2, most), Submission::default()).await.unwrap(), 20);
    }
}

#[test]
fn limits_that_let_nothing_through_are_refused_by_name() {
    let refused =
        |set: fn(Builder<Gate>) -> Builder<Gate>| set(Gate::default().batcher()).build().unwrap_err().to_string();
    assert_eq!(refused(|b| b.slots(0)), "the number of slots is 0, it must be in [1, 2^10]");
    assert_eq!(refused(|b| b.batch_requests(0)), "the most requests of a batch is 0, it must be in [1, 2^31]");
    assert_eq!(refused(|b| b.batch_bytes(0)), "the most bytes of a batch is 0, it must be at least 1");
    assert_eq!(refused(|b| b.queue_requests(0)), "the most requests of the queue is 0, it must be in [1, 2^31]");
    assert_eq!(refused(|b| b.queue_bytes(0)), "the most bytes of the queue is 0, it must be at least 1");
}
