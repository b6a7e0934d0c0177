//! Fitting a stacked model: 200,000 items, 8 sources x 10 classes = 80 features, from evidence to model, on one core, on
//! all and on the GPU; and its parts. `evaluate` is one loss and gradient over features that the device holds, from call to
//! return, at several numbers of items; of a software driver, named as such, only the lowest.
//!
//! `cargo bench --bench stacking` writes what it fits to `target/stacking/` and says what it reached;
//! `OMP_NUM_THREADS=1 python3 benches/stacking_baseline.py` then fits scikit-learn's softmax regression to the same
//! features with the same penalty. The figures compare if the objectives do.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a benchmark that cannot run ends")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use consilience::stacking::{LabelledLoss, LinearWeights, LogWeights, Metric, Selection, Stacking};
use consilience::{Device, Engine, EngineOptions, Evidence};
use criterion::{Criterion, criterion_group, criterion_main};

const ITEMS: usize = 200_000;
const SOURCES: usize = 8;
const CLASSES: usize = 10;

/// Opinions that share a part of their error, some sources better than others, each with two classes it confuses.
fn workload() -> (Vec<Vec<f32>>, Vec<u32>) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut unit = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1 << 24) as f32
    };
    let mut normal = move || (0..12).map(|_| unit()).sum::<f32>() - 6.0;
    let labels: Vec<u32> =
        (0..ITEMS).map(|i| (i as u32).wrapping_mul(2_654_435_761) >> 8 & 0xFFFF).map(|x| x % 10).collect();
    let mut planes = vec![Vec::new(); SOURCES];
    for &label in &labels {
        let shared: Vec<f32> = (0..CLASSES).map(|_| normal()).collect();
        for (source, plane) in planes.iter_mut().enumerate() {
            let gain = 0.8 + 0.25 * source as f32;
            let mut row: Vec<f32> = shared.iter().map(|shared| 0.7 * shared + normal()).collect();
            row[label as usize] += gain;
            row[(label as usize + 1 + source) % CLASSES] += 0.5 * gain;
            let powers: Vec<f32> = row.iter().map(|z| (1.5 * z).exp()).collect();
            let sum: f32 = powers.iter().sum();
            plane.extend(powers.iter().map(|p| p / sum));
        }
    }
    (planes, labels)
}

/// What the baseline fits: the features as they are fitted here, [B, 80] f32, and the labels, [B] u32.
fn write(planes: &[Vec<f32>], labels: &[u32]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("stacking");
    fs::create_dir_all(&folder).expect("a folder below target/");
    let feature = |p: &f32| p.clamp(1e-7, 1.0).ln().to_le_bytes();
    let row = |item: usize| planes.iter().flat_map(move |plane| &plane[item * CLASSES..][..CLASSES]);
    let features: Vec<u8> = (0..ITEMS).flat_map(|item| row(item).flat_map(feature).collect::<Vec<_>>()).collect();
    fs::write(folder.join("features.f32"), features).expect("room for 64 MB");
    fs::write(folder.join("labels.u32"), labels.iter().flat_map(|l| l.to_le_bytes()).collect::<Vec<_>>())
        .expect("room");
}

/// The CPU on one core and on all, and the GPU if there is one.
fn engines() -> Vec<(&'static str, Engine)> {
    let cpu = |threads| {
        let options = EngineOptions { device: Device::Cpu, threads, ..EngineOptions::default() };
        Engine::open(&options).expect("a CPU engine")
    };
    let mut engines = vec![("cpu-1", cpu(Some(1))), ("cpu-all", cpu(None))];
    if let Ok(gpu) = Engine::gpu() {
        let software = gpu.describe().contains("software driver");
        engines.push((if software { "software-gpu" } else { "gpu" }, gpu));
    }
    engines
}

fn fits(c: &mut Criterion) {
    let (planes, labels) = workload();
    write(&planes, &labels);
    let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let evidence = Evidence::probabilities(CLASSES, &planes).expect("planes of one length");
    let stacking = Stacking::default();
    let mut group = c.benchmark_group("stacking/200k-80");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(5));
    for (name, engine) in engines() {
        let fit = stacking.fit(&engine, &evidence, &labels).expect("labelled evidence");
        eprintln!("{}: {:?}", engine.describe(), fit.report);
        // A software driver takes minutes over what says nothing of a GPU.
        let most = if name == "software-gpu" { 5_000 } else { ITEMS };
        for items in [500, 5_000, 50_000, ITEMS].into_iter().filter(|&items| items <= most) {
            let planes: Vec<&[f32]> = planes.iter().map(|plane| &plane[..items * CLASSES]).collect();
            let evidence = Evidence::probabilities(CLASSES, &planes).expect("planes of one length");
            let labels: Vec<Option<u32>> = labels[..items].iter().copied().map(Some).collect();
            let mut loss = LabelledLoss::new(&engine, &evidence, &labels).expect("labelled evidence");
            group.bench_function(format!("evaluate-{items}/{name}"), |b| b.iter(|| loss.at(&fit.model)));
        }
        if most < ITEMS {
            continue;
        }
        group.bench_function(format!("fit/{name}"), |b| b.iter(|| stacking.fit(&engine, &evidence, &labels)));
        let objective = |b: &mut criterion::Bencher<'_>| {
            b.iter(|| stacking.objective(&engine, &evidence, &labels, &fit.model));
        };
        group.bench_function(format!("pack-and-evaluate/{name}"), objective);
    }
    group.bench_function("linear-weights", |b| b.iter(|| LinearWeights::default().fit(&evidence, &labels)));
    group.bench_function("log-weights", |b| b.iter(|| LogWeights::default().fit(&evidence, &labels)));
    let selection = Selection { metric: Metric::Nll, rounds: 10, ..Selection::default() };
    group.bench_function("selection-10-rounds", |b| b.iter(|| selection.fit(&evidence, &labels)));
    group.finish();
}

criterion_group!(benches, fits);
criterion_main!(benches);
