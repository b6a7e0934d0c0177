//! From call to return, from 1 KB to 1 GB of evidence (N = 8, C = 10): CPU on one core and on all, GPU with and without
//! the transfer, beside a copy of the same bytes; and, with the feature `candle`, beside the same fusion composed of
//! candle-core tensor operations at B = 1M.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a benchmark that cannot run ends")]

#[cfg(feature = "candle")]
mod composed;
mod workload;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

use crate::workload::{Workload, bench_call, bench_copy, bench_resident, cpu, fusions, gpu};

fn sizes(c: &mut Criterion) {
    let (one_core, all_cores, gpu) = (cpu(Some(1)), cpu(None), gpu());
    let picked = fusions().into_iter().filter(|(name, _)| ["log_pool", "ensemble+dce"].contains(name));
    let picked: Vec<_> = picked.collect();
    for (bytes, size) in [(1 << 10, "1KB"), (32 << 10, "32KB"), (1 << 20, "1MB"), (32 << 20, "32MB"), (1 << 30, "1GB")]
    {
        let workload = Workload::of_bytes(bytes, 8, 10);
        let mut group = c.benchmark_group(format!("sizes/{size}"));
        group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        bench_copy(&mut group, &workload, "host");
        for (name, fusion) in &picked {
            bench_call(&mut group, BenchmarkId::new(*name, "cpu-1"), &one_core, fusion, &workload);
            bench_call(&mut group, BenchmarkId::new(*name, "cpu-all"), &all_cores, fusion, &workload);
            if let Some((engine, device)) = &gpu {
                let id = |what| BenchmarkId::new(*name, format!("{device}-{what}"));
                bench_call(&mut group, id("transfer"), engine, fusion, &workload);
                bench_resident(&mut group, id("resident"), engine, fusion, &workload);
            }
        }
        group.finish();
    }
}

/// The reference case: N = 8, B = 1M, C = 10, one core.
fn reference(c: &mut Criterion) {
    let one_core = cpu(Some(1));
    let workload = Workload::of_items(1_000_000, 8, 10);
    let mut group = c.benchmark_group("reference");
    group.sample_size(15).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    bench_copy(&mut group, &workload, "host");
    for (name, fusion) in fusions() {
        bench_call(&mut group, BenchmarkId::new(name, "cpu-1"), &one_core, &fusion, &workload);
    }
    let all_cores = cpu(None);
    for (name, fusion) in fusions() {
        bench_call(&mut group, BenchmarkId::new(name, "cpu-all"), &all_cores, &fusion, &workload);
    }
    #[cfg(feature = "candle")]
    composed::bench(&mut group, &workload);
    group.finish();
}

criterion_group!(benches, reference, sizes);
criterion_main!(benches);
