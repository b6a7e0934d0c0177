//! One update of each learner: one item of N = 8 sources and C = 10 classes, beside reading its opinions alone.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

use std::hint::black_box;
use std::time::Duration;

use consilience::Evidence;
use consilience::learning::{
    Confusion, ConfusionOptions, Feedback, Hedge, HedgeOptions, Loss, Rate, Reliability, ReliabilityOptions, Weights,
    WeightsOptions,
};
use criterion::{Criterion, criterion_group, criterion_main};

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

criterion_group!(benches, updates);
criterion_main!(benches);
