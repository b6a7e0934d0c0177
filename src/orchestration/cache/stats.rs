//! What a cache has done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Saved;
use crate::orchestration::Cost;

/// What a cache has done so far and what it holds now; see [`Cache::stats`](super::Cache::stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Opinions of single sources.
    pub opinions: LevelStats,
    /// Answers made of several opinions.
    pub posteriors: LevelStats,
}

/// What one level has done so far and what it holds now.
///
/// Every lookup is a hit or a miss. Every entry that was ever inserted is still held, or was replaced, evicted, expired or
/// invalidated. Both sums are exact whenever no call is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LevelStats {
    /// Lookups that found an answer, fresh or stale.
    pub hits: u64,
    /// Those of the hits whose answer was stale.
    pub stale_hits: u64,
    /// Lookups that found none.
    pub misses: u64,
    /// What the hits saved.
    pub saved: Cost,
    /// The time they saved.
    pub saved_latency: Duration,
    /// Answers that were made because they were missing or stale, failures included.
    pub made: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Misses that got an answer, or its failure, that was being made for somebody else.
    pub joined: u64,
    /// Answers whose making was begun in the background; they count as made when they are.
    pub refreshes: u64,
    /// Stale answers that were to be made anew while as many were as may be.
    pub refreshes_refused: u64,
    /// Entries inserted.
    pub inserted: u64,
    /// Entries whose place a newer answer of the same key took.
    pub replaced: u64,
    /// Entries that went because there was no more room, or were found not to be worth any.
    pub evicted: u64,
    /// Entries that were past all grace when they were looked for.
    pub expired: u64,
    /// Entries that were invalidated.
    pub invalidated: u64,
    /// Answers not kept because they alone have more bytes than there is room for.
    pub too_large: u64,
    /// Answers not kept because a source was invalidated while they were made.
    pub outdated: u64,
    /// Answers not kept because their lifetime was over, or none, when they were made.
    pub short_lived: u64,
    /// Entries held.
    pub entries: u64,
    /// What they take, in bytes.
    pub bytes: u64,
}

impl LevelStats {
    /// Lookups so far.
    #[must_use]
    pub const fn lookups(&self) -> u64 {
        self.hits + self.misses
    }

    /// The share of lookups that found something; `None` before the first.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        (self.lookups() > 0).then(|| self.hits as f64 / self.lookups() as f64)
    }
}

/// A number that only rises.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

/// What one level counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub hits: Count,
    pub stale_hits: Count,
    pub misses: Count,
    pub made: Count,
    pub failed: Count,
    pub joined: Count,
    pub refreshes: Count,
    pub refreshes_refused: Count,
    pub inserted: Count,
    pub replaced: Count,
    pub evicted: Count,
    pub expired: Count,
    pub invalidated: Count,
    pub too_large: Count,
    pub outdated: Count,
    pub short_lived: Count,
    calls: Count,
    tokens_in: Count,
    tokens_out: Count,
    micros: Count,
    nanoseconds: Count,
}

impl Count {
    pub fn one(&self) {
        self.add(1);
    }

    /// Whoever reads several counts while others count sees them as they come.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    pub fn hit(&self, saved: Saved, stale: bool) {
        let Saved { cost: Cost { calls, tokens_in, tokens_out, micros }, latency } = saved;
        self.hits.one();
        if stale {
            self.stale_hits.one();
        }
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        for (count, more) in [
            (&self.calls, calls),
            (&self.tokens_in, tokens_in),
            (&self.tokens_out, tokens_out),
            (&self.micros, micros),
            (&self.nanoseconds, nanoseconds),
        ] {
            // Most answers cost nothing of most kinds.
            if more > 0 {
                count.add(more);
            }
        }
    }

    pub fn stats(&self, entries: u64, bytes: u64) -> LevelStats {
        LevelStats {
            hits: self.hits.get(),
            stale_hits: self.stale_hits.get(),
            misses: self.misses.get(),
            saved: Cost {
                calls: self.calls.get(),
                tokens_in: self.tokens_in.get(),
                tokens_out: self.tokens_out.get(),
                micros: self.micros.get(),
            },
            saved_latency: Duration::from_nanos(self.nanoseconds.get()),
            made: self.made.get(),
            failed: self.failed.get(),
            joined: self.joined.get(),
            refreshes: self.refreshes.get(),
            refreshes_refused: self.refreshes_refused.get(),
            inserted: self.inserted.get(),
            replaced: self.replaced.get(),
            evicted: self.evicted.get(),
            expired: self.expired.get(),
            invalidated: self.invalidated.get(),
            too_large: self.too_large.get(),
            outdated: self.outdated.get(),
            short_lived: self.short_lived.get(),
            entries,
            bytes,
        }
    }
}
