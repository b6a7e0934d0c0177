//! One decision of a gate, permits taken and given back.

use std::hint::black_box;
use std::time::Duration;

use consilience::orchestration::Gate;
use consilience::orchestration::gate::{Calibration, Expert, Options, Score};
use criterion::Criterion;

pub fn choices(c: &mut Criterion) {
    let mut group = c.benchmark_group("orchestration/gate");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for experts in [8, 64] {
        let names: Vec<String> = (0..experts).map(|expert| format!("expert-{expert}")).collect();
        let scores: Vec<Score<'_>> = (0..experts)
            .map(|expert| Score::new(&names[expert], 0.2 + 0.6 * ((expert * 37) % experts) as f64 / experts as f64))
            .collect();
        for (name, calibration) in [("plain", Calibration::Identity), ("tempered", Calibration::Temperature(1.5))] {
            let expert = |name: &String| Expert::new(name).calibration(calibration.clone());
            let gate = Gate::new(names.iter().map(expert), Options::default()).expect("experts");
            group.bench_function(format!("{name}/{experts}"), |b| {
                b.iter(|| gate.choose(black_box(&scores)).expect("room for one request"));
            });
        }
    }
    group.finish();
}
