//! Requests through a batcher, beside a channel to a thread; cases fused alone and in batches.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use consilience::orchestration::batcher::{Batcher, Process, Submission};
use consilience::orchestration::fuse::Case;
use consilience::orchestration::{FusionProcess, Opinion};
use consilience::{Engine, Evidence, Fusion, Result};
use criterion::{BatchSize, Criterion, Throughput};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// Adds one: all the time is the batcher's.
struct Increment;

impl Process for Increment {
    type Input = u64;
    type Output = u64;

    fn bytes(&self, _: &u64) -> usize {
        8
    }

    fn process(&self, inputs: Vec<u64>) -> Vec<Result<u64>> {
        inputs.into_iter().map(|x| Ok(x + 1)).collect()
    }
}

/// Whoever answers requests one by one.
trait Ask: Clone + Send + Sync + 'static {
    fn ask(&self, x: u64, caller: u64) -> impl Future<Output = u64> + Send;
}

impl Ask for Batcher<Increment> {
    async fn ask(&self, x: u64, caller: u64) -> u64 {
        self.submit(x, Submission::default().caller(caller)).await.expect("an answer")
    }
}

/// The baseline: a channel to a thread that answers each request by itself.
#[derive(Clone)]
struct Channel(mpsc::Sender<(u64, oneshot::Sender<u64>)>);

impl Channel {
    fn open() -> Self {
        let (requests, mut desk) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(16_384);
        std::thread::spawn(move || {
            while let Some((x, answer)) = desk.blocking_recv() {
                // Nobody goes away here.
                let _ = answer.send(x + 1);
            }
        });
        Self(requests)
    }
}

impl Ask for Channel {
    async fn ask(&self, x: u64, _: u64) -> u64 {
        let (answer, answered) = oneshot::channel();
        self.0.send((x, answer)).await.expect("a thread");
        answered.await.expect("an answer")
    }
}

/// Nobody is asked: what the runtime and the machine take by themselves.
#[derive(Clone)]
struct Inline;

impl Ask for Inline {
    async fn ask(&self, x: u64, _: u64) -> u64 {
        x + 1
    }
}

/// So many callers, each of whom asks again when it has its answer, until there were so many requests.
async fn closed_loop(ask: impl Ask, callers: u64, requests: u64) {
    let caller = |caller| {
        let ask = ask.clone();
        tokio::spawn(async move {
            for i in 0..requests.div_ceil(callers) {
                assert_eq!(ask.ask(i, caller).await, i + 1);
            }
        })
    };
    let callers: Vec<_> = (0..callers).map(caller).collect();
    for caller in callers {
        caller.await.expect("a caller");
    }
}

pub fn throughput(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let batcher = Batcher::builder(Increment).build().expect("a batcher");
    let channel = Channel::open();
    for callers in [1, 64, 1024] {
        const REQUESTS: u64 = 20_480;
        let mut group = c.benchmark_group(format!("batcher/{callers} callers"));
        group.throughput(Throughput::Elements(REQUESTS)).sample_size(20);
        group.bench_function("channel to a thread", |b| {
            b.iter(|| runtime.block_on(closed_loop(channel.clone(), callers, REQUESTS)));
        });
        group.bench_function("batcher", |b| {
            b.iter(|| runtime.block_on(closed_loop(batcher.clone(), callers, REQUESTS)));
        });
        group.finish();
    }
}

/// How long each of the requests waits that come at an even rate, whether or not the ones before are answered: in a burst
/// each millisecond, which is as finely as the runtime keeps time.
async fn open_loop(ask: impl Ask, rate: u64, time: Duration) -> Vec<Duration> {
    let burst = rate / 1_000;
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = Vec::new();
    for tick in 0..time.as_millis() as u64 {
        let due = ticks.tick().await.into_std();
        for caller in 0..burst {
            let ask = ask.clone();
            asked.push(tokio::spawn(async move {
                assert_eq!(ask.ask(tick, caller).await, tick + 1);
                due.elapsed()
            }));
        }
    }
    let mut latencies = Vec::with_capacity(asked.len());
    for asked in asked {
        latencies.push(asked.await.expect("an answer"));
    }
    latencies.sort_unstable();
    latencies
}

