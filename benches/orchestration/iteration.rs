//! Eight thoughts and a synthesis of sources that answer at once, beside the nine calls by themselves.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::iteration::{Options, Order, Thoughts};
use consilience::orchestration::{Iteration, Opinion, Question, Source, source};
use criterion::Criterion;
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

const CLASSES: usize = 8;

pub fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("iteration");
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let thinker: Arc<dyn Source<str>> = Arc::new(source::of("thinker", async |question: Question<str>| {
        let mut row = vec![0.05; CLASSES];
        row[question.attempt as usize % 2] += 0.6;
        Ok(Opinion::Probabilities(row).into())
    }));
    group.bench_function("nine calls", |bench| bench.iter(|| runtime.block_on(nine_calls(&thinker))));
    for (name, order) in [
        ("8 + 1 in parallel", Order::default()),
        ("8 + 1 in sequence", Order::Sequential { alike: None }),
        ("8 + 1 with speculation", Order::Parallel { at_once: 8, speculate_at: Some(4) }),
    ] {
        let options = Options { thoughts: Thoughts::Fixed(8), order, ..Options::default() };
        let iteration = Iteration::new("iteration", Arc::clone(&thinker), Arc::clone(&thinker), options);
        group.bench_function(name, |bench| bench.iter(|| think(&runtime, &iteration)));
    }
    group.finish();
}

fn think(runtime: &Runtime, iteration: &Iteration<str>) -> usize {
    runtime.block_on(iteration.think(question())).expect("an outcome").decision
}

fn question() -> Question<str> {
    Question::new(Arc::from("cat or dog?"), CLASSES, Instant::now() + Duration::from_secs(5))
}

async fn nine_calls(source: &Arc<dyn Source<str>>) {
    let thoughts = join_all((0..8).map(|attempt| {
        let mut question = question();
        question.attempt = attempt;
        source.ask(question)
    }));
    assert_eq!(thoughts.await.len(), 8);
    source.ask(question()).await.expect("an answer");
}
