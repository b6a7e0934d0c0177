//! What a cache keeps, for how long, and what goes first.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};
use crate::orchestration::router::Worth;

/// What a cache keeps, for how long, and what goes first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Room for opinions.
    pub opinions: Room,
    /// Room for fused answers, beside that for opinions.
    pub posteriors: Room,
    /// How long the answers of a source are good that has no lifetime of its own.
    pub lifetime: Lifetime,
    /// The lifetimes of sources by name.
    pub lifetimes: BTreeMap<String, Lifetime>,
    /// The most answers that are made anew in the background at a time; 0 makes none.
    pub most_refreshes: usize,
}

/// The room one level has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// The most bytes its entries take, at least one.
    pub bytes: u64,
    /// What goes when there is no more room.
    pub eviction: Eviction,
}

/// What goes when there is no more room.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eviction {
    /// What was least recently used.
    Lru,
    /// What was asked for less often of late, be it the new entry or those that would have to make room for it (Einziger,
    /// Friedman and Manes 2017).
    TinyLfu,
    /// What is least worth its bytes: GreedyDual-Size with frequency (Cherkasova 1998). An entry's rank is
    /// L + f w / bytes, f being how often it was asked for while it was held, w what its answer saves by these prices, and
    /// L the rank of what went last, by which what nobody asks for falls behind. Of equal ranks the least recently used
    /// goes first.
    ByWorth(Worth),
}

/// How long an answer is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetime {
    /// How long it is given as it is; of zero, it is never kept.
    pub fresh: Duration,
    /// How long after that it is still given, while a new one is made in the background.
    pub grace: Duration,
}

impl Lifetime {
    /// So long, without grace.
    #[must_use]
    pub const fn of(fresh: Duration) -> Self {
        Self { fresh, grace: Duration::ZERO }
    }

    /// The same with so long a grace.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

impl Options {
    /// The same with a lifetime for one source.
    #[must_use]
    pub fn lifetime_of(mut self, source: impl Into<String>, lifetime: Lifetime) -> Self {
        self.lifetimes.insert(source.into(), lifetime);
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        for (level, room) in [("opinions", self.opinions), ("posteriors", self.posteriors)] {
            let Room { bytes, eviction } = room;
            SpecError::check(&format!("the bytes of {level} in a cache"), bytes as f64, "at least 1", bytes > 0)?;
            if let Eviction::ByWorth(Worth { second, million }) = eviction {
                let prices = [("a second", second), ("a million micros", million)];
                for (what, price) in prices {
                    let right = price.is_finite() && price >= 0.0;
                    SpecError::check(
                        &format!("the price of {what} in a cache"),
                        price,
                        "finite and not negative",
                        right,
                    )?;
                }
                SpecError::check("the sum of both prices in a cache", 0.0, "above 0", second + million > 0.0)?;
            }
        }
        Ok(())
    }
}

impl Default for Options {
    /// 64 MiB a level, by TinyLFU; five minutes without grace; eight refreshes at a time, for those that have one.
    fn default() -> Self {
        let room = Room { bytes: 64 << 20, eviction: Eviction::TinyLfu };
        Self {
            opinions: room,
            posteriors: room,
            lifetime: Lifetime::of(Duration::from_secs(300)),
            lifetimes: BTreeMap::new(),
            most_refreshes: 8,
        }
    }
}
