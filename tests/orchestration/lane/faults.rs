//! Jobs that panic, and whose remains do.

use std::panic::resume_unwind;

use consilience::orchestration::lane::{Lane, Priority};
use consilience::{Error, ErrorKind, RequestError};

use super::desk::{assert_adds_up, settled};

fn message(error: &Error) -> &str {
    match error.kind() {
        ErrorKind::Request(RequestError::Panicked { what: "lane", message }) => message,
        _ => panic!("{error}"),
    }
}

/// Panics when it is dropped.
struct Nettle;

impl Drop for Nettle {
    fn drop(&mut self) {
        resume_unwind(Box::new("stung"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_reaches_its_submitter_and_nobody_else() {
    let lane = Lane::io("lane").workers(1..=1).build().unwrap();
    let before = lane.submit(Priority::Normal, async { 1 }).unwrap();
    let future = lane
        .submit(Priority::Normal, async {
            if true {
                panic!("a bad future")
            }
        })
        .unwrap();
    let closure = lane
        .submit_blocking(Priority::Normal, || {
            if true {
                panic!("a bad {}", "closure")
            }
        })
        .unwrap();
    let after = lane.submit(Priority::Normal, async { 2 }).unwrap();
    assert_eq!(before.await.unwrap(), 1);
    assert_eq!(message(&future.await.unwrap_err()), "a bad future");
    assert_eq!(message(&closure.await.unwrap_err()), "a bad closure");
    assert_eq!(after.await.unwrap(), 2);
    let stats = lane.stats();
    assert_eq!((stats.served, stats.panicked), (2, 2));
    assert_adds_up(&stats);
}

#[tokio::test(start_paused = true)]
async fn what_panics_as_it_is_dropped_harms_nobody() {
    let lane = Lane::io("lane").workers(1..=1).build().unwrap();
    let held = lane
        .submit(Priority::Normal, async {
            let _nettle = Nettle;
            std::future::pending::<()>().await;
        })
        .unwrap();
    let nettle = Nettle;
    let waiting = lane.submit(Priority::Normal, async move { drop(nettle) }).unwrap();
    settled().await;
    // One is taken out of the queue, the other is cancelled.
    drop(waiting);
    drop(held);
    settled().await;
    // A result that nobody takes.
    let ticket = lane.submit_blocking(Priority::Normal, || Nettle).unwrap();
    settled().await;
    drop(ticket);
    // At the end of the future, which has its result by then.
    let nettle = Nettle;
    let error = lane.submit(Priority::Normal, async move { [&nettle].len() }).unwrap().await.unwrap_err();
    assert_eq!(message(&error), "stung");
    assert_eq!(lane.submit(Priority::Normal, async { 3 }).unwrap().await.unwrap(), 3);
    assert_adds_up(&lane.stats());
    assert_eq!(lane.stats().running, 0);
}
