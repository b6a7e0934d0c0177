//! An expert and how far its confidence can be believed.

use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};
use crate::methods::calibration::Curve;

/// Somebody who can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expert {
    /// What it is called; no two experts of a gate share a name.
    pub name: String,
    /// How many requests it may be busy with, at least 1.
    pub at_once: usize,
    /// What its confidence means.
    pub calibration: Calibration,
}

impl Expert {
    /// An expert whose confidence is taken as it is, for 64 requests at once.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), at_once: 64, calibration: Calibration::Identity }
    }

    /// The same for another number of requests at once.
    #[must_use]
    pub fn at_once(mut self, at_once: usize) -> Self {
        self.at_once = at_once;
        self
    }

    /// The same with another calibration.
    #[must_use]
    pub fn calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = calibration;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.at_once == 0 {
            let what = format!("the number of requests that the expert `{}` takes at once", self.name);
            return Err(SpecError::OutOfRange { what, value: 0.0, must: "at least 1" }.into());
        }
        match &self.calibration {
            Calibration::Temperature(t) if !(t.is_finite() && *t > 0.0) => {
                let what = format!("the temperature of the expert `{}`", self.name);
                Err(SpecError::OutOfRange { what, value: *t, must: "above 0 and finite" }.into())
            }
            Calibration::Curve(curve) => match curve.knots().find(|(_, y)| !(0.0..=1.0).contains(y)) {
                Some((x, value)) => {
                    let what = format!("the curve of the expert `{}` at {x}", self.name);
                    Err(SpecError::OutOfRange { what, value, must: "in [0, 1]" }.into())
                }
                None => Ok(()),
            },
            Calibration::Identity | Calibration::Temperature(_) => Ok(()),
        }
    }
}

/// From the confidence that an expert states to how often it is right.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// As stated.
    #[default]
    Identity,
    /// The pair (c, 1 - c) at a temperature T above 0, logs taken of values of at least 1e-7: at T = 1 c itself, above it
    /// less sure. [`Temperature::value`](crate::methods::calibration::Temperature::value) of one fitted to two classes.
    Temperature(f64),
    /// A rising curve within [0, 1].
    Curve(Curve),
}

impl Calibration {
    /// The calibrated confidence, in [0, 1].
    pub(super) fn of(&self, confidence: f64) -> f64 {
        const LEAST: f64 = 1e-7;
        match self {
            Self::Identity => confidence,
            Self::Temperature(t) => {
                let odds = confidence.max(LEAST).ln() - (1.0 - confidence).max(LEAST).ln();
                1.0 / (1.0 + (-odds / t).exp())
            }
            Self::Curve(curve) => curve.at(confidence),
        }
    }
}
