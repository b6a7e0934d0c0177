//! What stands between live sources and the answer to a request.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run ends, and says what it took"
)]

#[path = "orchestration/batcher.rs"]
mod batcher;
#[path = "orchestration/cache.rs"]
mod cache;
#[path = "orchestration/dependency.rs"]
mod dependency;
#[path = "orchestration/gate.rs"]
mod gate;
#[path = "orchestration/history.rs"]
mod history;
#[path = "orchestration/iteration.rs"]
mod iteration;
#[path = "orchestration/lane.rs"]
mod lane;
#[path = "orchestration/ledger.rs"]
mod ledger;
#[path = "orchestration/parallel_fusion.rs"]
mod parallel_fusion;
#[path = "orchestration/router.rs"]
mod router;
#[path = "orchestration/selector.rs"]
mod selector;
#[path = "orchestration/trace.rs"]
mod trace;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    parallel_fusion::benches,
    parallel_fusion::wall_time,
    batcher::throughput,
    batcher::latency,
    batcher::fusing,
    cache::lookups,
    cache::workload,
    gate::choices,
    router::routes,
    selector::decisions,
    dependency::graphs,
    history::records,
    iteration::benches,
    lane::overhead,
    ledger::benches
);
criterion_main!(benches);
