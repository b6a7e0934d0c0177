//! From call to return, from 1 KB to 1 GB of evidence (N = 8, C = 10): CPU on one core and on all, GPU with the transfer,
//! from evidence uploaded before, and its kernels alone, beside a copy of the same bytes; and, with the feature `candle`, beside the same fusion composed of
//! candle-core tensor operations at B = 1M. Then every rule, weighting and output, votes from labels, and chains of operations.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a benchmark that cannot run ends")]

#[cfg(feature = "candle")]
mod composed;
mod workload;

use std::time::Duration;

use consilience::{Engine, Evidence, Fused, Fusion, Opinions, Output, Rule, Weighting, vortex};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

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
                bench_uploaded(&mut group, id("uploaded"), engine, fusion, &workload);
                bench_resident(&mut group, id("resident"), engine, fusion, &workload);
            }
        }
        group.finish();
    }
}

/// From call to return over evidence that was uploaded before.
fn bench_uploaded(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    engine: &Engine,
    fusion: &Fusion,
    workload: &Workload,
) {
    let resident = engine.upload(&workload.evidence()).expect("room for the evidence");
    let mut fused = Fused::default();
    group.throughput(Throughput::Bytes(workload.bytes()));
    group.bench_function(id, |b| b.iter(|| engine.fuse_into(fusion, &resident, &mut fused).expect("valid evidence")));
}

/// A chain of small operations over an array that is held, from the first call until all are handed over: what an operation
/// costs beside its computing. The throughput is in operations.
fn chain(c: &mut Criterion) {
    const OPERATIONS: u64 = 64;
    let mut group = c.benchmark_group("chain");
    group.throughput(Throughput::Elements(OPERATIONS));
    let mut bench = |device: &str, engine: &Engine| {
        let numbers = engine.upload_array(&[7_u32; 256]).expect("room for the numbers");
        group.bench_function(device, |b| {
            b.iter(|| {
                let mut roots = vortex::square_map_resident(engine, &numbers).expect("room for the roots");
                for _ in 1..OPERATIONS {
                    roots = vortex::square_map_resident(engine, &roots).expect("room for the roots");
                }
                engine.flush().expect("a device that works");
            });
        });
    };
    bench("cpu-1", &cpu(Some(1)));
    if let Some((engine, device)) = &gpu() {
        bench(device, engine);
    }
    group.finish();
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

/// What the extras cost beside the plain pool, and each rule beside the linear pool: N = 8, B = 1M, C = 10, one core.
fn rules(c: &mut Criterion) {
    let one_core = cpu(Some(1));
    let workload = Workload::of_items(1_000_000, 8, 10);
    let mut group = c.benchmark_group("rules");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    bench_copy(&mut group, &workload, "host");
    for rule in [Rule::Linear, Rule::LogPool] {
        let asked = [Output::Posterior, Output::Decision, Output::Entropy, Output::Disagreement, Output::Contributions];
        let steps = [("plain", 1), ("decision", 2), ("entropy", 3), ("disagreement", 4), ("contributions", 5)];
        for (name, outputs) in steps {
            let fusion = Fusion::new(rule.clone()).outputs(&asked[..outputs]);
            bench_call(&mut group, BenchmarkId::new(rule.to_string(), name), &one_core, &fusion, &workload);
        }
    }
    for rule in Rule::SIMPLE {
        let fusion = Fusion::new(rule.clone()).outputs(&[Output::Posterior]);
        bench_call(&mut group, BenchmarkId::new("rule", rule), &one_core, &fusion, &workload);
    }
    let weightings = ["confidence", "confidence:2", "margin", "entropy", "hellinger", "jensen_shannon"];
    for weighting in weightings {
        let weighting: Weighting = weighting.parse().expect("a weighting");
        let id = BenchmarkId::new("weighting", format!("{weighting:?}"));
        let fusion = Fusion::new(Rule::Linear).weighting(weighting).outputs(&[Output::Posterior]);
        bench_call(&mut group, id, &one_core, &fusion, &workload);
    }
    group.finish();
}

/// A weighted vote from 8-bit labels, 8 x 1M, one core: decision and confidence, and the posterior of ten classes too.
fn labels(c: &mut Criterion) {
    let one_core = cpu(Some(1));
    let workload = Workload::of_items(1_000_000, 8, 10);
    let label = |row: &[f32]| {
        let largest = |best, k| if row[k] > row[best] { k } else { best };
        (1..row.len()).fold(0, largest) as u8
    };
    let label_all = |plane: &Vec<f32>| plane.chunks(workload.classes).map(label).collect();
    let labels: Vec<Vec<u8>> = workload.planes.iter().map(label_all).collect();
    let mut group = c.benchmark_group("labels");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    let sources: Vec<Opinions<'_>> = labels.iter().map(|labels| Opinions::LabelsU8(labels)).collect();
    let evidence = Evidence::of(workload.classes, &sources).expect("labels");
    let vote = Fusion::new(Rule::Vote).weighting(Weighting::Fixed(vec![1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]));
    let mut target = labels.concat();
    group.throughput(Throughput::Bytes(target.len() as u64));
    group.bench_function("copy", |b| {
        b.iter(|| target.chunks_mut(1_000_000).zip(&labels).for_each(|(to, from)| to.copy_from_slice(from)));
    });
    for (name, outputs) in [
        ("vote, decision", &[Output::Decision][..]),
        ("vote, decision and confidence", &[Output::Decision, Output::Confidence]),
        ("vote, posterior", &[Output::Posterior]),
    ] {
        let fusion = vote.clone().outputs(outputs);
        let mut fused = Fused::default();
        group.bench_function(name, |b| {
            b.iter(|| one_core.fuse_into(&fusion, &evidence, &mut fused).expect("valid labels"));
        });
    }
    group.finish();
}

criterion_group!(benches, reference, rules, labels, sizes, chain);
criterion_main!(benches);
