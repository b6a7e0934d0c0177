//! In which order jobs are done.

use std::time::Duration;

use consilience::orchestration::lane::{Lane, Priority};
use proptest::prelude::*;
use tokio::time::advance;

use super::desk::{Desk, settled};
use crate::support::cases::config;

const AGEING: u64 = 100;

#[derive(Debug, Clone)]
enum Event {
    Submit(usize),
    LetGo(prop::sample::Index),
    Advance(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        5 => (0..4_usize).prop_map(Event::Submit),
        3 => any::<prop::sample::Index>().prop_map(Event::LetGo),
        2 => (1..150_u64).prop_map(Event::Advance),
    ];
    prop::collection::vec(event, 1..80)
}

/// The queue as it is described, in milliseconds.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    /// Number, level and time of arrival.
    waiting: Vec<(u32, usize, u64)>,
    running: Vec<u32>,
    begun: Vec<u32>,
}

impl Model {
    fn fill(&mut self, workers: usize) {
        while self.running.len() < workers && !self.waiting.is_empty() {
            let level = |&(id, level, since): &(u32, usize, u64)| {
                let risen = ((self.now - since) / AGEING) as usize;
                (level.saturating_sub(risen), id)
            };
            let next = (0..self.waiting.len()).min_by_key(|&i| level(&self.waiting[i])).expect("one");
            let (id, ..) = self.waiting.remove(next);
            self.running.push(id);
            self.begun.push(id);
        }
        self.running.sort_unstable();
    }
}

async fn run(events: Vec<Event>, workers: usize) {
    let (desk, mut model, mut tickets) = (Desk::default(), Model::default(), Vec::new());
    let lane =
        Lane::io("lane").workers(workers..=workers).ageing(Duration::from_millis(AGEING)).build().expect("a lane");
    for event in events {
        match event {
            Event::Submit(level) => {
                let id = tickets.len() as u32;
                tickets.push(lane.submit(Priority::ALL[level], desk.job(id)).expect("room"));
                model.waiting.push((id, level, model.now));
            }
            Event::LetGo(which) if !model.running.is_empty() => {
                let id = model.running.remove(which.index(model.running.len()));
                desk.let_go(id, true).await;
            }
            Event::LetGo(_) => {}
            Event::Advance(milliseconds) => {
                advance(Duration::from_millis(milliseconds)).await;
                model.now += milliseconds;
            }
        }
        settled().await;
        model.fill(workers);
        assert_eq!(desk.begun(), model.begun);
        assert_eq!(desk.held(), model.running);
        let mut queued = [0; 4];
        model.waiting.iter().for_each(|(_, level, _)| queued[*level] += 1);
        assert_eq!(lane.stats().queued, queued);
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn jobs_are_done_in_the_order_of_the_model(events in events(), workers in 1..4_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(events, workers));
    }
}

/// Urgent jobs without end: a low one is behind none that came after its third rise.
#[tokio::test(start_paused = true)]
async fn nobody_starves() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(1..=1).ageing(Duration::from_millis(AGEING)).build().unwrap();
    let mut tickets = vec![lane.submit(Priority::Critical, desk.job(0)).unwrap()];
    tickets.push(lane.submit(Priority::Low, desk.job(1)).unwrap());
    for id in 2..=40 {
        tickets.push(lane.submit(Priority::Critical, desk.job(id)).unwrap());
        settled().await;
        let current = desk.held()[0];
        advance(Duration::from_millis(10)).await;
        desk.let_go(current, true).await;
    }
    // One each 10 ms: those begun before 300 ms had passed.
    assert_eq!(desk.begun().iter().position(|&id| id == 1), Some(30));
}
