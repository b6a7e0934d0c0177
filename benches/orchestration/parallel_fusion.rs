//! One request to eight sources that answer at once: what is measured is all that stands between them and the answer.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::parallel_fusion::Options;
use consilience::orchestration::{Opinion, ParallelFusion, Question, Reply, Source, Stop, source};
use consilience::{Engine, Evidence, Fusion, Rule, SourceError};
use criterion::Criterion;
use criterion::async_executor::AsyncExecutor;
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

const SOURCES: usize = 8;
const CLASSES: usize = 10;

/// The opinion of a source: most on one class.
fn opinion(source: usize) -> Vec<f32> {
    let most = 0.5 + 0.04 * source as f32;
    (0..CLASSES).map(|class| if class == source % 3 { most } else { (1.0 - most) / (CLASSES - 1) as f32 }).collect()
}

fn sources() -> Vec<Arc<dyn Source<str>>> {
    let of = |n: usize| -> Arc<dyn Source<str>> {
        let answer =
            move |_: Question<str>| async move { Ok::<Reply, SourceError>(Opinion::Probabilities(opinion(n)).into()) };
        Arc::new(source::of(format!("source {n}"), answer))
    };
    (0..SOURCES).map(of).collect()
}

pub fn benches(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let engine = Arc::new(Engine::cpu().expect("a CPU engine"));
    let mut group = c.benchmark_group("parallel_fusion");

    let rows: Vec<Vec<f32>> = (0..SOURCES).map(opinion).collect();
    let planes: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    for (name, fusion) in [("linear", Fusion::new(Rule::Linear)), ("ensemble", Fusion::default())] {
        group.bench_function(format!("engine alone/{name}"), |b| {
            b.iter(|| engine.fuse(&fusion, &Evidence::probabilities(CLASSES, &planes).expect("evidence")));
        });
    }
    let asked = sources();
    group.bench_function("calls alone", |b| {
        b.to_async(On(&runtime)).iter(|| async {
            let input: Arc<str> = Arc::from("?");
            let deadline = Instant::now() + Duration::from_secs(5);
            join_all(asked.iter().map(|source| source.ask(Question::new(Arc::clone(&input), CLASSES, deadline)))).await
        });
    });
    let fixed = || Options { learning: None, ..Options::parallel_fusion() };
    for (name, options) in [
        ("linear", fixed().fusion(Fusion::new(Rule::Linear))),
        ("ensemble", fixed()),
        ("ensemble, learning", Options::parallel_fusion()),
        ("vote, locked", fixed().fusion(Fusion::new(Rule::Vote)).stop(Stop::LOCKED)),
        ("low latency", Options::low_latency()),
    ] {
        let fusion = ParallelFusion::new(Arc::clone(&engine), CLASSES, sources(), options).expect("a fusion");
        group.bench_function(name, |b| b.to_async(On(&runtime)).iter(|| fusion.ask("?")));
    }
    group.finish();
}

/// The n-th of eight sources answers after 5 (n + 1) ms: how long a request takes beside the slowest source it needs.
pub fn wall_time(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let engine = Arc::new(Engine::cpu().expect("a CPU engine"));
    let of = |n: u64| -> Arc<dyn Source<str>> {
        Arc::new(source::of(format!("source {n}"), move |_: Question<str>| async move {
            sleep(Duration::from_millis(5 * (n + 1))).await;
            Ok::<Reply, SourceError>(Opinion::label(3).into())
        }))
    };
    let sources = || (0..SOURCES as u64).map(of).collect::<Vec<_>>();
    let mut group = c.benchmark_group("parallel_fusion/wall time");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    for (needed, stop) in [(SOURCES, Stop::default()), (5, Stop::LOCKED)] {
        let slowest = &sources()[needed - 1];
        group.bench_function(format!("the slowest of {needed} alone"), |b| {
            b.to_async(On(&runtime)).iter(|| {
                let deadline = Instant::now() + Duration::from_secs(5);
                slowest.ask(Question::new(Arc::from("?"), CLASSES, deadline))
            });
        });
        let options = Options { learning: None, ..Options::parallel_fusion() };
        let options = options.fusion(Fusion::new(Rule::Vote)).stop(stop);
        let fusion = ParallelFusion::new(Arc::clone(&engine), CLASSES, sources(), options).expect("a fusion");
        group.bench_function(format!("eight, {needed} needed"), |b| b.to_async(On(&runtime)).iter(|| fusion.ask("?")));
    }
    group.finish();
}

/// A runtime as Criterion takes one.
struct On<'a>(&'a Runtime);

impl AsyncExecutor for On<'_> {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}
