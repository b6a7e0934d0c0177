//! What a router answers, and what it learns from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Complexity, Context, Demotion, Plan, Way};
use crate::orchestration::Cost;

/// Whom to ask, and why: everything that is needed to learn from the outcome, now or after it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Whom to ask, in which order.
    pub plan: Plan,
    /// The way that the strategy came down to.
    pub way: Way,
    /// Why the plan is as it is.
    pub reason: Reason,
    /// How complex the request is.
    pub complexity: Complexity,
    /// The requests it is learned from together with.
    pub context: Context,
    /// The probability with which [`Choice::way`] was taken: 1 where nothing was drawn.
    pub propensity: f64,
    /// What the bandit would do, or did: under [`Strategy::Adaptive`](super::Strategy::Adaptive), unless it is
    /// [`Mode::Fixed`](super::Mode::Fixed).
    pub advice: Option<Advice>,
    /// The groups asked last, each with the reason; where that changed the plan, nothing is learned of the way.
    pub demoted: Vec<Demotion>,
    /// Whether groups that would be asked last were given another chance.
    pub probed: bool,
    /// What the first step of the plan is expected to cost.
    pub cost: Cost,
}

/// What the bandit drew, and how likely it was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The way drawn.
    pub way: Way,
    /// The probability of each way, in the order of [`Way::ALL`].
    pub propensities: [f64; Way::ALL.len()],
}

/// Why a plan is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The strategy leaves no choice.
    Fixed,
    /// The rule: the complexity is below the threshold.
    Simple,
    /// The rule: the complexity is at the threshold or above.
    Complex,
    /// The bandit drew it.
    Drawn,
    /// A group that would have been asked earlier fails too often.
    Failing,
    /// A group that would have been asked earlier takes longer than there is time.
    Slow,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Fixed, Self::Simple, Self::Complex, Self::Drawn, Self::Failing, Self::Slow];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Simple => "simple",
            Self::Complex => "complex",
            Self::Drawn => "drawn",
            Self::Failing => "failing",
            Self::Slow => "slow",
        }
    }
}

/// How a choice turned out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How good the answer was, all in all, in [0, 1]; `None` where that is not known. [`Worth`] is one way to say it.
    pub reward: Option<f64>,
    /// The groups that were asked.
    pub attempts: Vec<Attempt>,
}

/// How one group did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its name.
    pub group: String,
    /// Whether it answered.
    pub success: bool,
    /// How long it took.
    pub latency: Duration,
    /// What it cost.
    pub cost: Cost,
}

/// What a right answer is worth, less its time and its money.
///
/// # Examples
///
/// *A right answer after two seconds, where a second costs a tenth.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::Cost;
/// use consilience::orchestration::router::Worth;
///
/// let worth = Worth { second: 0.125, million: 0.0 };
/// assert_eq!(worth.reward(1.0, Duration::from_secs(2), Cost::CALL), 0.75);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worth {
    /// What a second takes off.
    pub second: f64,
    /// What a million [`Cost::micros`] take off.
    pub million: f64,
}

impl Worth {
    /// `correctness`, in [0, 1], less what time and money take off; at least 0 and at most 1.
    #[must_use]
    pub fn reward(&self, correctness: f64, latency: Duration, cost: Cost) -> f64 {
        (correctness - self.of(latency, cost)).clamp(0.0, 1.0)
    }

    /// What time and money come to.
    #[must_use]
    pub fn of(&self, latency: Duration, cost: Cost) -> f64 {
        self.second * latency.as_secs_f64() + self.million * cost.micros as f64 * 1e-6
    }
}
