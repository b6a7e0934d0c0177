//! What a selector answers, and what it learns from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Arm, Context, Estimate, Infeasible};

/// How a request is carried out, and why: everything that is needed to learn from the outcome, now or after it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// How.
    pub arm: Arm,
    /// Why.
    pub reason: Reason,
    /// The probability with which the arm was taken: 1 where nothing was drawn.
    pub propensity: f64,
    /// What the bandit would do, or did: unless the mode is [`Mode::Fixed`](super::Mode::Fixed), or only one arm can be
    /// taken.
    pub advice: Option<Advice>,
    /// What is taken instead, in this order, if it fails; the last is [`Arm::Sequential`], after which there is nothing.
    pub fallbacks: Vec<Arm>,
    /// Why each arm cannot be taken, in the order of [`Arm::ALL`].
    pub masked: [Option<Infeasible>; Arm::ALL.len()],
    /// How long it will take; `None` where nothing is known of that.
    pub estimate: Option<Estimate>,
    /// The requests it is learned from together with.
    pub context: Context,
    /// How long what is missing takes, one after another, against which the latency is rewarded.
    pub work: Option<Duration>,
}

/// What the bandit drew, and how likely it was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The arm drawn.
    pub arm: Arm,
    /// The probability of each arm, in the order of [`Arm::ALL`]; 0 where it cannot be taken.
    pub propensities: [f64; Arm::ALL.len()],
}

/// Why an arm was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// All that is needed is held.
    Held,
    /// The rule: most of what is needed is held, or about to be.
    MostlyHeld,
    /// The rule: enough is gained side by side, and the request is not too complex.
    Parallel,
    /// The rule: it takes long, and something is gained by more machines.
    Costly,
    /// The rule: there is no time to ask one after another.
    Pressed,
    /// The rule: nothing speaks for more.
    Otherwise,
    /// The bandit drew it.
    Drawn,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Held, Self::MostlyHeld, Self::Parallel, Self::Costly, Self::Pressed, Self::Otherwise, Self::Drawn];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::MostlyHeld => "mostly_held",
            Self::Parallel => "parallel",
            Self::Costly => "costly",
            Self::Pressed => "pressed",
            Self::Otherwise => "otherwise",
            Self::Drawn => "drawn",
        }
    }
}

/// How a choice turned out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Whether the arm itself led to an answer, and not a fallback.
    pub success: bool,
    /// How long it took until there was an answer, or none was to be had.
    pub latency: Duration,
    /// How right the answer was, in [0, 1]; `None` where that is not known.
    pub correctness: Option<f64>,
}
