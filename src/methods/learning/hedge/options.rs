//! How multiplicative weights learn.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::methods::learning::Loss;
use crate::methods::learning::check;

/// Rate, feedback and share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HedgeOptions {
    /// How fast weights fall.
    pub rate: Rate,
    /// What they fall with.
    pub feedback: Feedback,
    /// What every awake source gives to the others after each round, alpha in [0, 1); 0 is Hedge, above it Fixed Share.
    pub share: f64,
}

/// The learning rate, eta.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// This one, in (0, 10^6].
    Fixed(f64),
    /// sqrt(8 ln N / T), at which the bound for T rounds is smallest: sqrt(T ln N / 2). T is at least 1; one source counts
    /// as two.
    Horizon(u64),
}

/// What the weights fall with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feedback {
    /// The loss of each source.
    Loss(Loss),
    /// The gradient of the linear pool's loss, which is [`Loss::Brier`]: with P the pool and y the truth as a vector,
    /// (P - y) . (p_n - y) / 2 in [0, 1]. What each source adds to the pool's error counts, not how wrong it is alone.
    Gradient,
}

impl HedgeOptions {
    /// The Bayesian mixture: the logarithmic loss at the rate -ln floor, so that weights are the products of the
    /// probabilities that the sources gave to what was true. See [`Hedge::mixable_bound`](super::Hedge::mixable_bound).
    #[must_use]
    pub fn bayesian(floor: f64) -> Self {
        Self { rate: Rate::Fixed(-floor.ln()), feedback: Feedback::Loss(Loss::Log { floor }), share: 0.0 }
    }

    pub(super) fn check(&self) -> Result<()> {
        self.loss().check()?;
        match self.rate {
            Rate::Fixed(eta) => check::number("rate", eta, "in (0, 10^6]", |x| x > 0.0 && x <= 1e6)?,
            Rate::Horizon(rounds) => check::number("horizon", rounds as f64, "at least 1", |x| x >= 1.0)?,
        }
        check::number("share", self.share, "in [0, 1)", |x| (0.0..1.0).contains(&x))
    }

    /// What the sources and the mixture are measured by.
    pub(super) fn loss(&self) -> Loss {
        match self.feedback {
            Feedback::Loss(loss) => loss,
            Feedback::Gradient => Loss::Brier,
        }
    }
}

impl Default for HedgeOptions {
    /// A rate of 0.5 on half the Brier score, without a share.
    fn default() -> Self {
        Self { rate: Rate::Fixed(0.5), feedback: Feedback::Loss(Loss::Brier), share: 0.0 }
    }
}

impl Rate {
    pub(super) fn eta(self, sources: usize) -> f64 {
        match self {
            Self::Fixed(eta) => eta,
            Self::Horizon(rounds) => (8.0 * (sources.max(2) as f64).ln() / rounds as f64).sqrt(),
        }
    }
}
