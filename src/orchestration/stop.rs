//! When enough has been heard.

mod lock;

use serde::{Deserialize, Serialize};

pub use self::lock::{Lock, Race};
use crate::error::{Result, SpecError};
use crate::orchestration::telemetry::Label;

/// When a request need not wait for the sources that have not answered yet. They are cancelled then, and count as censored,
/// not as failed.
///
/// By default it waits for all.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stop {
    /// As soon as nothing that the others could say would change the decision: exact, whatever they would have said. See
    /// [`Lock`] for the rules that have a bound.
    pub lock: bool,
    /// As soon as the posterior of what has been heard reaches this confidence, in (0, 1]. The others might have changed
    /// the decision.
    pub confidence: Option<f32>,
    /// Opinions that must have been heard before a confidence counts, and after which no slow source is asked twice. Of 0,
    /// one opinion is enough for a confidence, and none for the other.
    pub quorum: usize,
}

/// Why a request waited no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Every source has answered or failed.
    Complete,
    /// The decision could no longer change.
    Locked,
    /// The posterior was sure enough.
    Confident,
    /// The deadline came.
    Deadline,
}

impl Stop {
    /// When the decision can no longer change.
    pub const LOCKED: Self = Self { lock: true, confidence: None, quorum: 0 };

    /// The same, but also at a confidence, once `quorum` opinions have been heard.
    #[must_use]
    pub fn or_at(mut self, confidence: f32, quorum: usize) -> Self {
        (self.confidence, self.quorum) = (Some(confidence), quorum);
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.confidence {
            Some(confidence) if !(confidence > 0.0 && confidence <= 1.0) => {
                let (what, value) = ("the confidence to stop at".to_owned(), f64::from(confidence));
                Err(SpecError::OutOfRange { what, value, must: "in (0, 1]" }.into())
            }
            _ => Ok(()),
        }
    }
}

impl Label for Stopped {
    const KEY: &'static str = "stopped";
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Stopped {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Complete, Self::Locked, Self::Confident, Self::Deadline];

    /// Its name in metrics and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Locked => "locked",
            Self::Confident => "confident",
            Self::Deadline => "deadline",
        }
    }
}
