//! How long an arm takes: log-normal latencies.

use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::methods::learning::beta;

/// How long something is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// As often exceeded as not; against it, errors in log space have no bias.
    pub median: Duration,
    /// The mean, which a few long ones raise above the median.
    pub mean: Duration,
    /// Where nine of ten latencies fall; `None` before two were seen.
    pub interval: Option<[Duration; 2]>,
    /// The latencies it is learned from; 0 where it follows from the work and the benefit that the request was given with.
    pub latencies: f64,
}

impl Estimate {
    /// The share of latencies that fall into [`Estimate::interval`].
    pub const COVERAGE: f64 = 0.9;

    /// What follows from what was said.
    pub(super) fn stated(latency: Duration) -> Self {
        Self { median: latency, mean: latency, interval: None, latencies: 0.0 }
    }
}

/// Mean and variance of the logarithms of latencies, by Welford's recurrence with weights that decay.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogLatencies {
    /// The sums of weights, and of their squares.
    weight: f64,
    squares: f64,
    /// Of ln s.
    mean: f64,
    /// Weighted squares of the distances from it.
    scatter: f64,
}

impl LogLatencies {
    /// Of a latency in seconds, or whatever else is measured that is above zero.
    pub(super) fn observe(&mut self, latency: f64, discount: f64) {
        let log = latency.ln();
        self.weight = self.weight * discount + 1.0;
        self.squares = self.squares * discount * discount + 1.0;
        self.scatter *= discount;
        let from = log - self.mean;
        self.mean += from / self.weight;
        // Rounded, the first may come out below zero.
        self.scatter = (self.scatter + from * (log - self.mean)).max(0.0);
    }

    /// As if one had seen both (Chan, Golub and LeVeque 1983).
    pub(super) fn merge(&mut self, other: &Self) {
        let all = self.weight + other.weight;
        if all == 0.0 {
            return;
        }
        let from = other.mean - self.mean;
        self.scatter += other.scatter + from * from * self.weight * other.weight / all;
        self.mean += from * other.weight / all;
        self.weight = all;
        self.squares += other.squares;
    }

    /// `None` where nothing was observed.
    pub(super) fn geometric_mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.mean.exp())
    }

    /// The interval is the one in which the next falls, by Student's distribution, if they are log-normal.
    pub(super) fn estimate(&self) -> Option<Estimate> {
        if self.weight == 0.0 {
            return None;
        }
        // As many of equal weight would tell as much (Kish 1965).
        let latencies = self.weight * self.weight / self.squares;
        let median = seconds(self.mean.exp());
        // Two of which the older is discounted are a little less than two.
        if latencies < 1.5 {
            return Some(Estimate { latencies, ..Estimate::stated(median) });
        }
        let variance = self.scatter / (self.weight - self.squares / self.weight);
        let half = student(latencies - 1.0) * (variance * (1.0 + 1.0 / latencies)).sqrt();
        let interval = Some([(self.mean - half).exp(), (self.mean + half).exp()].map(seconds));
        Some(Estimate { median, mean: seconds((self.mean + variance / 2.0).exp()), interval, latencies })
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let Self { weight, squares, mean, scatter } = *self;
        let of_none = weight == 0.0 && squares == 0.0 && mean == 0.0 && scatter == 0.0;
        // At least one counts fully, and none counts more.
        let of_some = weight >= 1.0 && (1.0..=weight).contains(&squares) && scatter >= 0.0;
        let is_finite = weight.is_finite() && mean.is_finite() && scatter.is_finite();
        if of_none || of_some && is_finite { Ok(()) } else { Err(format!("no latencies have these sums: {self:?}")) }
    }
}

/// In seconds; what took no time took a nanosecond.
pub(in crate::orchestration) fn above_zero(latency: Duration) -> f64 {
    latency.max(Duration::from_nanos(1)).as_secs_f64()
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// Degrees of freedom for which quantiles are kept.
const DEGREES: usize = 30;

/// Quantiles of Student's distribution for 1 to [`DEGREES`] degrees of freedom, exceeded by a twentieth.
static QUANTILES: LazyLock<[f64; DEGREES]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let freedom = (index + 1) as f64;
        // t^2 / (n + t^2) is Beta(1/2, n/2).
        let x = beta::quantile(0.5, freedom / 2.0, Estimate::COVERAGE);
        (freedom * x / (1.0 - x)).sqrt()
    })
});

/// The same for infinitely many: the normal distribution's.
const NORMAL: f64 = 1.644_853_626_951_472_7;

/// The quantile for any degrees of freedom n, taken as 1 where they are fewer: between those kept linear in 1/n, of which it
/// is a convex function, so that it is never too small.
fn student(freedom: f64) -> f64 {
    let freedom = freedom.max(1.0);
    let below = (freedom as usize).min(DEGREES);
    let at_below = QUANTILES[below - 1];
    // Of one over the degrees: at the node below, and at the next, which after the last is infinity.
    let (next, at_next) = if below < DEGREES { (1.0 / (below + 1) as f64, QUANTILES[below]) } else { (0.0, NORMAL) };
    let from = 1.0 / below as f64;
    at_next + (at_below - at_next) * (1.0 / freedom - next) / (from - next)
}
