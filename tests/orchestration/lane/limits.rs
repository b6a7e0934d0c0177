//! Bounds of a lane, and what is refused beyond them.

use std::sync::mpsc;
use std::thread::available_parallelism;
use std::time::Duration;

use consilience::orchestration::lane::{Builder, Lane, Load, Priority};
use consilience::{ErrorKind, RequestError};
use tokio::time::advance;

use super::desk::{Desk, assert_adds_up, settled};

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_full_lane_says_when_to_come_back() {
    let desk = Desk::default();
    let lane = Lane::io("models").workers(2..=2).queue(1).build().unwrap();
    let submit = |id| lane.submit(Priority::Normal, desk.job(id));
    let tickets: Vec<_> = (0..3).map(|id| submit(id).unwrap()).collect();
    settled().await;
    advance(40 * MS).await;
    // Nothing has ended yet: all that is known is for how long the first has been running.
    let error = submit(3).unwrap_err();
    assert_eq!(error.to_string(), "models is full; try again in 40ms");
    assert_eq!(error.retry_after(), Some(40 * MS));
    desk.let_go(0, true).await;
    assert_eq!(desk.begun(), [0, 1, 2]);
    let waiting = submit(4).unwrap();
    // Each takes 40 ms, and there are two workers.
    assert_eq!(submit(5).unwrap_err().retry_after(), Some(20 * MS));
    let Load { queued, running, workers, room, .. } = lane.load();
    assert_eq!((queued, running, workers, room), (1, 2, 2, 0));
    let stats = lane.stats();
    assert_eq!((stats.arrived, stats.refused, stats.served), (6, 2, 1));
    assert_adds_up(&stats);
    assert_eq!(stats.service.quantile(1.0), Some(40 * MS));
    assert_eq!((stats.wait.quantile(0.0), stats.wait.quantile(1.0)), (Some(Duration::ZERO), Some(40 * MS)));
    drop((tickets, waiting));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_keeps_nothing_waiting_takes_what_begins_at_once() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(2..=2).queue(0).build().unwrap();
    assert_eq!(lane.load().room, 2);
    let tickets: Vec<_> = (0..2).map(|id| lane.submit(Priority::Low, desk.job(id)).unwrap()).collect();
    let error = lane.submit(Priority::Critical, desk.job(2)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Request(RequestError::Full { what: "lane", .. })), "{error}");
    settled().await;
    assert_eq!(desk.begun(), [0, 1]);
    drop(tickets);
}

/// As many threads as there are cores are held, though a hundred workers were asked for.
#[tokio::test]
async fn work_on_the_cpu_is_capped_by_cores() {
    let cores = available_parallelism().unwrap().get();
    let lane = Lane::cpu("cpu").workers(100..=100).build().unwrap();
    assert_eq!(lane.load().workers, cores);
    let (begun, began) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
    let job = |id| {
        let (begun, gate) = (begun.clone(), std::sync::Arc::clone(&gate));
        move || {
            begun.send(id).expect("a listener");
            let _ = gate.lock().expect("a lock").recv();
            id
        }
    };
    let tickets: Vec<_> = (0..cores + 2).map(|id| lane.submit_blocking(Priority::Normal, job(id)).unwrap()).collect();
    let mut held: Vec<usize> = Vec::new();
    for _ in 0..cores {
        // The runtime's one thread hands them over.
        while let Err(mpsc::TryRecvError::Empty) = began.try_recv().map(|id| held.push(id)) {
            tokio::task::yield_now().await;
        }
    }
    let load = lane.load();
    assert_eq!((load.running, load.queued), (cores, 2));
    drop(go);
    for (id, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(ticket.await.unwrap(), id);
    }
}

#[tokio::test]
async fn limits_out_of_range_are_refused() {
    let says = |lane: Builder| lane.build().expect_err("out of range").to_string();
    let io = || Lane::io("lane");
    assert_eq!(says(io().workers(0..=3)), "the fewest workers is 0, it must be in [1, 2^10]");
    assert_eq!(says(io().workers(1..=2000)), "the most workers is 2000, it must be in [1, 2^10]");
    #[expect(clippy::reversed_empty_ranges, reason = "it is what is tested")]
    let reversed = io().workers(5..=3);
    assert_eq!(says(reversed), "the fewest workers is 5, it must be no more than the most");
    assert_eq!(says(io().steps(0, MS)), "the workers that come or go in an interval is 0, it must be in [1, 2^10]");
    assert_eq!(says(io().steps(1, Duration::ZERO)), "the interval is 0, it must be longer than nothing");
    assert_eq!(says(io().ageing(Duration::ZERO)), "the time to rise a level is 0, it must be longer than nothing");
    assert_eq!(says(io().queue(1 << 32)), "the most jobs that wait is 4294967296, it must be at most 2^31");
    assert!(io().ageing(Duration::MAX).steps(1 << 10, Duration::MAX).workers(1..=1 << 10).build().is_ok());
}

#[test]
fn without_a_runtime_there_is_no_lane() {
    let error = Lane::io("lane").build().unwrap_err();
    assert!(error.to_string().starts_with("the runtime of a lane cannot be set up: "), "{error}");
}
