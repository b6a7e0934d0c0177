//! Callers that go away.

use consilience::orchestration::batcher::Submission;

use super::gate::{Gate, ask, begun};

#[tokio::test]
async fn a_request_whose_caller_goes_is_never_processed() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let kept = begun(batcher.submit(ask(2), Submission::default())).await;
    let dropped = begun(batcher.submit(ask(3), Submission::default())).await;
    let last = begun(batcher.submit(ask(4), Submission::default())).await;
    assert_eq!((batcher.stats().queued, batcher.stats().queued_bytes), (3, 30));
    drop(dropped);
    let stats = batcher.stats();
    assert_eq!((stats.queued, stats.queued_bytes, stats.cancelled), (2, 20, 1));
    gate.open(2);
    assert_eq!((first.await.unwrap(), kept.await.unwrap(), last.await.unwrap()), (10, 20, 40));
    assert_eq!(gate.begun(), [vec![1], vec![2, 4]]);
}

#[tokio::test]
async fn the_answer_of_a_caller_who_went_during_the_batch_is_thrown_away() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let dropped = begun(batcher.submit(ask(2), Submission::default())).await;
    let mate = begun(batcher.submit(ask(3), Submission::default())).await;
    gate.open(1);
    gate.wait_begun(2);
    drop(dropped);
    gate.open(1);
    assert_eq!((first.await.unwrap(), mate.await.unwrap()), (10, 30));
    let stats = batcher.stats();
    assert_eq!((stats.answered, stats.cancelled, stats.batched, stats.in_flight), (2, 1, 3, 0));
}

#[tokio::test]
async fn a_caller_who_goes_with_the_answer_unread_counts_as_gone() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let unread = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.open(2);
    // The slot answers the first before it takes the second.
    assert_eq!(batcher.submit(ask(2), Submission::default()).await.unwrap(), 20);
    drop(unread);
    assert_eq!((batcher.stats().answered, batcher.stats().cancelled), (1, 1));
}

#[tokio::test]
async fn a_future_that_is_never_polled_asks_for_nothing() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    drop(batcher.submit(ask(1), Submission::default()));
    assert_eq!(batcher.stats(), Default::default());
    assert!(gate.begun().is_empty());
}
