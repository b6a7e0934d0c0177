//! What is known of a source, or of a group of them, from how it did so far.

mod latencies;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::latencies::Latencies;
use crate::methods::checked::checked;
use crate::methods::learning::State;
use crate::orchestration::Cost;

/// How often somebody answered, how fast, and at what cost.
///
/// Success rate and latency are exponential averages, x <- (1 - alpha) x + alpha y with alpha = [`Track::ALPHA`], which
/// the first observation sets. Quantiles are over everything observed, within 1 % (or a nanosecond) of the exact ones. A failure counts with its
/// latency as an answer does: whoever times out is slow.
///
/// # Examples
///
/// *Nine quick answers and a failure after a second.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::{Cost, Track};
///
/// let mut track = Track::default();
/// assert_eq!((track.success(), track.latency(), track.quantile(0.5)), (None, None, None));
/// for _ in 0..9 {
///     track.observe(true, Duration::from_millis(10), Cost::CALL);
/// }
/// track.observe(false, Duration::from_secs(1), Cost::CALL);
/// assert_eq!(track.success(), Some(0.9));
/// assert_eq!(track.latency(), Some(Duration::from_millis(109)));
/// assert_eq!(track.quantile(1.0), Some(Duration::from_secs(1)));
/// assert_eq!(track.cost().calls, 10);
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Track {
    observations: u64,
    successes: u64,
    /// Averages, which mean nothing before the first observation.
    success: f64,
    seconds: f64,
    latencies: Latencies,
    cost: Cost,
}

impl Track {
    /// How far an exponential average moves towards the newest observation.
    pub const ALPHA: f64 = 0.1;

    /// Takes in one answer, or one failure to answer.
    pub fn observe(&mut self, success: bool, latency: Duration, cost: Cost) {
        let (answered, seconds) = (f64::from(u8::from(success)), latency.as_secs_f64());
        if self.observations == 0 {
            (self.success, self.seconds) = (answered, seconds);
        } else {
            self.success += Self::ALPHA * (answered - self.success);
            self.seconds += Self::ALPHA * (seconds - self.seconds);
        }
        self.observations = self.observations.saturating_add(1);
        self.successes = self.successes.saturating_add(u64::from(success));
        self.latencies.add(latency);
        self.cost += cost;
    }

    /// Answers and failures so far.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// Answers so far.
    #[must_use]
    pub fn successes(&self) -> u64 {
        self.successes
    }

    /// The share of answers, in [0, 1], as an exponential average; `None` where nothing was observed.
    #[must_use]
    pub fn success(&self) -> Option<f64> {
        (self.observations > 0).then_some(self.success)
    }

    /// The latency as an exponential average; `None` where nothing was observed.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        // No average exceeds its largest term, but for rounding.
        (self.observations > 0).then(|| Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::MAX))
    }

    /// The latency that a share `q` of all observations does not exceed: of n in rising order the one at floor(q (n - 1)),
    /// from 0, within 1 % or a nanosecond; smallest and largest are exact.
    ///
    /// `None` where nothing was observed, and for a `q` outside [0, 1].
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        self.latencies.quantile(q)
    }

    /// What it cost altogether.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Adds what another observed of the same source. Counts, costs and quantiles are as if one had observed everything;
    /// the averages become the mean of both, each counted by its observations.
    pub fn merge(&mut self, other: &Self) {
        if other.observations == 0 {
            return;
        }
        let all = self.observations as f64 + other.observations as f64;
        let theirs = other.observations as f64 / all;
        self.success += theirs * (other.success - self.success);
        self.seconds += theirs * (other.seconds - self.seconds);
        self.observations = self.observations.saturating_add(other.observations);
        self.successes = self.successes.saturating_add(other.successes);
        self.latencies.merge(&other.latencies);
        self.cost += other.cost;
    }

    fn check(&self) -> Result<(), String> {
        self.latencies.check()?;
        if self.latencies.observations() != u128::from(self.observations) {
            return Err(format!("{} observations beside another number of latencies", self.observations));
        }
        if self.successes > self.observations {
            return Err(format!("{} successes of {} observations", self.successes, self.observations));
        }
        if !(0.0..=1.0).contains(&self.success) {
            return Err(format!("a success rate of {}, it must be in [0, 1]", self.success));
        }
        let most = Duration::MAX.as_secs_f64();
        if !(0.0..=most).contains(&self.seconds) {
            return Err(format!("an average latency of {} s, it must be in [0, {most}]", self.seconds));
        }
        Ok(())
    }
}

checked!(Track);

impl State for Track {
    const KIND: &'static str = "track";
    const VERSION: u32 = 1;
}
