//! One update of each learner: one item of N = 8 sources and C = 10 classes, beside reading its opinions alone. Then learners and
//! a fit of a temperature over evidence that an engine holds, beside the host's over the same in the host's memory.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

#[expect(dead_code, reason = "of arrays only the engines are of use here")]
mod arrays;

use std::hint::black_box;
use std::time::Duration;

use consilience::calibration::{Labelled, Temperature};
use consilience::learning::{
    Confusion, ConfusionOptions, Feedback, Hedge, HedgeOptions, Loss, Rate, Reliability, ReliabilityOptions, Weights,
    WeightsOptions,
};
use consilience::{Evidence, Fusion, Rule};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use crate::arrays::engines;

const SOURCES: usize = 8;
const CLASSES: usize = 10;

fn updates(c: &mut Criterion) {
    let row = |source: usize| -> Vec<f32> { (0..CLASSES).map(|k| if k == source { 0.37 } else { 0.07 }).collect() };
    let rows: Vec<Vec<f32>> = (0..SOURCES).map(row).collect();
    let planes: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let evidence = Evidence::probabilities(CLASSES, &planes).expect("rows of ten");
    let labels = [Some(3)];

    let mut group = c.benchmark_group("learning/N8-C10");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group.bench_function("read", |b| {
        let mut row = [0.0; CLASSES];
        b.iter(|| (0..SOURCES).filter(|&source| evidence.opinion(source, 0, black_box(&mut row)).is_ok()).count());
    });
    let brier = ReliabilityOptions { loss: Loss::Brier, discount: 0.99, ..Default::default() };
    for (name, options) in [("reliability", ReliabilityOptions::default()), ("reliability-brier", brier)] {
        let mut learner = Reliability::new(SOURCES, options).expect("valid options");
        group.bench_function(name, |b| b.iter(|| learner.update(&evidence, black_box(&labels)).expect("a valid item")));
    }
    let start = vec![1.0; SOURCES];
    let mut learner =
        Weights::new(WeightsOptions { start, ..WeightsOptions::parallel_fusion() }).expect("valid options");
    group
        .bench_function("weights", |b| b.iter(|| learner.update(&evidence, black_box(&labels)).expect("a valid item")));
    for (name, discount) in [("confusion", 1.0), ("confusion-discounted", 0.99)] {
        let options = ConfusionOptions { discount, ..Default::default() };
        let mut learner = Confusion::new(SOURCES, CLASSES, options).expect("valid options");
        group.bench_function(name, |b| b.iter(|| learner.update(&evidence, black_box(&labels)).expect("a valid item")));
    }
    let hedge = |feedback, share| HedgeOptions { rate: Rate::Fixed(0.01), feedback, share };
    for (name, options) in [
        ("hedge-zero_one", hedge(Feedback::Loss(Loss::ZeroOne), 0.0)),
        ("hedge-brier", hedge(Feedback::Loss(Loss::Brier), 0.0)),
        ("hedge-log", hedge(Feedback::Loss(Loss::LOG), 0.0)),
        ("hedge-gradient", hedge(Feedback::Gradient, 0.0)),
        ("fixed_share", hedge(Feedback::Loss(Loss::Brier), 0.01)),
    ] {
        let mut learner = Hedge::new(SOURCES, options).expect("valid options");
        group.bench_function(name, |b| b.iter(|| learner.update(&evidence, black_box(&labels)).expect("a valid item")));
    }
    group.finish();
}

/// Blocks of items, from call to return.
fn resident(c: &mut Criterion) {
    let engines = engines();
    for items in [1 << 10, 1 << 16] {
        let row = |i: usize| 1.0 + (i as f64 * 0.618_033_988_749_895).fract() as f32;
        let plane = |source: usize| -> Vec<f32> {
            let mut rows: Vec<f32> = (0..items * CLASSES).map(|i| row(i + 7 * source)).collect();
            for row in rows.chunks_exact_mut(CLASSES) {
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            rows
        };
        let planes: Vec<Vec<f32>> = (0..SOURCES).map(plane).collect();
        let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        let evidence = Evidence::probabilities(CLASSES, &planes).expect("rows of ten");
        let classes: Vec<u32> = (0..items as u32).map(|item| item * 7 % CLASSES as u32).collect();
        let labels: Vec<Option<u32>> = classes.iter().copied().map(Some).collect();

        let mut group = c.benchmark_group(format!("learning/resident/{items}"));
        group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
        group.throughput(Throughput::Elements(items as u64));
        let mut votes = Reliability::new(SOURCES, ReliabilityOptions::default()).expect("valid options");
        let mut mixture = Hedge::new(SOURCES, HedgeOptions::default()).expect("valid options");
        group.bench_function("reliability/host", |b| b.iter(|| votes.update(&evidence, &labels).expect("items")));
        group.bench_function("hedge-brier/host", |b| b.iter(|| mixture.update(&evidence, &labels).expect("items")));
        let labelled = Labelled::new(CLASSES, planes[0], &classes).expect("distributions");
        group.bench_function("temperature/host", |b| b.iter(|| Temperature::fit(black_box(&labelled))));
        for (device, engine) in &engines {
            let held = engine.upload(&evidence).expect("room");
            let classes = engine.upload_array(&classes).expect("room");
            let first = engine.select(&held, &[0]).expect("room");
            let posterior = engine.fuse_resident(&Fusion::new(Rule::Linear), &first).expect("room");
            group.bench_function(format!("reliability/{device}"), |b| {
                b.iter(|| votes.update_resident(engine, &held, &labels).expect("items"));
            });
            group.bench_function(format!("hedge-brier/{device}"), |b| {
                b.iter(|| mixture.update_resident(engine, &held, &labels).expect("items"));
            });
            group.bench_function(format!("temperature/{device}"), |b| {
                b.iter(|| Temperature::fit_resident(engine, &posterior, &classes).expect("items"));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, updates, resident);
criterion_main!(benches);
