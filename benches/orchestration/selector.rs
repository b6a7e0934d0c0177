//! One decision of a selector, by rule and by bandit, and one lesson.

use std::hint::black_box;
use std::time::Duration;

use consilience::orchestration::Selector;
use consilience::orchestration::selector::{Masks, Mode, Options, Outcome, Situation};
use criterion::Criterion;

pub fn decisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("orchestration/selector");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let masks = Masks { parallel_cpu: None, parallel_gpu: None, distributed: None };
    let work = Some(Duration::from_millis(200));
    let situation = Situation { work, benefit: Some(2.0), items: 2_048, masks, ..Situation::new(8, 2) };
    for (name, mode) in [("fixed", Mode::Fixed), ("active", Mode::Active)] {
        let mut selector = Selector::new(Options { mode, ..Options::default() }).expect("options");
        let mut draw = 0;
        let outcome = |draw: u64| Outcome {
            success: true,
            latency: Duration::from_millis(50 + draw * 7 % 100),
            correctness: None,
        };
        for _ in 0..200 {
            draw += 1;
            let choice = selector.choose(&situation, draw).expect("a situation");
            selector.update(&choice, &outcome(draw)).expect("an outcome");
        }
        group.bench_function(format!("choose/{name}"), |b| {
            b.iter(|| {
                draw += 1;
                selector.choose(black_box(&situation), draw).expect("a situation")
            });
        });
        let choice = selector.choose(&situation, 0).expect("a situation");
        group.bench_function(format!("update/{name}"), |b| {
            b.iter(|| {
                draw += 1;
                selector.update(black_box(&choice), &outcome(draw)).expect("an outcome");
            });
        });
    }
    group.finish();
}
