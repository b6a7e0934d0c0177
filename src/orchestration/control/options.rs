//! How a controller decides.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::Detection;
use super::setting::Bounds;
use crate::error::{Result, SpecError};

/// How far a controller goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It says what it sees.
    Observe,
    /// It also says what it would do.
    Advise,
    /// It does it.
    Act,
}

/// How a controller decides. What is counted in readings is counted in intervals of whoever measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How far it goes.
    pub mode: Mode,
    /// What 95 % of the requests are to be answered within; above 0.
    ///
    /// It is the 95th percentile, for in an interval of 10 s at 10 requests a second the 99th is the time of a single one.
    pub latency: Duration,
    /// The share of requests that may fail, and of the calls of a source; in (0, 1). More is more where the lower bound of
    /// Wilson's interval of 95 % is above it; fewer than three are never too many.
    pub errors: f64,
    /// Within which settings are.
    pub bounds: Bounds,
    /// What an anomaly is.
    pub detection: Detection,
    /// How often the 95th percentile of a source is at least that of the others' median for it to be what makes requests
    /// slow; at least 1.
    pub stands_out: f64,
    /// The share of the engine's time on the accelerator from which that is what makes requests slow, in [0, 1].
    pub device_share: f64,
    /// Readings in a row that find a cause before anything is done about it; at least 1.
    pub persist: u32,
    /// Readings after an action that say nothing of its effect.
    pub settle: u32,
    /// Readings by which it is judged then; at least 1.
    pub judge: u32,
    /// How much the [`Objective`](super::Objective) has to rise for an action to have made it worse, or fall to have made
    /// it better; at least 0.
    pub margin: f64,
    /// By what factor, less one, the load may change before an action can no longer be judged; above 0. A change within three
    /// standard deviations of Poisson arrivals is none.
    pub steady: f64,
    /// Readings for which a knob is left alone after it was rolled back; each time twice as long. At least 1.
    pub cool_down: u32,
    /// Readings in a row without a cause after which one knob goes one step back to normal; at least 1.
    pub calm: u32,
    /// Good probes in a row, answered within half the latency, after which a source that rests is asked again; twice as many
    /// each time that did not last. At least 1.
    pub probes: u32,
    /// What losing all requests is worth in the objective; at least 0.
    pub lost: f64,
    /// What one knob off its normal place is worth in the objective; at least 0.
    pub price: f64,
    /// Actions that are remembered.
    pub log: usize,
}

impl Default for Options {
    /// Observes against 200 ms and 5 %. Acts after two readings, is judged by the second and the third after, and leaves a
    /// knob alone for five minutes, at 10 s a reading; a minute of calm takes a step back, and ten good probes end the rest of a source.
    fn default() -> Self {
        Self {
            mode: Mode::Observe,
            latency: Duration::from_millis(200),
            errors: 0.05,
            bounds: Bounds::default(),
            detection: Detection::default(),
            stands_out: 3.0,
            device_share: 0.8,
            persist: 2,
            settle: 1,
            judge: 2,
            margin: 0.1,
            steady: 0.25,
            cool_down: 30,
            calm: 6,
            probes: 10,
            lost: 2.0,
            price: 0.05,
            log: 256,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        SpecError::check("the latency", self.latency.as_secs_f64(), "above 0 s", !self.latency.is_zero())?;
        SpecError::check("the share of errors", self.errors, "in (0, 1)", self.errors > 0.0 && self.errors < 1.0)?;
        self.bounds.check()?;
        self.detection.check()?;
        let stands_out = self.stands_out >= 1.0 && self.stands_out.is_finite();
        SpecError::check("the factor of a slow source", self.stands_out, "at least 1 and finite", stands_out)?;
        let share = (0.0..=1.0).contains(&self.device_share);
        SpecError::check("the accelerator's share", self.device_share, "in [0, 1]", share)?;
        for (what, readings) in [
            ("the readings that find a cause", self.persist),
            ("the readings that judge", self.judge),
            ("the cool-down in readings", self.cool_down),
            ("the calm in readings", self.calm),
            ("the number of good probes", self.probes),
        ] {
            SpecError::check(what, f64::from(readings), "at least 1", readings >= 1)?;
        }
        for (what, value) in
            [("the margin", self.margin), ("what lost requests are worth", self.lost), ("the price", self.price)]
        {
            SpecError::check(what, value, "at least 0 and finite", value >= 0.0 && value.is_finite())?;
        }
        let steady = self.steady > 0.0 && self.steady.is_finite();
        Ok(SpecError::check("the change of a steady load", self.steady, "above 0 and finite", steady)?)
    }

    /// Whether surely more than the allowed share of these failed: by Wilson's lower bound.
    pub(super) fn too_many(&self, failures: f64, of: u64) -> bool {
        // The normal quantile of 0.975.
        const Z: f64 = 1.959_963_984_540_054;
        /// Of fewer the interval is not to be trusted.
        const FEW: f64 = 3.0;
        if failures < FEW || of == 0 {
            return false;
        }
        let n = of as f64;
        let p = (failures / n).clamp(0.0, 1.0);
        let centre = p + Z * Z / (2.0 * n);
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        (centre - reach) / (1.0 + Z * Z / n) > self.errors
    }
}
