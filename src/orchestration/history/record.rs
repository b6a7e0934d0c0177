//! One request, as it was carried out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};
use crate::orchestration::Cost;
use crate::orchestration::selector::{Arm, Estimate, above_zero};

/// How one request was carried out: numbers alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The requests it has something in common with; whoever records gives classes their numbers.
    pub class: u32,
    /// How it was carried out.
    pub arm: Arm,
    /// The opinions that the cache held.
    pub hits: u32,
    /// Those that it did not.
    pub misses: u32,
    /// Those of the misses that it had held until they were too old.
    pub expired: u32,
    /// How long it was expected to take.
    pub estimate: Option<Estimate>,
    /// How long it took.
    pub latency: Duration,
    /// What it cost.
    pub cost: Cost,
    /// How far the sources agreed, in [0, 1].
    pub agreement: Option<f32>,
    /// Whether the arm itself led to an answer, and not a fallback.
    pub success: bool,
    /// How right the answer was, in [0, 1]; it may be [learned later](super::History::learn).
    pub correctness: Option<f32>,
}

impl Record {
    /// A success in which nothing was looked for in a cache and nothing spent.
    #[must_use]
    pub fn new(class: u32, arm: Arm, latency: Duration) -> Self {
        let cost = Cost { calls: 0, tokens_in: 0, tokens_out: 0, micros: 0 };
        let (hits, misses, expired) = (0, 0, 0);
        let (estimate, agreement, correctness) = (None, None, None);
        Self { class, arm, hits, misses, expired, estimate, latency, cost, agreement, success: true, correctness }
    }

    pub(super) fn check(&self) -> Result<()> {
        let (misses, expired) = (self.misses, self.expired);
        SpecError::check("the number expired", f64::from(expired), "at most the misses", expired <= misses)?;
        for (what, value) in [("the agreement", self.agreement), ("the correctness", self.correctness)] {
            let value = value.unwrap_or(1.0);
            SpecError::check(what, f64::from(value), "in [0, 1]", (0.0..=1.0).contains(&value))?;
        }
        Ok(())
    }

    /// ln of the latency in seconds.
    pub(super) fn log_latency(&self) -> f64 {
        log(self.latency)
    }
}

/// ln of seconds.
pub(super) fn log(latency: Duration) -> f64 {
    above_zero(latency).ln()
}
