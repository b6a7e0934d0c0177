//! The ledger: what is kept, found, and still there after a crash.

mod crash;
mod damage;
mod keeping;
mod queries;
mod recorder;
mod states;

use std::path::PathBuf;
use std::time::Duration;

use consilience::orchestration::Cost;
use consilience::orchestration::ledger::{Entry, Ledger, Options, Query, Record, SourceFate};
use tempfile::TempDir;

/// A directory of its own and the name of a ledger in it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("results.redb");
    (directory, path)
}

fn open(path: &PathBuf) -> Ledger {
    Ledger::open(path, Options::default()).unwrap()
}

/// An entry that differs from that of every other number in every field.
fn entry(number: u32) -> Entry {
    let confidence = 0.6 + 0.4 * (number % 97) as f32 / 97.0;
    let decision = number % 5;
    let mut posterior = vec![(1.0 - confidence) / 4.0; 5];
    posterior[decision as usize] = confidence;
    Entry {
        decision,
        confidence,
        posterior,
        content: (!number.is_multiple_of(3)).then(|| format!("answer {number}, \"quoted\"\nand more")),
        sources: vec![SourceFate { name: format!("source {number}"), fate: "answered".to_owned() }],
        cost: Cost { calls: number.into(), tokens_in: 2, tokens_out: 3, micros: 4 },
        elapsed: Duration::from_nanos(1_000_000_007 * u64::from(number)),
    }
}

fn all(ledger: &Ledger, query: &Query) -> Vec<Record> {
    ledger.query(query).unwrap().collect::<Result<_, _>>().unwrap()
}

fn ids(ledger: &Ledger, query: &Query) -> Vec<u64> {
    all(ledger, query).iter().map(|record| record.id).collect()
}
