//! Every rule at C in {2, 10, 100, 1000} and N in {2, 8, 32} on 32 MB of evidence, one core, beside a copy of the same
//! bytes; and the same kernels on the GPU's own clock, beside a copy on the device.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a benchmark that cannot run ends")]

mod workload;

use std::time::Duration;

use consilience::{Device, EngineOptions};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use crate::workload::{Workload, bench_call, bench_copy, bench_resident, cpu, fusions, gpu, gpu_with};

fn rules(c: &mut Criterion) {
    let one_core = cpu(Some(1));
    let gpu = gpu();
    for classes in [2, 10, 100, 1000] {
        for sources in [2, 8, 32] {
            let workload = Workload::of_bytes(32 << 20, sources, classes);
            let shape = format!("N{sources}-C{classes}");
            let mut group = c.benchmark_group(format!("rules/{shape}"));
            group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
            bench_copy(&mut group, &workload, "host");
            for (name, fusion) in fusions() {
                bench_call(&mut group, BenchmarkId::new(name, "cpu-1"), &one_core, &fusion, &workload);
            }
            if let Some((engine, device)) = &gpu {
                if let Ok(Some(_)) = engine.copy_time(workload.bytes()) {
                    group.throughput(Throughput::Bytes(workload.bytes()));
                    group.bench_function(BenchmarkId::new("copy", device), |b| {
                        let copy = |_| engine.copy_time(workload.bytes()).ok().flatten();
                        b.iter_custom(|iterations| (0..iterations).filter_map(copy).sum::<Duration>());
                    });
                }
                for (name, fusion) in fusions() {
                    let id = BenchmarkId::new(name, format!("{device}-resident"));
                    bench_resident(&mut group, id, engine, &fusion, &workload);
                }
            }
            group.finish();
        }
    }
}

/// The kernel for many classes with its sums by subgroups and by trees.
fn sums(c: &mut Criterion) {
    let ways = [(true, "subgroups"), (false, "trees")].map(|(by_subgroups, name)| {
        let options = EngineOptions { device: Device::Gpu, subgroups: Some(by_subgroups), ..EngineOptions::default() };
        (gpu_with(&options), name)
    });
    let workload = Workload::of_bytes(32 << 20, 8, 1000);
    let mut group = c.benchmark_group("sums/N8-C1000");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (rule, fusion) in fusions() {
        for (gpu, name) in &ways {
            let Some((engine, device)) = gpu else { continue };
            let id = BenchmarkId::new(rule, format!("{device}-{name}"));
            bench_resident(&mut group, id, engine, &fusion, &workload);
        }
    }
    group.finish();
}

criterion_group!(benches, rules, sums);
criterion_main!(benches);
