//! Submitters that go away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use consilience::orchestration::lane::{Lane, Priority, Shutdown};
use tokio::time::timeout;

use super::desk::{Desk, assert_adds_up, settled};

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_never_begins() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(1..=1).build().unwrap();
    let submit = |id| lane.submit(Priority::Normal, desk.job(id)).unwrap();
    let (first, dropped, last) = (submit(0), submit(1), submit(2));
    settled().await;
    drop(dropped);
    assert_eq!((lane.stats().queued, lane.stats().cancelled), ([0, 0, 1, 0], 1));
    desk.let_go(0, true).await;
    desk.let_go(2, true).await;
    assert_eq!((first.await.unwrap(), last.await.unwrap()), (0, 20));
    assert_eq!(desk.begun(), [0, 2]);
    assert_adds_up(&lane.stats());
}

#[tokio::test(start_paused = true)]
async fn a_future_under_way_is_dropped_and_its_worker_goes_on() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(1..=1).build().unwrap();
    let (first, next) = (lane.submit(Priority::Normal, desk.job(0)).unwrap(), lane.submit(Priority::Low, desk.job(1)));
    settled().await;
    // As a request's deadline does it.
    assert!(timeout(Duration::from_millis(5), first).await.is_err());
    settled().await;
    assert_eq!((desk.dropped(), desk.held()), (vec![0], vec![1]));
    desk.let_go(1, true).await;
    assert_eq!(next.unwrap().await.unwrap(), 10);
    let stats = lane.stats();
    assert_eq!((stats.served, stats.cancelled), (1, 1));
    assert_adds_up(&stats);
}

#[tokio::test]
async fn a_closure_that_has_begun_keeps_its_place_until_it_is_over() {
    let lane = Lane::cpu("lane").workers(1..=1).build().unwrap();
    let (begun, began) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let finished = Arc::new(AtomicBool::new(false));
    let sets = Arc::clone(&finished);
    let held = lane
        .submit_blocking(Priority::Normal, move || {
            begun.send(()).expect("a listener");
            let _ = gate.recv();
            sets.store(true, Ordering::SeqCst);
        })
        .unwrap();
    let next = lane.submit_blocking(Priority::Normal, || 7).unwrap();
    while began.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    drop(held);
    settled().await;
    assert_eq!((lane.load().running, lane.load().queued), (1, 1));
    go.send(()).unwrap();
    assert_eq!(next.await.unwrap(), 7);
    assert!(finished.load(Ordering::SeqCst));
    lane.shutdown(Shutdown::Drain).await;
    assert_adds_up(&lane.stats());
    assert_eq!((lane.stats().served, lane.stats().cancelled), (2, 0));
}

/// A thread is found for it only after nobody waits for it any more.
#[test]
fn a_closure_that_no_thread_has_taken_never_begins() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let lane = Lane::io("lane").workers(1..=1).build().unwrap();
        let (go, gate) = mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || gate.recv());
        let begun = Arc::new(AtomicBool::new(false));
        let sets = Arc::clone(&begun);
        let ticket = lane.submit_blocking(Priority::Normal, move || sets.store(true, Ordering::SeqCst)).unwrap();
        settled().await;
        assert_eq!(lane.load().running, 1);
        drop(ticket);
        go.send(()).unwrap();
        busy.await.unwrap().unwrap();
        lane.shutdown(Shutdown::Drain).await;
        assert!(!begun.load(Ordering::SeqCst));
        assert_eq!((lane.stats().cancelled, lane.stats().served), (1, 0));
    });
}