/// Not a benchmark of Criterion's, which knows no latencies under load: printed at 100,000 requests a second.
pub fn latency(_: &mut Criterion) {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    if filter.is_some_and(|filter| !"batcher/latency".contains(&filter)) {
        return;
    }
    const RATE: u64 = 100_000;
    let runtime = Runtime::new().expect("a runtime");
    let batcher = Batcher::builder(Increment).build().expect("a batcher");
    let report = |name: &str, latencies: Vec<Duration>, took: Duration| {
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        let rate = latencies.len() as f64 / took.as_secs_f64();
        let (p50, p95, p99) = (at(0.5), at(0.95), at(0.99));
        println!("batcher/latency/{name}: {rate:.0} requests/s, P50 {p50:?}, P95 {p95:?}, P99 {p99:?}");
    };
    for _ in 0..3 {
        let start = Instant::now();
        let latencies = runtime.block_on(open_loop(Inline, RATE, Duration::from_secs(2)));
        report("nobody asked", latencies, start.elapsed());
        let start = Instant::now();
        let latencies = runtime.block_on(open_loop(Channel::open(), RATE, Duration::from_secs(2)));
        report("channel to a thread", latencies, start.elapsed());
        let start = Instant::now();
        let latencies = runtime.block_on(open_loop(batcher.clone(), RATE, Duration::from_secs(2)));
        report("batcher", latencies, start.elapsed());
    }
    println!("batcher/latency: {:.1} requests a batch", batcher.stats().mean_batch().unwrap_or_default());
}

/// One item of eight sources over ten classes, by the default fusion.
fn eight_by_ten() -> Vec<Vec<f32>> {
    let row = |source: usize| {
        let row: Vec<f32> = (0..10).map(|class| 0.01 + ((source * 10 + class) as f32 * 0.618_034).fract()).collect();
        let total: f32 = row.iter().sum();
        row.into_iter().map(|p| p / total).collect()
    };
    (0..8).map(row).collect()
}

pub fn fusing(c: &mut Criterion) {
    let engine = Arc::new(Engine::cpu().expect("the CPU"));
    let (fusion, rows) = (Arc::new(Fusion::default()), eight_by_ten());
    let planes: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let opinions: Vec<_> = rows.iter().cloned().map(Opinion::Probabilities).map(Some).collect();
    let case = || Case::new(Arc::clone(&fusion), 10, opinions.clone()).expect("valid opinions");
    let process = FusionProcess::new(Arc::clone(&engine));

    let mut group = c.benchmark_group("fuse/8 x 10");
    group.throughput(Throughput::Elements(1));
    group.bench_function("engine, evidence at hand", |b| {
        let evidence = Evidence::probabilities(10, &planes).expect("planes");
        b.iter(|| engine.fuse(&fusion, black_box(&evidence)).expect("a fusion"));
    });
    group.bench_function("opinions copied", |b| b.iter(|| black_box(opinions.clone())));
    group.bench_function("opinions copied and checked", |b| b.iter(|| black_box(case())));
    let one = case();
    group.bench_function("case alone", |b| b.iter(|| process.fuse(black_box(&one)).expect("a fusion")));
    group.finish();

    let mut group = c.benchmark_group("fuse/8 x 10, many cases");
    for batch in [16, 256, 1024] {
        let cases: Vec<_> = (0..batch).map(|_| case()).collect();
        group.throughput(Throughput::Elements(batch));
        group.bench_function(format!("{batch} alone"), |b| {
            b.iter(|| cases.iter().map(|case| process.fuse(case).expect("a fusion")).collect::<Vec<_>>());
        });
        group.bench_function(format!("{batch} in a batch"), |b| {
            b.iter_batched(|| cases.clone(), |cases| process.process(cases), BatchSize::LargeInput);
        });
    }
    group.finish();
}
