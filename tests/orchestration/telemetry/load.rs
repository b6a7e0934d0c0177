//! Scrapes under load, beside the counts that the clients keep.

use std::collections::BTreeMap;
use std::ops::AsyncFn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consilience::orchestration::parallel_fusion::Options;
use consilience::orchestration::telemetry::{Ending, Exporter, Label};
use consilience::orchestration::{Cost, Opinion, ParallelFusion, Question, Reply, Source, source};
use consilience::{ErrorKind, RequestError, SourceError};
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::super::engine::engine;
use super::super::faults::quiet_panics;
use super::exposition::Scrape;
use super::{Fate, telemetry};

const CLIENTS: u64 = 40;
const REQUESTS: u64 = 50;
const SOURCES: u64 = 3;

/// What the clients have seen.
#[derive(Debug, Clone, Default, PartialEq)]
struct Tally {
    began: u64,
    ended: BTreeMap<&'static str, u64>,
    fates: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn ended(&self) -> u64 {
        self.ended.values().sum()
    }
}

/// How a client's request ended, and the fates it was told of; no ending where the client gave up.
type Seen = Option<(Ending, Vec<Fate>)>;

/// Clients that each make requests one after the other and write down how each ended, until all are done; whatever
/// `scrape` looks at meanwhile runs every few milliseconds.
async fn load<A>(ask: A, mut scrape: impl FnMut(&Tally)) -> Tally
where
    A: AsyncFn(u64) -> Seen + Clone + 'static,
{
    let tally = Arc::new(Mutex::new(Tally::default()));
    let local = tokio::task::LocalSet::new();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (ask, tally) = (ask.clone(), Arc::clone(&tally));
        clients.spawn_local_on(
            async move {
                for request in 0..REQUESTS {
                    tally.lock().unwrap().began += 1;
                    let seen = ask(client * REQUESTS + request).await;
                    let mut tally = tally.lock().unwrap();
                    let (ending, fates) = seen.unwrap_or((Ending::Cancelled, vec![Fate::Censored; SOURCES as usize]));
                    *tally.ended.entry(ending.name()).or_default() += 1;
                    for fate in fates {
                        *tally.fates.entry(fate.name()).or_default() += 1;
                    }
                }
            },
            &local,
        );
    }
    local
        .run_until(async {
            while tally.lock().unwrap().ended() < CLIENTS * REQUESTS {
                sleep(Duration::from_millis(7)).await;
                scrape(&tally.lock().unwrap());
            }
            clients.join_all().await;
        })
        .await;
    Arc::into_inner(tally).unwrap().into_inner().unwrap()
}

/// How long the request takes all sources, and what a source does then: one request in eight is slower than its client waits
/// for, one call in four fails, and a few panic or say what is no opinion.
fn drawn(number: u64, source: u64) -> (Duration, u32) {
    let mut rng = SplitMix64::seed_from_u64(number);
    let wait = if rng.random_range(0..8) == 0 { 60_000 } else { rng.random_range(1..40) };
    let mut rng = SplitMix64::seed_from_u64(number * SOURCES + source);
    (Duration::from_millis(wait), rng.random_range(0..40))
}

fn source(source: u64) -> Arc<dyn Source<u64>> {
    Arc::new(source::of(format!("source {source}"), move |question: Question<u64>| async move {
        let (wait, does) = drawn(*question.input, source);
        sleep(wait).await;
        match does {
            0..10 => Err(SourceError::failed("out of order")),
            10 => Ok(Opinion::label(7).into()),
            11 => panic!("a test asked for this panic"),
            12 => Ok(Opinion::Abstained.into()),
            _ => Ok(Reply::from(Opinion::label(1)).cost(Cost { tokens_in: 5, ..Cost::CALL })),
        }
    }))
}

/// What a client sees of one request: fates by the reports, or by the causes where nobody answered.
async fn seen(fusion: &ParallelFusion<u64>, number: u64) -> Seen {
    let answer = timeout(Duration::from_millis(50), fusion.ask(number)).await.ok()?;
    let fates = match &answer {
        Ok(outcome) => outcome.reports.iter().map(|report| report.fate).collect(),
        Err(error) => {
            let ErrorKind::Request(RequestError::NothingArrived { causes }) = error.kind() else { panic!("{error}") };
            let fate = |cause: &SourceError| match cause {
                SourceError::Invalid { .. } => Fate::Invalid,
                SourceError::Panicked { .. } => Fate::Panicked,
                SourceError::Abstained => Fate::Abstained,
                _ => Fate::Failed,
            };
            causes.iter().map(|(_, cause)| fate(cause)).collect()
        }
    };
    Some((Ending::of(&answer), fates))
}

