//! Truth inference on simulated annotations, one core: sorting them, the shares of votes, ten iterations of Dawid and Skene's
//! method with the sorting and without, ten of GLAD's, MACE, and a stream of them taken one by one, beside a copy of the same
//! bytes.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

#[path = "../src/methods/random.rs"]
mod random;
#[expect(dead_code, reason = "here nobody asks what is true")]
mod simulation;

use std::time::Duration;

use consilience::truth::{Annotations, DawidSkene, Glad, Mace, Majority, Online, OnlineOptions, majority};
use consilience::{Device, Engine, EngineOptions};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use crate::simulation::Simulation;

fn truth(c: &mut Criterion) {
    let options = EngineOptions { device: Device::Cpu, threads: Some(1), ..EngineOptions::default() };
    let engine = Engine::open(&options).expect("a CPU engine");
    let method = DawidSkene { max_iterations: 10, tolerance: 0.0, look_every: 10, ..DawidSkene::default() };
    for annotations in [100_000, 1_000_000] {
        let of = Simulation::new(annotations, 7);
        let sorted = || Annotations::new(4, &of.items, &of.sources, &of.labels).expect("valid annotations");
        let mut group = c.benchmark_group(format!("truth/L{annotations}"));
        group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
        group.throughput(Throughput::Elements(annotations as u64));
        group.bench_function("copy", |b| b.iter(|| (of.items.clone(), of.sources.clone(), of.labels.clone())));
        group.bench_function("sort", |b| b.iter(sorted));
        // From nothing, in no order: the time of one is that of the stream by its length.
        group.bench_function("online", |b| {
            b.iter(|| {
                let mut online = Online::new(4, OnlineOptions::default()).expect("valid options");
                for ((&item, &source), &label) in of.items.iter().zip(&of.sources).zip(&of.labels) {
                    online.add(item, source, label).expect("a valid annotation");
                }
                online
            });
        });
        let held = sorted();
        group.bench_function("majority", |b| b.iter(|| majority(&held)));
        group.bench_function("majority-and-skills", |b| b.iter(|| Majority::default().fit(&held).expect("a fit")));
        group.bench_function(BenchmarkId::new("dawid_skene", "with-sort"), |b| {
            b.iter(|| method.fit(&engine, &sorted()).expect("a fit"));
        });
        // What is sorted by cell is kept.
        method.fit(&engine, &held).expect("a fit");
        group.bench_function(BenchmarkId::new("dawid_skene", "sorted"), |b| {
            b.iter(|| method.fit(&engine, &held).expect("a fit"));
        });
        if annotations == 100_000 {
            let glad = Glad { max_iterations: 10, tolerance: 0.0, ..Glad::default() };
            group.bench_function("glad/10", |b| b.iter(|| glad.fit(&held).expect("a fit")));
            group.bench_function("mace/10x50", |b| b.iter(|| Mace::default().fit(&held).expect("a fit")));
        }
        group.finish();
    }
}

criterion_group!(benches, truth);
criterion_main!(benches);
