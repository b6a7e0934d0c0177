//! What a ledger counts.

use std::time::Duration;

use metrics::Histogram;

use crate::orchestration::telemetry::{LEDGER_COMMIT_SECONDS, LEDGER_RESULTS, Label, PerVariant};

/// What became of results, and how long commits took.
#[derive(Debug)]
pub(super) struct Meters {
    results: PerVariant<Fate>,
    commit_seconds: Histogram,
}

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Recorded,
    Below,
    Failed,
}

impl Label for Fate {
    const KEY: &'static str = "fate";
    const ALL: &'static [Self] = &[Self::Recorded, Self::Below, Self::Failed];

    fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Below => "below",
            Self::Failed => "failed",
        }
    }
}

impl Meters {
    /// Registers with the current recorder.
    pub fn new() -> Self {
        Self { results: PerVariant::new(&LEDGER_RESULTS), commit_seconds: LEDGER_COMMIT_SECONDS.histogram() }
    }

    /// Results that were not sure enough.
    pub fn below(&self, results: usize) {
        self.results.add(Fate::Below, results as u64);
    }

    /// Results that are on the disk, or could not be brought there.
    pub fn written(&self, results: usize, recorded: bool) {
        self.results.add(if recorded { Fate::Recorded } else { Fate::Failed }, results as u64);
    }

    /// A commit took so long.
    pub fn committed(&self, time: Duration) {
        self.commit_seconds.record(time);
    }
}
