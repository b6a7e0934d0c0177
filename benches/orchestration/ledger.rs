//! Recording: one writer that waits for each commit, and 64 that share them; beside one `fsync` of as much to a plain file.

use std::fs::File;
use std::hint::black_box;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use consilience::orchestration::Cost;
use consilience::orchestration::ledger::{Entry, Ledger, Options, Query, Recorder, SourceFate};
use criterion::{Criterion, Throughput};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

const WRITERS: u64 = 64;

/// A result of eight sources over ten classes with a sentence for an answer, 1.1 kB as it is stored.
fn entry() -> Entry {
    Entry {
        decision: 3,
        confidence: 0.875,
        posterior: (0..10).map(|class| if class == 3 { 0.875 } else { 0.125 / 9.0 }).collect(),
        content: Some("the answer in a sentence that says why it is the third of ten ".repeat(4)),
        sources: (0..8)
            .map(|source| SourceFate { name: format!("source number {source}"), fate: "answered".to_owned() })
            .collect(),
        cost: Cost { calls: 8, tokens_in: 800, tokens_out: 64, micros: 1200 },
        elapsed: Duration::from_millis(87),
    }
}

fn open(directory: &Path, name: &str) -> Ledger {
    Ledger::open(directory.join(name), Options::default()).expect("a new ledger")
}

pub fn benches(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let entry = entry();
    let mut group = c.benchmark_group("ledger");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));

    let mut file = File::create(directory.path().join("plain")).expect("a file");
    let page = [7; 8192];
    group.throughput(Throughput::Elements(1));
    group.bench_function("fsync of 8 KiB", |b| {
        b.iter(|| {
            file.rewind().and_then(|()| file.write_all(&page)).and_then(|()| file.sync_data()).expect("a disk");
        });
    });
    let ledger = open(directory.path(), "one");
    group.bench_function("record, one writer", |b| b.iter(|| ledger.record(&entry).expect("kept")));
    let batch = vec![entry.clone(); 64];
    group.throughput(Throughput::Elements(64));
    group.bench_function("record_all, 64 at once", |b| b.iter(|| ledger.record_all(&batch).expect("kept")));

    let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let recorder = Arc::new(Recorder::start(Arc::new(open(directory.path(), "many"))).expect("a thread"));
    group.throughput(Throughput::Elements(WRITERS));
    group.bench_function("record, 64 writers", |b| {
        b.iter_custom(|rounds| {
            let began = Instant::now();
            runtime.block_on(async {
                let mut writers = JoinSet::new();
                for _ in 0..WRITERS {
                    let (recorder, entry) = (Arc::clone(&recorder), entry.clone());
                    writers.spawn(async move {
                        for _ in 0..rounds {
                            recorder.record(&entry).await.expect("kept");
                        }
                    });
                }
                writers.join_all().await;
            });
            began.elapsed()
        });
    });

    let found = open(directory.path(), "found");
    let entries: Vec<Entry> = (0..100_000)
        .map(|number| Entry { decision: number % 10, confidence: 0.6 + number as f32 / 250_000.0, ..entry.clone() })
        .collect();
    entries.chunks(10_000).for_each(|chunk| drop(found.record_all(chunk).expect("kept")));
    group.throughput(Throughput::Elements(10));
    for (name, query) in [
        ("the 10 newest of 100,000", Query { limit: Some(10), ..Query::default() }),
        ("the 10 newest of one decision", Query { limit: Some(10), decision: Some(3), ..Query::default() }),
        (
            "the 10 newest in a tenth of confidence",
            Query { limit: Some(10), confidence: 0.7..=0.8, ..Query::default() },
        ),
    ] {
        group.bench_function(name, |b| b.iter(|| found.query(black_box(&query)).expect("a range").count()));
    }
    group.finish();
}
