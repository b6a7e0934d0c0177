//! What a request costs to be learned from, and what is asked before the next.

use std::hint::black_box;
use std::time::Duration;

use consilience::orchestration::Dependencies;
use consilience::orchestration::dependency::{Options, Part};
use criterion::Criterion;

pub fn graphs(c: &mut Criterion) {
    let mut group = c.benchmark_group("orchestration/dependency");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for sources in [4_usize, 16] {
        let names: Vec<String> = (0..sources).map(|source| format!("source-{source}")).collect();
        let part = |name| Part { source: name, held: false, work: Some(Duration::from_millis(30)), bytes: 400 };
        let parts: Vec<Part<'_>> = names.iter().map(|name| part(&name[..])).collect();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let wall = Some(Duration::from_millis(40));
        let mut graph = Dependencies::new(Options::default()).expect("options");
        for request in 0..200 {
            graph.observe(&parts, wall).expect("a request");
            let errors = all.iter().enumerate().map(|(source, &name)| (name, (request * (source + 3)) % 7 == 0));
            graph.learn("class", &errors.collect::<Vec<_>>()).expect("errors");
        }
        group.bench_function(format!("observe/{sources}"), |b| {
            b.iter(|| graph.observe(black_box(&parts), wall).expect("a request"));
        });
        group.bench_function(format!("benefit/{sources}"), |b| b.iter(|| graph.benefit(black_box(&all))));
        group.bench_function(format!("select 4/{sources}"), |b| b.iter(|| graph.select(black_box("class"), 4)));
    }
    group.finish();
}
