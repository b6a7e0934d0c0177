//! One record, and everything that is told of ten thousand.

use std::hint::black_box;
use std::time::Duration;

use consilience::orchestration::History;
use consilience::orchestration::history::Record;
use consilience::orchestration::selector::{Arm, Estimate};
use criterion::Criterion;

pub fn records(c: &mut Criterion) {
    let mut group = c.benchmark_group("orchestration/history");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let ms = Duration::from_millis;
    let estimate = Estimate { median: ms(30), mean: ms(31), interval: Some([ms(10), ms(90)]), latencies: 9.0 };
    let record = |number: u32| Record {
        estimate: Some(estimate),
        hits: 2,
        misses: 3,
        agreement: Some(0.5),
        ..Record::new(
            number % 16,
            Arm::ALL[number as usize % 5],
            Duration::from_micros(u64::from(number * 7919 % 50_000)),
        )
    };
    let mut history = History::default();
    for number in 0..10_000 {
        history.record(record(number)).expect("a record");
    }
    let one = record(1);
    group.bench_function("record", |b| b.iter(|| history.record(black_box(one)).expect("a record")));
    group.bench_function("diagnostics/10000", |b| b.iter(|| history.diagnostics(None)));
    group.finish();
}
