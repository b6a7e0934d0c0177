//! What a lane takes for a job, beside a task and a thread for it alone.

use std::hint::black_box;

use consilience::orchestration::lane::{Lane, Priority};
use criterion::{Criterion, Throughput};
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;

const JOBS: u64 = 4096;

pub fn overhead(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let lane =
        runtime.block_on(async { Lane::io("lane").workers(2..=2).queue(JOBS as usize).build().expect("a lane") });

    let mut group = c.benchmark_group("lane/one job at a time");
    group.throughput(Throughput::Elements(1));
    group.bench_function("task", |b| {
        b.iter(|| runtime.block_on(async { tokio::spawn(async { black_box(1) }).await.expect("a result") }));
    });
    group.bench_function("lane", |b| {
        let job = || lane.submit(Priority::Normal, async { black_box(1) }).expect("room");
        b.iter(|| runtime.block_on(async { job().await.expect("a result") }));
    });
    group.bench_function("thread for code that blocks", |b| {
        b.iter(|| runtime.block_on(async { spawn_blocking(|| black_box(1)).await.expect("a result") }));
    });
    group.bench_function("lane, closure", |b| {
        let job = || lane.submit_blocking(Priority::Normal, || black_box(1)).expect("room");
        b.iter(|| runtime.block_on(async { job().await.expect("a result") }));
    });
    group.finish();

    let mut group = c.benchmark_group(format!("lane/{JOBS} jobs at once"));
    group.throughput(Throughput::Elements(JOBS)).sample_size(20);
    group.bench_function("tasks", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let jobs: Vec<_> = (0..JOBS).map(|i| tokio::spawn(async move { black_box(i) })).collect();
                for job in jobs {
                    job.await.expect("a result");
                }
            });
        });
    });
    group.bench_function("lane", |b| {
        let job = |i: u64| lane.submit(Priority::ALL[(i % 4) as usize], async move { black_box(i) }).expect("room");
        b.iter(|| {
            runtime.block_on(async {
                let jobs: Vec<_> = (0..JOBS).map(job).collect();
                for job in jobs {
                    job.await.expect("a result");
                }
            });
        });
    });
    group.finish();
}
