//! What a stream did, and where its time went.

use std::time::{Duration, Instant};

use crate::backend::Timing;

/// What a stream did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Items that the sink took.
    pub items: u64,
    /// Chunks that the sink took.
    pub chunks: u64,
    /// Bytes of their evidence.
    pub bytes: u64,
    /// Whether the sink stopped the stream.
    pub stopped: bool,
    /// The source: filling chunks, and waiting for empty ones.
    pub source: StageTime,
    /// The engine: fusing chunks, and waiting for filled ones.
    pub fusion: StageTime,
    /// The sink: taking answers, and waiting for them.
    pub sink: StageTime,
    /// Where the engine's time went.
    pub timing: Timing,
    /// From call to return.
    pub total: Duration,
}

/// The time of one stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageTime {
    /// How long it worked.
    pub busy: Duration,
    /// How long it waited for another.
    pub waiting: Duration,
}

impl StageTime {
    pub(super) fn work<T>(&mut self, work: impl FnOnce() -> T) -> T {
        add(&mut self.busy, work)
    }

    pub(super) fn wait<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        add(&mut self.waiting, wait)
    }
}

fn add<T>(time: &mut Duration, what: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = what();
    *time += begin.elapsed();
    result
}
