//! The end of a batcher.

use std::sync::mpsc;
use std::time::Duration;

use consilience::orchestration::Batcher;
use consilience::orchestration::batcher::{Process, Shutdown, Submission};
use consilience::{Error, ErrorKind, RequestError, Result};

use super::gate::{Gate, ask, begun};

/// Which batcher was closed.
fn closed(error: &Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::Request(RequestError::Closed { what }) => Some(what),
        _ => None,
    }
}

#[tokio::test]
async fn a_drain_answers_what_waits_and_takes_no_more() {
    let gate = Gate::default();
    let batcher = gate.batcher().batch_requests(1).build().unwrap();
    let ask = |id| batcher.submit(ask(id), Submission::default());
    let first = begun(ask(1)).await;
    gate.wait_begun(1);
    let (second, third) = (begun(ask(2)).await, begun(ask(3)).await);
    let end = begun(batcher.shutdown(Shutdown::Drain)).await;
    assert_eq!(closed(&ask(4).await.unwrap_err()), Some("gate"));
    gate.open(3);
    end.await;
    // Everything was answered before the end.
    assert_eq!((batcher.stats().batched, batcher.stats().queued, batcher.stats().in_flight), (3, 0, 0));
    assert_eq!((first.await.unwrap(), second.await.unwrap(), third.await.unwrap()), (10, 20, 30));
    batcher.shutdown(Shutdown::Drain).await;
    assert_eq!((batcher.stats().answered, batcher.stats().rejected), (3, 1));
}

#[tokio::test]
async fn a_rejection_tells_what_waits_and_finishes_what_has_begun() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let second = begun(batcher.submit(ask(2), Submission::default())).await;
    let end = begun(batcher.shutdown(Shutdown::Reject)).await;
    assert_eq!(closed(&second.await.unwrap_err()), Some("gate"));
    assert_eq!(closed(&batcher.submit(ask(3), Submission::default()).await.unwrap_err()), Some("gate"));
    gate.open(1);
    end.await;
    assert_eq!(first.await.unwrap(), 10);
    assert_eq!(gate.begun(), [[1]]);
    assert_eq!((batcher.stats().answered, batcher.stats().rejected), (1, 2));
}

#[tokio::test]
async fn a_drain_may_be_turned_into_a_rejection() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let second = begun(batcher.submit(ask(2), Submission::default())).await;
    let drain = begun(batcher.shutdown(Shutdown::Drain)).await;
    let rejection = begun(batcher.shutdown(Shutdown::Reject)).await;
    assert_eq!(closed(&second.await.unwrap_err()), Some("gate"));
    gate.open(1);
    tokio::join!(drain, rejection);
    assert_eq!(first.await.unwrap(), 10);
}

/// Says when it is dropped, which is when no handle and no thread holds it any more.
struct Watched(mpsc::Sender<()>);

impl Process for Watched {
    type Input = ();
    type Output = ();

    fn bytes(&self, (): &()) -> usize {
        0
    }

    fn process(&self, inputs: Vec<()>) -> Vec<Result<()>> {
        inputs.into_iter().map(Ok).collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn no_thread_is_left_when_the_last_handle_goes() {
    let (dropped, watch) = mpsc::channel();
    let batcher = Batcher::builder(Watched(dropped)).slots(3).build().unwrap();
    let handle = batcher.clone();
    drop(batcher);
    handle.submit((), Submission::default()).await.unwrap();
    assert!(watch.try_recv().is_err());
    drop(handle);
    watch.recv_timeout(Duration::from_secs(20)).unwrap();
}

#[tokio::test]
async fn no_thread_is_left_after_a_shutdown() {
    let (dropped, watch) = mpsc::channel();
    let batcher = Batcher::builder(Watched(dropped)).slots(3).build().unwrap();
    batcher.submit((), Submission::default()).await.unwrap();
    batcher.shutdown(Shutdown::Drain).await;
    // The threads have been joined: the handle is the last to hold it.
    drop(batcher);
    watch.try_recv().unwrap();
}
