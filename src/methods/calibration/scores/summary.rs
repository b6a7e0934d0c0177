//! All scores side by side.

use serde::{Deserialize, Serialize};

use super::BrierParts;
use crate::methods::calibration::Interval;

/// The standard normal quantile of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// How good the probabilities of some items are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many items were scored.
    pub items: u64,
    /// The share decided right, in Wilson's 95 % interval.
    pub accuracy: Interval,
    /// Mean negative log-likelihood in nats; see [`Loss::Nll`](crate::methods::calibration::Loss::Nll).
    pub nll: f64,
    /// Mean squared distance from the truth; see [`Loss::Brier`](crate::methods::calibration::Loss::Brier).
    pub brier: f64,
    /// What that distance is made of.
    pub brier_parts: BrierParts,
    /// Expected calibration error; see [`ece`](crate::methods::calibration::ece).
    pub ece: f64,
}

/// The share of `hits` in `items`, which are above zero, in Wilson's 95 % interval (Wilson 1927).
pub fn wilson(hits: u64, items: u64) -> Interval {
    let (n, p) = (items as f64, hits as f64 / items as f64);
    let (centre, scale) = (p + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Interval { mean: p, low: ((centre - half) / scale).max(0.0), high: ((centre + half) / scale).min(1.0) }
}
