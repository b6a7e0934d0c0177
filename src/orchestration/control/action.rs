//! What is done, and why.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bottleneck::Bottleneck;
use super::setting::{Knob, Value};

/// One knob that is set, or should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The end of the reading after which it was decided on.
    pub at: Duration,
    /// What is set.
    pub knob: Knob,
    /// What it was set to before.
    pub from: Value,
    /// What it is set to from now on.
    pub to: Value,
    /// Why.
    pub reason: Reason,
    /// Whether it was done.
    pub kind: Kind,
}

/// Whether an action was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is only said that it should be.
    Advised,
    /// It was done.
    Taken,
    /// An earlier one was undone.
    RolledBack,
}

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Against this.
    Against(Bottleneck),
    /// A source that rested answers as it should when it is asked on the side.
    Recovered {
        /// Good probes in a row.
        probes: u32,
    },
    /// Nothing exceeded what is allowed for so many readings.
    Calm {
        /// Their number.
        readings: u32,
    },
    /// The objective rose.
    Worse {
        /// The objective before the action.
        before: f64,
        /// The objective after it.
        after: f64,
    },
    /// The objective did not fall.
    NoBetter {
        /// The objective before the action.
        before: f64,
        /// The objective after it.
        after: f64,
    },
    /// The load changed so much that its effect cannot be told.
    Unclear {
        /// Requests that came in a reading before the action.
        before: f64,
        /// Requests that came in a reading after it.
        after: f64,
    },
    /// The way back to normal was a step too far.
    Back(Bottleneck),
}

impl Kind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advised => "advised",
            Self::Taken => "taken",
            Self::RolledBack => "rolled_back",
        }
    }
}

impl Reason {
    /// Its name, for a label: no numbers and no names of sources are in it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Against(bottleneck) => bottleneck.name(),
            Self::Recovered { .. } => "recovered",
            Self::Calm { .. } => "calm",
            Self::Worse { .. } => "worse",
            Self::NoBetter { .. } => "no_better",
            Self::Unclear { .. } => "unclear",
            Self::Back(_) => "too_soon",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            Kind::Advised => "should go",
            Kind::Taken => "goes",
            Kind::RolledBack => "goes back",
        };
        write!(f, "{} {verb} from {} to {}: {}", self.knob, self.from, self.to, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Against(bottleneck) => bottleneck.fmt(f),
            Self::Recovered { probes } => write!(f, "it answered {probes} probes in a row as it should"),
            Self::Calm { readings } => write!(f, "nothing exceeded what is allowed for {readings} readings"),
            Self::Worse { before, after } => write!(f, "the objective rose from {before:.2} to {after:.2}"),
            Self::NoBetter { before, after } => write!(f, "the objective went from {before:.2} to {after:.2} only"),
            Self::Unclear { before, after } => {
                write!(
                    f,
                    "{after:.0} requests came in a reading and {before:.0} before, so that its effect cannot be told"
                )
            }
            Self::Back(bottleneck) => write!(f, "that was too soon, for {bottleneck}"),
        }
    }
}
