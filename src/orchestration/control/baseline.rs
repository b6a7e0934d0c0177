//! What is usual of a signal, and how far from it a value is.

use serde::{Deserialize, Serialize};

use super::page_hinkley::{PageHinkley, Rise};
use crate::error::{Result, SpecError};

/// When a rise of a latency or of a share of failures is an anomaly.
///
/// Latencies are compared as logarithms, z = (ln x - m) / max(s, `least_scale`); failures f of n as z = (f - n p) /
/// sqrt(n q (1 - q)), q = max(p, `least_share`). m, s and p are exponential averages over `memory` readings, over all of
/// them before; they are learned of values cut off at the limit of the test, so that a rise becomes usual in time and an
/// outlier changes little.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detection {
    /// The test of Page and Hinkley.
    pub rise: Rise,
    /// Readings from which is learned what is usual before anything can be an anomaly; at least 2.
    pub warm_up: u32,
    /// Readings over which what is usual is averaged; at least the warm-up.
    pub memory: u32,
    /// The least standard deviation of the logarithm of a latency: what varies less is taken to vary by so much. Above 0.
    pub least_scale: f64,
    /// The least share of failures that is taken to be usual, in (0, 0.5].
    pub least_share: f64,
    /// Requests, or calls, without which a reading has no quantile and no share worth looking at; at least 1.
    pub least_calls: u64,
}

impl Default for Detection {
    /// Two minutes of warm-up and ten of memory, at 10 s a reading; latencies vary by a quarter and one call in a hundred
    /// fails; twenty calls make a reading.
    fn default() -> Self {
        Self { rise: Rise::default(), warm_up: 12, memory: 60, least_scale: 0.25, least_share: 0.01, least_calls: 20 }
    }
}

impl Detection {
    pub(super) fn check(&self) -> Result<()> {
        self.rise.check()?;
        let Self { warm_up, memory, least_scale, least_share, least_calls, .. } = *self;
        SpecError::check("the warm-up", f64::from(warm_up), "at least 2 readings", warm_up >= 2)?;
        SpecError::check("the memory", f64::from(memory), "at least the warm-up", memory >= warm_up)?;
        let scale = least_scale > 0.0 && least_scale.is_finite();
        SpecError::check("the least scale", least_scale, "above 0 and finite", scale)?;
        SpecError::check("the least share", least_share, "in (0, 0.5]", least_share > 0.0 && least_share <= 0.5)?;
        Ok(SpecError::check("the least number of calls", least_calls as f64, "at least 1", least_calls > 0)?)
    }

    /// How much the newest of so many readings counts.
    fn part(&self, readings: u32) -> f64 {
        1.0 / f64::from(readings.min(self.memory))
    }
}

/// An alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alarm {
    /// The sum of the test.
    pub sum: f64,
    /// What is usual, in the unit of the signal.
    pub usual: f64,
}

/// Latencies, whose logarithms are compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    test: PageHinkley,
    readings: u32,
    mean: f64,
    variance: f64,
}

impl Level {
    pub fn new(detection: &Detection) -> Self {
        Self { test: PageHinkley::of(detection.rise), readings: 0, mean: 0.0, variance: 0.0 }
    }

    /// Takes in a latency in seconds.
    pub fn observe(&mut self, seconds: f64, detection: &Detection) -> Option<Alarm> {
        // Less than a nanosecond there is only zero.
        let x = seconds.max(1e-9).ln();
        let scale = self.variance.sqrt().max(detection.least_scale);
        let usual = self.mean.exp();
        let mut step = x - self.mean;
        let mut alarm = None;
        if self.readings >= detection.warm_up {
            let limit = detection.rise.limit * scale;
            alarm = self.test.observe(step / scale).map(|sum| Alarm { sum, usual });
            step = step.clamp(-limit, limit);
        }
        self.readings = self.readings.saturating_add(1);
        let part = detection.part(self.readings);
        self.mean += part * step;
        self.variance = (1.0 - part) * (self.variance + part * step * step);
        alarm
    }
}

/// Shares of failures.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    test: PageHinkley,
    readings: u32,
    mean: f64,
}

impl Share {
    pub fn new(detection: &Detection) -> Self {
        Self { test: PageHinkley::of(detection.rise), readings: 0, mean: 0.0 }
    }

    /// Takes in how many of `calls` failed; there is one call at least.
    pub fn observe(&mut self, failures: u64, calls: u64, detection: &Detection) -> Option<Alarm> {
        let (failures, calls, usual) = (failures.min(calls) as f64, calls as f64, self.mean);
        let least = usual.clamp(detection.least_share, 0.5);
        let scale = (calls * least * (1.0 - least)).sqrt();
        let mut over = failures - calls * usual;
        let mut alarm = None;
        if self.readings >= detection.warm_up {
            alarm = self.test.observe(over / scale).map(|sum| Alarm { sum, usual });
            over = over.min(detection.rise.limit * scale);
        }
        self.readings = self.readings.saturating_add(1);
        self.mean = (usual + detection.part(self.readings) * over / calls).clamp(0.0, 1.0);
        alarm
    }
}
