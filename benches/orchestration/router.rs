//! One choice of a router, by rule and by bandit, and the complexity it is based on.

use std::hint::black_box;
use std::time::Duration;

use consilience::orchestration::Router;
use consilience::orchestration::router::{Complexity, Group, Options, Strategy};
use criterion::Criterion;

pub fn routes(c: &mut Criterion) {
    let mut group = c.benchmark_group("orchestration/router");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let sentence = "Explain why the water of the sea is salt. ";
    for (name, bytes) in [("complexity/400B", 400), ("complexity/10MB", 10_000_000)] {
        let text = sentence.repeat(bytes / sentence.len());
        group.bench_function(name, |b| b.iter(|| Complexity::of(black_box(&text))));
    }
    let complexity = Complexity::of(sentence);
    for strategy in [Strategy::Hybrid, Strategy::Adaptive] {
        let options = Options { strategy, ..Options::default() };
        let router = Router::new(vec![Group::ai("model"), Group::runtime("table")], options).expect("groups");
        let mut draw = 0;
        group.bench_function(format!("route/{}", strategy.name()), |b| {
            b.iter(|| {
                draw += 1;
                router.route(black_box(complexity), Duration::from_secs(1), draw)
            });
        });
    }
    group.finish();
}
