//! Sums that decay.

use serde::{Deserialize, Serialize};

/// A quotient of two sums, both of which decay with each observation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ratio {
    pub top: f64,
    pub bottom: f64,
    pub observations: u64,
}

impl Ratio {
    pub(super) fn observe(&mut self, top: f64, bottom: f64, discount: f64) {
        self.top = self.top * discount + top;
        self.bottom = self.bottom * discount + bottom;
        self.observations = self.observations.saturating_add(1);
    }

    /// The quotient, once there are enough observations.
    pub(super) fn value(&self, least: u64) -> Option<f64> {
        (self.observations >= least && self.bottom > 0.0).then(|| self.top / self.bottom)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.top += other.top;
        self.bottom += other.bottom;
        self.observations = self.observations.saturating_add(other.observations);
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let Self { top, bottom, observations } = *self;
        let is_sum = |sum: f64| sum.is_finite() && sum >= 0.0 && (observations > 0 || sum == 0.0);
        if is_sum(top) && is_sum(bottom) { Ok(()) } else { Err(format!("no observations have these sums: {self:?}")) }
    }
}

/// A number of requests that decays with every request, whether it was one of those counted or not.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demanded {
    /// As it was at the request `at`.
    weight: f64,
    at: u64,
    pub observations: u64,
}

impl Demanded {
    pub(super) fn observe(&mut self, now: u64, discount: f64) {
        *self = Self {
            weight: self.weight(now, discount) + 1.0,
            at: now,
            observations: self.observations.saturating_add(1),
        };
    }

    /// What is left of it at a request.
    pub(super) fn weight(&self, now: u64, discount: f64) -> f64 {
        self.weight * discount.powf(now.saturating_sub(self.at) as f64)
    }

    /// So much left at the request `at`.
    pub(super) fn left(weight: f64, at: u64, observations: u64) -> Self {
        Self { weight, at, observations }
    }

    pub(super) fn check(&self, now: u64) -> Result<(), String> {
        let Self { weight, at, observations } = *self;
        let holds = (0.0..=observations as f64).contains(&weight) && at <= now;
        if holds { Ok(()) } else { Err(format!("no {now} requests have these sums: {self:?}")) }
    }
}
