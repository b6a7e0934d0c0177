//! Requests whose time runs out.

use std::time::Duration;

use consilience::orchestration::batcher::Submission;
use consilience::{Error, ErrorKind, RequestError};
use tokio::time::{Instant, advance};

use super::gate::{Gate, ask, begun};

fn within(time: Duration) -> Submission {
    Submission::default().deadline(Instant::now() + time)
}

const MS: Duration = Duration::from_millis(1);

fn waited(error: &Error) -> Option<Duration> {
    match error.kind() {
        ErrorKind::Request(RequestError::Expired { waited }) => Some(*waited),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn no_time_at_all_is_an_error_at_once() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let at_once = batcher.submit(ask(1), within(Duration::ZERO)).await.unwrap_err();
    let past = Submission::default().deadline(Instant::now() - MS);
    let too_late = batcher.submit(ask(2), past).await.unwrap_err();
    for error in [at_once, too_late] {
        assert!(matches!(error.kind(), ErrorKind::Request(RequestError::NoTime)), "{error}");
        assert!(error.is_deadline());
    }
    assert_eq!((batcher.stats().rejected, gate.begun().len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_expires_at_its_deadline_while_the_slot_is_held() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let start = Instant::now();
    let patient = begun(batcher.submit(ask(3), Submission::default())).await;
    let error = batcher.submit(ask(2), within(50 * MS)).await.unwrap_err();
    assert_eq!(waited(&error), Some(start.elapsed()));
    assert!((50 * MS..=51 * MS).contains(&start.elapsed()), "{:?}", start.elapsed());
    let stats = batcher.stats();
    assert_eq!((stats.expired, stats.queued, stats.queued_bytes, stats.in_flight), (1, 1, 10, 1));
    gate.open(2);
    assert_eq!((first.await.unwrap(), patient.await.unwrap()), (10, 30));
    assert_eq!(gate.begun(), [[1], [3]]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_polls_is_not_begun_after_its_deadline() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let late = begun(batcher.submit(ask(2), within(50 * MS))).await;
    let other = begun(batcher.submit(ask(3), Submission::default())).await;
    advance(60 * MS).await;
    gate.open(2);
    gate.wait_begun(2);
    assert_eq!(gate.begun(), [[1], [3]]);
    assert_eq!(batcher.stats().queued, 0);
    assert_eq!(waited(&late.await.unwrap_err()), Some(60 * MS));
    assert_eq!((first.await.unwrap(), other.await.unwrap()), (10, 30));
    assert_eq!(batcher.stats().expired, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_begun_in_time_is_waited_for() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let mut asked = begun(batcher.submit(ask(1), within(50 * MS))).await;
    gate.wait_begun(1);
    let early = tokio::time::timeout(100 * MS, &mut asked).await;
    assert!(early.is_err(), "it ended at the deadline");
    gate.open(1);
    assert_eq!(asked.await.unwrap(), 10);
    assert_eq!((batcher.stats().answered, batcher.stats().expired), (1, 0));
}
