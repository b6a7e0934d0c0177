//! What an action is judged by.

use serde::Serialize;

use super::options::Options;
use super::reading::Reading;
use super::setting::Setting;

/// How far a reading is from what is wanted, in parts that add up; 0 is all that is wanted.
///
/// With L the latency and E the share of errors that [`Options`](super::Options) allow:
///
/// | part | is |
/// |---|---|
/// | latency | ln max(1, p95 / L); where nothing ended and something is under way, the length of the reading stands for p95 |
/// | errors | ln max(1, e / E), e being the share of the requests that failed |
/// | lost | `lost` times the share of the requests that were turned away, shed ones among them |
/// | failing | over the sources, the sum of trust times ln max(1, f / E), f being the share of its calls that failed |
/// | price | `price` times the number of knobs that are off their normal place |
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Objective {
    /// Of requests that take too long.
    pub latency: f64,
    /// Of requests that fail.
    pub errors: f64,
    /// Of requests turned away.
    pub lost: f64,
    /// Of calls that fail.
    pub failing: f64,
    /// Of knobs off their normal place.
    pub price: f64,
}

impl Objective {
    pub(super) fn of(reading: &Reading, setting: &Setting, normal: &Setting, options: &Options) -> Self {
        let excess = |value: f64, allowed: f64| (value / allowed).max(1.0).ln();
        let latency = reading.slowness().map_or(0.0, |seconds| excess(seconds, options.latency.as_secs_f64()));
        let least = options.detection.least_calls;
        let failing = reading.sources.iter().filter(|source| source.calls >= least);
        let failing = failing.map(|source| setting.trust(&source.name) * excess(source.failure_rate(), options.errors));
        Self {
            latency,
            errors: excess(reading.error_rate(), options.errors),
            lost: options.lost * reading.lost(),
            failing: failing.sum(),
            price: options.price * setting.off(normal).len() as f64,
        }
    }

    /// All parts together.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.latency + self.errors + self.lost + self.failing + self.price
    }
}
