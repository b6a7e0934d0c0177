//! Each request ends exactly once, whatever happens.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use consilience::orchestration::Batcher;
use consilience::orchestration::batcher::{Priority, Process, Shutdown, Stats, Submission};
use consilience::{ErrorKind, RequestError, Result};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use tokio::time::{Instant, advance};

use super::gate::{Ask, Gate, answer_to, ask};

/// What happens next.
#[derive(Debug, Clone)]
enum Event {
    Submit { level: usize, caller: u64, bytes: usize, milliseconds: Option<u64> },
    Drop(prop::sample::Index),
    Open,
    Advance(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let submit = (0..4_usize, 0..3_u64, 0..60_usize, prop::option::of(0..40_u64))
        .prop_map(|(level, caller, bytes, milliseconds)| Event::Submit { level, caller, bytes, milliseconds });
    let event = prop_oneof![
        6 => submit,
        2 => any::<prop::sample::Index>().prop_map(Event::Drop),
        2 => Just(Event::Open),
        1 => (1..20_u64).prop_map(Event::Advance),
    ];
    prop::collection::vec(event, 1..120)
}

/// How requests ended, as their callers saw it.
#[derive(Debug, Default)]
struct Seen {
    answered: HashSet<u32>,
    expired: HashSet<u32>,
    cancelled: u64,
    rejected: HashSet<u32>,
}

impl Seen {
    fn end(&mut self, id: u32, outcome: Result<u32>) {
        let new = match outcome {
            Ok(answer) => {
                assert_eq!(answer, answer_to(id));
                self.answered.insert(id)
            }
            Err(error) => match error.kind() {
                ErrorKind::Request(RequestError::Expired { .. }) => self.expired.insert(id),
                ErrorKind::Request(
                    RequestError::NoTime
                    | RequestError::Full { .. }
                    | RequestError::TooLarge { .. }
                    | RequestError::Closed { .. },
                ) => self.rejected.insert(id),
                _ => panic!("{error}"),
            },
        };
        assert!(new, "{id} ended twice");
    }
}

type Pending<'a> = Vec<(u32, Pin<Box<dyn Future<Output = Result<u32>> + 'a>>)>;

fn poll_all(pending: &mut Pending<'_>, seen: &mut Seen) {
    let mut context = Context::from_waker(Waker::noop());
    pending.retain_mut(|(id, future)| match future.as_mut().poll(&mut context) {
        Poll::Ready(outcome) => {
            seen.end(*id, outcome);
            false
        }
        Poll::Pending => true,
    });
}

async fn run(events: Vec<Event>, slots: usize, mode: Shutdown) {
    let gate = Gate::default();
    let builder = gate.batcher().slots(slots).batch_requests(4).batch_bytes(100).queue_requests(12).queue_bytes(200);
    let batcher = builder.build().expect("a batcher");
    let (mut pending, mut seen, mut submitted) = (Pending::new(), Seen::default(), 0);
    for event in events {
        match event {
            Event::Submit { level, caller, bytes, milliseconds } => {
                let deadline = milliseconds.map(|ms| Instant::now() + Duration::from_millis(ms));
                let how = Submission { priority: Priority::ALL[level], deadline, caller };
                pending.push((submitted, Box::pin(batcher.submit(Ask { bytes, ..ask(submitted) }, how))));
                submitted += 1;
            }
            Event::Drop(which) if !pending.is_empty() => {
                poll_all(&mut pending, &mut seen);
                if !pending.is_empty() {
                    drop(pending.swap_remove(which.index(pending.len())));
                    seen.cancelled += 1;
                }
            }
            Event::Drop(_) => {}
            Event::Open => gate.open(1),
            Event::Advance(milliseconds) => advance(Duration::from_millis(milliseconds)).await,
        }
        poll_all(&mut pending, &mut seen);
    }
    gate.open(submitted as usize);
    batcher.shutdown(mode).await;
    poll_all(&mut pending, &mut seen);
    assert_eq!(pending.len(), 0, "requests without an end");

    let begun: Vec<u32> = gate.begun().concat();
    let once: HashSet<u32> = begun.iter().copied().collect();
    assert_eq!(begun.len(), once.len(), "a request was processed twice");
    assert!(seen.answered.is_subset(&once));
    assert!(seen.expired.is_disjoint(&once) && seen.rejected.is_disjoint(&once));
    let ended = (seen.answered.len() + seen.expired.len() + seen.rejected.len()) as u64 + seen.cancelled;
    assert_eq!(ended, u64::from(submitted));
    let Stats { queued, queued_bytes, in_flight, batched, answered, failed, expired, cancelled, rejected, .. } =
        batcher.stats();
    assert_eq!((queued, queued_bytes, in_flight, batched), (0, 0, 0, begun.len() as u64));
    let counts = [seen.answered.len(), 0, seen.expired.len(), seen.cancelled as usize, seen.rejected.len()];
    assert_eq!([answered, failed, expired, cancelled, rejected], counts.map(|count| count as u64));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_request_ends_exactly_once(events in events(), slots in 1..3_usize, drain in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(events, slots, if drain { Shutdown::Drain } else { Shutdown::Reject }));
    }
}

/// Doubles, and keeps what it was given.
#[derive(Default)]
struct Double(Mutex<Vec<u64>>);

impl Process for Double {
    type Input = u64;
    type Output = u64;

    fn bytes(&self, _: &u64) -> usize {
        8
    }

    fn process(&self, inputs: Vec<u64>) -> Vec<Result<u64>> {
        self.0.lock().expect("a lock").extend(&inputs);
        inputs.into_iter().map(|x| Ok(2 * x)).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_at_once_lose_nothing() {
    const CALLERS: u64 = 16;
    const EACH: u64 = 2_000;
    let batcher = Batcher::builder(Double::default()).slots(3).batch_requests(64).build().unwrap();
    let caller = |caller: u64| {
        let batcher = batcher.clone();
        tokio::spawn(async move {
            let mut random = SplitMix64::seed_from_u64(caller);
            let mut answered = 0;
            for i in 0..EACH {
                let how = Submission::new(Priority::ALL[random.random_range(0..4)]).caller(caller);
                let x = caller * EACH + i;
                if random.random_bool(0.2) {
                    // Polled once or twice, then dropped.
                    let asked = batcher.submit(x, how);
                    tokio::select! { biased; answer = asked => { assert_eq!(answer.unwrap(), 2 * x); answered += 1; }, () = tokio::task::yield_now() => {} }
                } else {
                    assert_eq!(batcher.submit(x, how).await.unwrap(), 2 * x);
                    answered += 1;
                }
            }
            answered
        })
    };
    let callers: Vec<_> = (0..CALLERS).map(caller).collect();
    let mut answered = 0;
    for caller in callers {
        answered += caller.await.unwrap();
    }
    batcher.shutdown(Shutdown::Drain).await;
    let stats = batcher.stats();
    assert_eq!((stats.answered, stats.answered + stats.cancelled), (answered, CALLERS * EACH));
    assert_eq!((stats.queued, stats.queued_bytes, stats.in_flight, stats.failed, stats.rejected), (0, 0, 0, 0, 0));
    assert!(stats.batched >= answered && stats.batched <= CALLERS * EACH);
}
