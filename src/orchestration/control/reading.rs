//! What one interval measured.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::orchestration::Track;

/// What was measured in one interval, of 10 s for one.
///
/// `arrivals` = `refused` + those that were let in; `ended` are those whose answer, or error, came in the interval.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// When it ended, since the start.
    pub at: Duration,
    /// How long it was.
    pub length: Duration,
    /// Requests that came, those refused included.
    pub arrivals: u64,
    /// Requests that ended, well or not; those refused are not among them.
    pub ended: u64,
    /// Of those, how many ended in an error that is not the caller's.
    pub errors: u64,
    /// Requests turned away unasked: shed, or for want of room.
    pub refused: u64,
    /// From the arrival to the end, of the requests that ended; `None` where none did.
    pub latency: Option<Quantiles>,
    /// Requests under way at its end.
    pub under_way: u64,
    /// Requests that waited for their turn at its end.
    pub queued: u64,
    /// The share of the engine's time that was the accelerator's, in [0, 1]; `None` where the engine did nothing.
    pub device_share: Option<f64>,
    /// The load expected in the next minute, in requests a second, where a forecast is worth anything.
    pub expected: Option<f64>,
    /// Every source.
    pub sources: Vec<SourceReading>,
}

/// What was measured of one source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceReading {
    /// Its name.
    pub name: String,
    /// Calls of which is known how they ended: with an answer, an abstention, a failure, or not by their deadline.
    pub calls: u64,
    /// Of those, how many failed or ran out of time.
    pub failures: u64,
    /// Calls that were cancelled before their deadline, for their answer was no longer wanted.
    pub cancelled: u64,
    /// Of all of these, those cancelled counted with the time they had taken by then: bounds from below where there are
    /// such. `None` of no calls.
    pub latency: Option<Quantiles>,
    /// How it answered on the side, in their order, while it rested.
    pub probes: Vec<Probe>,
}

/// One asking of a source that rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Whether it answered, or declined to.
    pub answered: bool,
    /// How long that took.
    pub latency: Duration,
}

/// Quantiles of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: Duration,
    /// What 95 % do not exceed.
    pub p95: Duration,
    /// What 99 % do not exceed.
    pub p99: Duration,
}

impl Quantiles {
    /// Of everything a track observed; `None` where it observed nothing.
    ///
    /// # Examples
    ///
    /// *One request in twenty-one is slow.*
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use consilience::orchestration::control::Quantiles;
    /// use consilience::orchestration::{Cost, Track};
    ///
    /// let mut track = Track::default();
    /// assert_eq!(Quantiles::of(&track), None);
    /// let (fast, slow) = (Duration::from_millis(10), Duration::from_secs(1));
    /// (0..20).for_each(|_| track.observe(true, fast, Cost::CALL));
    /// track.observe(true, slow, Cost::CALL);
    /// let quantiles = Quantiles::of(&track).expect("21 latencies");
    /// // Within 1 %, but for the smallest and the largest.
    /// assert_eq!(quantiles.p50.as_secs_f64().mul_add(100.0, 0.5) as u64, 1);
    /// assert_eq!(track.quantile(1.0), Some(slow));
    /// ```
    #[must_use]
    pub fn of(track: &Track) -> Option<Self> {
        Some(Self { p50: track.quantile(0.5)?, p95: track.quantile(0.95)?, p99: track.quantile(0.99)? })
    }
}

impl Reading {
    /// The share of the requests that ended in an error.
    pub(super) fn error_rate(&self) -> f64 {
        share(self.errors, self.ended)
    }

    /// The share of the requests that were turned away.
    pub(super) fn lost(&self) -> f64 {
        share(self.refused, self.arrivals)
    }

    /// The number of the requests turned away beyond the share that was to be.
    pub(super) fn lost_beyond(&self, shed: f64) -> f64 {
        (self.refused.min(self.arrivals) as f64 - shed * self.arrivals as f64).max(0.0)
    }

    /// The 95th percentile of the latency in seconds; where requests are under way and none ended, how long that has been
    /// so. `None` where there were none.
    pub(super) fn slowness(&self) -> Option<f64> {
        let stalled = || (self.ended == 0 && self.under_way > 0).then_some(self.length);
        self.latency.map(|quantiles| quantiles.p95).or_else(stalled).map(|latency| latency.as_secs_f64())
    }

    /// Requests a second that came.
    pub(super) fn load(&self) -> f64 {
        self.a_second(self.arrivals)
    }

    /// Requests a second that ended.
    pub(super) fn done(&self) -> f64 {
        self.a_second(self.ended)
    }

    fn a_second(&self, count: u64) -> f64 {
        let seconds = self.length.as_secs_f64();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }
}

impl SourceReading {
    /// The share of the calls that failed.
    pub(super) fn failure_rate(&self) -> f64 {
        share(self.failures, self.calls)
    }
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part.min(of) as f64 / of as f64 }
}
