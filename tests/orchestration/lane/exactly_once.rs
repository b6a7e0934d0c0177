//! Each job ends exactly once, whatever happens, and the counts add up all the while.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use consilience::orchestration::lane::{Lane, Priority, Shutdown, Ticket};
use consilience::{ErrorKind, RequestError, Result};
use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::time::advance;

use super::desk::{Desk, assert_adds_up, settled};
use crate::support::cases::config;

#[derive(Debug, Clone)]
enum Event {
    Submit(usize),
    LetGo(prop::sample::Index, bool),
    Drop(prop::sample::Index),
    Advance(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (0..4_usize).prop_map(Event::Submit),
        3 => (any::<prop::sample::Index>(), prop::bool::weighted(0.8)).prop_map(|(i, good)| Event::LetGo(i, good)),
        2 => any::<prop::sample::Index>().prop_map(Event::Drop),
        2 => (1..400_u64).prop_map(Event::Advance),
    ];
    prop::collection::vec(event, 1..100)
}

/// How jobs ended, as their submitters saw it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    served: u64,
    panicked: u64,
    cancelled: u64,
    rejected: u64,
    refused: u64,
}

impl Seen {
    fn end(&mut self, id: u32, outcome: Result<u32>) {
        match outcome {
            Ok(result) => {
                assert_eq!(result, 10 * id);
                self.served += 1;
            }
            Err(error) => match error.kind() {
                ErrorKind::Request(RequestError::Panicked { what: "lane", message }) => {
                    assert_eq!(*message, format!("job {id} is bad"));
                    self.panicked += 1;
                }
                ErrorKind::Request(RequestError::Closed { what: "lane" }) => self.rejected += 1,
                _ => panic!("{error}"),
            },
        }
    }
}

type Tickets = BTreeMap<u32, Ticket<u32>>;

fn poll_all(tickets: &mut Tickets, seen: &mut Seen) {
    let mut context = Context::from_waker(Waker::noop());
    tickets.retain(|id, ticket| match ticket.poll_unpin(&mut context) {
        Poll::Ready(outcome) => {
            seen.end(*id, outcome);
            false
        }
        Poll::Pending => true,
    });
}

async fn run(events: Vec<Event>, mode: Shutdown) {
    let (desk, mut tickets, mut seen, mut submitted) = (Desk::default(), Tickets::new(), Seen::default(), 0);
    let lane = Lane::io("lane").workers(1..=4).queue(6).build().expect("a lane");
    for event in events {
        match event {
            Event::Submit(level) => {
                match lane.submit(Priority::ALL[level], desk.job(submitted)) {
                    Ok(ticket) => drop(tickets.insert(submitted, ticket)),
                    Err(error) => {
                        assert!(error.retry_after().is_some(), "{error}");
                        seen.refused += 1;
                    }
                }
                submitted += 1;
            }
            Event::LetGo(which, good) if !desk.held().is_empty() => {
                let held = desk.held();
                desk.let_go(held[which.index(held.len())], good).await;
            }
            Event::Drop(which) if !tickets.is_empty() => {
                let ids: Vec<u32> = tickets.keys().copied().collect();
                tickets.remove(&ids[which.index(ids.len())]);
                seen.cancelled += 1;
            }
            Event::LetGo(..) | Event::Drop(_) => {}
            Event::Advance(milliseconds) => advance(Duration::from_millis(milliseconds)).await,
        }
        settled().await;
        poll_all(&mut tickets, &mut seen);
        let stats = lane.stats();
        assert_adds_up(&stats);
        assert_eq!((stats.running, stats.arrived), (desk.held().len(), u64::from(submitted)));
        assert!(stats.running <= 4 && stats.queued.iter().sum::<usize>() <= 6, "{stats:?}");
    }
    let ends = async {
        settled().await;
        while let Some(id) = desk.held().first() {
            desk.let_go(*id, true).await;
        }
    };
    tokio::join!(lane.shutdown(mode), ends);
    poll_all(&mut tickets, &mut seen);
    assert_eq!(tickets.len(), 0, "jobs without an end");
    let mut begun = desk.begun();
    begun.sort_unstable();
    begun.dedup();
    assert_eq!(begun.len(), desk.begun().len(), "a job began twice");
    let stats = lane.stats();
    assert_adds_up(&stats);
    assert_eq!((stats.queued, stats.running), ([0; 4], 0));
    if mode == Shutdown::Drain {
        assert_eq!(stats.rejected, 0);
    }
    let (served, panicked, cancelled) = (stats.served, stats.panicked, stats.cancelled);
    assert_eq!(Seen { served, panicked, cancelled, rejected: stats.rejected, refused: stats.refused }, seen);
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn every_job_ends_exactly_once(events in events(), drain in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(events, if drain { Shutdown::Drain } else { Shutdown::Reject }));
    }
}

/// Futures and closures of many submitters at once, on several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_submitters_at_once_lose_nothing() {
    const SUBMITTERS: u64 = 16;
    const EACH: u64 = 500;
    let lane = Lane::io("lane").workers(3..=8).build().unwrap();
    let submitter = |submitter: u64| {
        let lane = lane.clone();
        tokio::spawn(async move {
            let mut served = 0;
            for i in 0..EACH {
                let (x, priority) = (submitter * EACH + i, Priority::ALL[(i % 4) as usize]);
                let ticket = match i % 3 {
                    0 => lane.submit_blocking(priority, move || 2 * x).unwrap(),
                    _ => lane.submit(priority, async move { 2 * x }).unwrap(),
                };
                if i % 5 == 0 {
                    drop(ticket);
                } else {
                    assert_eq!(ticket.await.unwrap(), 2 * x);
                    served += 1;
                }
            }
            served
        })
    };
    let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
    let mut served = 0;
    for submitter in submitters {
        served += submitter.await.unwrap();
    }
    lane.shutdown(Shutdown::Drain).await;
    let stats = lane.stats();
    assert_adds_up(&stats);
    assert_eq!((stats.arrived, stats.refused + stats.rejected + stats.panicked), (SUBMITTERS * EACH, 0));
    assert!(stats.served >= served && served == SUBMITTERS * EACH * 4 / 5, "{stats:?}");
    assert_eq!((stats.running, stats.queued), (0, [0; 4]));
}
