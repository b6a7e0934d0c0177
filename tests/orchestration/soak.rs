//! A service under random faults, hang-ups and restarts: every request ends once, nothing is left running, and memory stays
//! where it is. `CONSILIENCE_SOAK_SECONDS=600` makes it last ten minutes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use consilience::orchestration::batcher::Shutdown;
use consilience::orchestration::ledger::{self, Ledger, Query, Recorder};
use consilience::orchestration::parallel_fusion;
use consilience::orchestration::router::{self, Group, Strategy};
use consilience::orchestration::service::{Options, Recorded};
use consilience::orchestration::{Opinion, Question, Reply, Router, Service, Source, Stop, source};
use consilience::{ErrorKind, RequestError, SourceError};
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::engine::engine;
use super::faults::quiet_panics;

const CLIENTS: u64 = 32;

/// Calls of sources that have not ended, whichever way.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

struct Running;

impl Running {
    fn new() -> Self {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How the requests of all clients ended.
#[derive(Default)]
struct Ends {
    made: AtomicU64,
    answered: AtomicU64,
    recorded: AtomicU64,
    /// Answered before the disk was: on record or not.
    late: AtomicU64,
    nothing_arrived: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
}

/// A source that takes up to 8 ms and then does one thing or another.
fn faulty(name: String, seed: u64) -> Arc<dyn Source<u64>> {
    Arc::new(source::of(name, move |question: Question<u64>| async move {
        let _running = Running::new();
        let mut random = SplitMix64::seed_from_u64(question.input.wrapping_mul(31).wrapping_add(seed));
        sleep(Duration::from_micros(random.random_range(0..8_000))).await;
        match random.random_range(0..100) {
            0..10 => Err(SourceError::failed("out of order")),
            10..12 => panic!("a test asked for this panic"),
            12..15 => Ok(Opinion::Probabilities(vec![f32::NAN; 3]).into()),
            15..20 => Ok(Opinion::Abstained.into()),
            20..23 => std::future::pending().await,
            _ => {
                let p = random.random_range(0.0_f32..1.0);
                Ok(Reply::from(Opinion::Binary(p)).content("words that take memory"))
            }
        }
    }))
}

fn service(router: Option<Router>, recorder: Arc<Recorder>) -> Service<u64> {
    let group = |name: &str| (0..3).map(|n| faulty(format!("{name} {n}"), n)).collect();
    let fusion =
        parallel_fusion::Options::low_latency().deadline(Duration::from_millis(30)).stop(Stop::LOCKED.or_at(0.95, 2));
    let options = Options {
        fusion,
        router: router::Options { strategy: Strategy::Adaptive, ..router::Options::default() },
        most_at_once: 28,
        ..Options::default()
    };
    let complexity = |_: &u64| router::Complexity::default();
    let builder = Service::builder_by(engine(), 2, complexity)
        .options(options)
        .group(Group::ai("model"), group("model"))
        .group(Group::runtime("table"), group("table"))
        .recorder(recorder);
    match router {
        Some(router) => builder.router(router),
        None => builder,
    }
    .build()
    .unwrap()
}

/// Makes requests until the time is over.
async fn client(number: u64, current: Arc<RwLock<Arc<Service<u64>>>>, ends: Arc<Ends>, until: Instant) {
    let mut random = SplitMix64::seed_from_u64(number);
    while Instant::now() < until {
        let service = Arc::clone(&current.read().unwrap());
        ends.made.fetch_add(1, Ordering::SeqCst);
        let patience = Duration::from_micros(random.random_range(500..60_000));
        let answer = timeout(patience, service.ask(random.random::<u64>())).await;
        let end = match &answer {
            Err(_) => &ends.dropped,
            Ok(Ok(answer)) => {
                match &answer.recorded {
                    Recorded::As(_) => ends.recorded.fetch_add(1, Ordering::SeqCst),
                    Recorded::Late => ends.late.fetch_add(1, Ordering::SeqCst),
                    Recorded::Below => 0,
                    other => panic!("{other:?}"),
                };
                service.learn(answer, u32::from(random.random::<bool>())).unwrap();
                &ends.answered
            }
            Ok(Err(error)) => match error.kind() {
                // Where the machine is so busy that the time is over before anybody could be asked, that is what it says.
                ErrorKind::Request(RequestError::NothingArrived { .. } | RequestError::NoTime) => &ends.nothing_arrived,
                ErrorKind::Request(RequestError::Full { .. } | RequestError::Closed { .. }) => &ends.refused,
                _ => panic!("{error}"),
            },
        };
        end.fetch_add(1, Ordering::SeqCst);
        if matches!(answer, Ok(Err(_))) {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Bytes of this process in memory, where the system says.
fn resident_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_ends_once_and_nothing_is_left() {
    quiet_panics();
    let seconds = std::env::var("CONSILIENCE_SOAK_SECONDS").ok().map_or(6, |text| text.parse().expect("seconds"));
    let directory = tempfile::tempdir().unwrap();
    // A cache that is full within the first third, however long this lasts.
    let options = ledger::Options { cache_bytes: 1 << 20, ..ledger::Options::default() };
    let ledger = Arc::new(Ledger::open(directory.path().join("soak.redb"), options).unwrap());
    let recorder = || Arc::new(Recorder::start(Arc::clone(&ledger)).unwrap());
    let current = Arc::new(RwLock::new(Arc::new(service(None, recorder()))));
    let ends = Arc::new(Ends::default());
    let tasks_before = Handle::current().metrics().num_alive_tasks();
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(number, Arc::clone(&current), Arc::clone(&ends), until));
    }

    let mut counted = [0; 5];
    let mut count = |service: &Service<u64>| {
        let stats = service.stats();
        assert_eq!(stats.under_way, 0);
        let more = [stats.answered, stats.failed, stats.dropped, stats.refused, 1];
        counted.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    };
    let mut memory = Vec::new();
    while Instant::now() < until {
        sleep(Duration::from_millis(500)).await;
        // A restart: those inside are drained or sent away, and what was learned goes on.
        let old = Arc::clone(&current.read().unwrap());
        let next = Arc::new(service(Some(old.router()), recorder()));
        *current.write().unwrap() = next;
        old.shutdown(if memory.len() % 2 == 0 { Shutdown::Drain } else { Shutdown::Reject }).await;
        // Whoever took the old one before it was replaced comes a little later; none is inside any more.
        sleep(Duration::from_millis(20)).await;
        count(&old);
        memory.push(resident_bytes());
    }
    clients.join_all().await;
    let last = Arc::clone(&current.read().unwrap());
    last.shutdown(Shutdown::Drain).await;
    count(&last);

    let of = |end: &AtomicU64| end.load(Ordering::SeqCst);
    let [answered, failed, dropped, refused, restarts] = counted;
    let said = format!(
        "{} made: {} answered ({} recorded), {} without an opinion, {} refused, {} dropped; {restarts} services",
        of(&ends.made),
        of(&ends.answered),
        of(&ends.recorded),
        of(&ends.nothing_arrived),
        of(&ends.refused),
        of(&ends.dropped)
    );
    let ended = [&ends.answered, &ends.nothing_arrived, &ends.refused, &ends.dropped].map(of);
    assert_eq!(ended.iter().sum::<u64>(), of(&ends.made), "{said}");
    assert!(ended.iter().all(|&count| count > 0), "{said}");
    // The services' own counts add up to the same. A request sent away failed there and was refused here.
    assert_eq!(answered + failed + dropped + refused, of(&ends.made), "{said}");
    assert_eq!((answered, dropped), (of(&ends.answered), of(&ends.dropped)), "{said}");
    // A client that left while its answer was being written may have left it on record.
    let kept = ledger.query(&Query::default()).unwrap().count() as u64;
    let unsure = of(&ends.late) + of(&ends.dropped) + failed;
    assert!((of(&ends.recorded)..=of(&ends.recorded) + unsure).contains(&kept), "{kept}: {said}");

    assert_eq!(RUNNING.load(Ordering::SeqCst), 0, "calls are left running");
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks_before, "tasks are left running");
    // Between the first third and the end: less than a leak of a kilobyte in a hundred requests would be.
    let memory: Option<Vec<u64>> = memory.into_iter().collect();
    if let Some(memory) = memory {
        let (early, late) = (memory[memory.len() / 3], memory[memory.len() - 1]);
        let allowed = (24 << 20) + of(&ends.made) * 10;
        println!("{said}; {early} bytes in memory at a third of the time, {late} at the end");
        assert!(late <= early + allowed, "{memory:?}");
    }
    assert!(of(&ends.made) > 200 * seconds, "{said}");
}
