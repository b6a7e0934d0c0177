//! How a lane ends.

use consilience::orchestration::lane::{Lane, Priority, Shutdown, Ticket};
use consilience::{ErrorKind, RequestError, Result};

use super::desk::{Desk, assert_adds_up, settled};

fn is_closed<T>(outcome: Result<T>) -> bool {
    outcome.is_err_and(|error| matches!(error.kind(), ErrorKind::Request(RequestError::Closed { what: "lane" })))
}

fn three(lane: &Lane, desk: &Desk) -> Vec<Ticket<u32>> {
    (0..3).map(|id| lane.submit(Priority::Normal, desk.job(id)).expect("room")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_all() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(1..=1).build().unwrap();
    let tickets = three(&lane, &desk);
    settled().await;
    let closing = tokio::spawn({
        let lane = lane.clone();
        async move { lane.shutdown(Shutdown::Drain).await }
    });
    settled().await;
    assert!(is_closed(lane.submit(Priority::Critical, desk.job(3))));
    for id in 0..3 {
        assert!(!closing.is_finished(), "it did not wait for {id}");
        desk.let_go(id, true).await;
    }
    closing.await.unwrap();
    for (id, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(ticket.await.unwrap(), 10 * id as u32);
    }
    let stats = lane.stats();
    assert_eq!((stats.served, stats.refused, lane.load().room), (3, 1, 0));
    assert_adds_up(&stats);
    // It has ended, and says so at once.
    lane.shutdown(Shutdown::Drain).await;
}

#[tokio::test(start_paused = true)]
async fn a_rejection_waits_for_what_is_under_way() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(1..=1).build().unwrap();
    let mut tickets = three(&lane, &desk);
    settled().await;
    let closing = tokio::spawn({
        let lane = lane.clone();
        async move { lane.shutdown(Shutdown::Reject).await }
    });
    settled().await;
    assert!(is_closed(tickets.pop().unwrap().await));
    assert!(is_closed(tickets.pop().unwrap().await));
    assert!(!closing.is_finished());
    desk.let_go(0, true).await;
    closing.await.unwrap();
    assert_eq!(tickets.pop().unwrap().await.unwrap(), 0);
    assert_eq!((lane.stats().rejected, desk.begun()), (2, vec![0]));
    assert_adds_up(&lane.stats());
}

#[tokio::test(start_paused = true)]
async fn with_its_last_handle_it_ends() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(1..=1).build().unwrap();
    let mut tickets = three(&lane, &desk);
    settled().await;
    drop(lane.clone());
    settled().await;
    assert_eq!(desk.held(), [0]);
    drop(lane);
    assert!(is_closed(tickets.pop().unwrap().await));
    assert!(is_closed(tickets.pop().unwrap().await));
    desk.let_go(0, true).await;
    assert_eq!(tickets.pop().unwrap().await.unwrap(), 0);
}

#[test]
fn a_runtime_that_ends_ends_the_lane() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let desk = Desk::default();
    let (lane, tickets) = runtime.block_on(async {
        let lane = Lane::io("lane").workers(1..=1).build().unwrap();
        let tickets = three(&lane, &desk);
        settled().await;
        (lane, tickets)
    });
    drop(runtime);
    assert_eq!(desk.dropped(), [0]);
    assert!(is_closed(lane.submit(Priority::Normal, async {})));
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    other.block_on(async {
        for ticket in tickets {
            assert!(is_closed(ticket.await));
        }
        lane.shutdown(Shutdown::Drain).await;
    });
    let stats = lane.stats();
    assert_eq!((stats.cancelled, stats.rejected, stats.refused), (1, 2, 1));
    assert_adds_up(&stats);
}