fn counts<L: Label>(scrape: &Scrape, metric: &str) -> BTreeMap<&'static str, u64> {
    let series = |label: &L| format!("{metric}{{{}=\"{}\"}}", L::KEY, label.name());
    let count = |label: &L| (label.name(), scrape.count(&series(label)));
    L::ALL.iter().map(count).filter(|(_, count)| *count > 0).collect()
}

/// On one thread nothing happens between the end of a request and its client's note of it, so every scrape is equal.
fn equal(exporter: &Exporter, tally: &Tally) {
    let scrape = Scrape::of(&exporter.render());
    assert_eq!(counts::<Ending>(&scrape, "consilience_requests_total"), tally.ended);
    assert_eq!(counts::<Fate>(&scrape, "consilience_source_calls_total"), tally.fates);
    assert_eq!(scrape.count("consilience_requests_in_flight"), tally.began - tally.ended());
    assert_eq!(scrape.count("consilience_source_calls_in_flight"), SOURCES * (tally.began - tally.ended()));
    assert_eq!(scrape.count("consilience_request_seconds_count"), tally.ended());
    assert_eq!(scrape.count("consilience_source_seconds_count"), SOURCES * tally.ended());
}

#[tokio::test(start_paused = true)]
async fn every_scrape_during_load_equals_what_the_clients_counted() {
    quiet_panics();
    let (exporter, telemetry) = telemetry();
    let options = Options { learning: None, ..Options::parallel_fusion() };
    let fusion = ParallelFusion::new(engine(), 2, (0..SOURCES).map(source).collect(), options).unwrap();
    let fusion = Arc::new(fusion.with_telemetry(Arc::new(telemetry)));
    let mut scrapes = 0;
    let ask = {
        let fusion = Arc::clone(&fusion);
        async move |number| seen(&fusion, number).await
    };
    let tally = load(ask, |tally| {
        equal(&exporter, tally);
        scrapes += 1;
    })
    .await;
    equal(&exporter, &tally);
    assert_eq!((tally.began, tally.ended()), (CLIENTS * REQUESTS, CLIENTS * REQUESTS));
    let tokens = Scrape::of(&exporter.render()).count("consilience_tokens_in_total");
    assert_eq!(tokens, 5 * tally.fates["answered"]);
    // Every ending and fate there can be did occur, and there were scrapes while it ran.
    assert_eq!(tally.ended.keys().copied().collect::<Vec<_>>(), ["answered", "cancelled", "nothing_arrived"]);
    let fates = ["abstained", "answered", "censored", "failed", "invalid", "panicked"];
    assert_eq!(tally.fates.keys().copied().collect::<Vec<_>>(), fates);
    assert!(scrapes > 50, "{scrapes}");
}

#[test]
fn counts_of_many_threads_add_up() {
    let (exporter, telemetry) = telemetry();
    let (threads, each) = (4_u64, 5000_u64);
    let last = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..each {
                        let request = telemetry.begin();
                        request.ask("a").finish(Fate::Answered);
                        request.finish(Ending::Answered);
                    }
                })
            })
            .collect();
        // While they run, the count never falls and never exceeds what they do.
        let mut last = 0;
        while !workers.iter().all(|worker| worker.is_finished()) {
            let scrape = Scrape::of(&exporter.render());
            let requests = scrape.count("consilience_requests_total{ending=\"answered\"}");
            assert!((last..=threads * each).contains(&requests), "{last}, then {requests}");
            last = requests;
        }
        last
    });
    let scrape = Scrape::of(&exporter.render());
    assert!(last <= threads * each);
    assert_eq!(scrape.count("consilience_requests_total{ending=\"answered\"}"), threads * each);
    assert_eq!(scrape.count("consilience_source_calls_total{fate=\"answered\"}"), threads * each);
    assert_eq!(scrape.count("consilience_request_seconds_count"), threads * each);
    assert_eq!(scrape.count("consilience_request_seconds_bucket{le=\"+Inf\"}"), threads * each);
    assert_eq!(scrape.count("consilience_requests_in_flight"), 0);
}
