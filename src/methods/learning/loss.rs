//! How wrong one opinion was, in [0, 1].

use serde::{Deserialize, Serialize};

use super::check;
use crate::error::Result;
use crate::kernel::calibration::outcome;
use crate::spec::LOG_FLOOR;

/// The loss of an opinion p whose true class is y: 0 is right, 1 is as wrong as can be.
///
/// | loss | formula |
/// |---|---|
/// | `ZeroOne` | [argmax p != y], a tie going to the lower class |
/// | `Brier` | 1/2 sum_k (p_k - [k = y])^2: half the Brier score (Brier 1950) |
/// | `Log` | ln max(p_y, floor) / ln floor: the logarithmic score (Good 1952), clipped and scaled |
///
/// `Brier` is proper, and so is `Log` but for its floor: a source does best by saying what it believes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Loss {
    /// One where the vote is not the true class.
    #[default]
    ZeroOne,
    /// Half the squared distance to the truth.
    Brier,
    /// The negative logarithm of the probability of the true class, over its largest value.
    Log {
        /// The smallest probability a logarithm is taken of, in (0, 1).
        floor: f64,
    },
}

impl Loss {
    /// `Log` with the floor that fusions have by default, [`LOG_FLOOR`](crate::spec::LOG_FLOOR).
    pub const LOG: Self = Self::Log { floor: LOG_FLOOR as f64 };

    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Log { floor } => check::number("floor", *floor, "in (0, 1)", |x| x > 0.0 && x < 1.0),
            _ => Ok(()),
        }
    }

    /// The loss of a distribution whose true class is `truth`.
    pub(super) fn of(&self, p: &[f64], truth: usize) -> f64 {
        match self {
            Self::ZeroOne if vote(p) == truth => 0.0,
            Self::ZeroOne => 1.0,
            Self::Brier => {
                let square = |(k, p): (usize, &f64)| if k == truth { (1.0 - p) * (1.0 - p) } else { p * p };
                (0.5 * p.iter().enumerate().map(square).sum::<f64>()).min(1.0)
            }
            Self::Log { floor } => {
                let named = p.get(truth).copied().unwrap_or_default();
                named.clamp(*floor, 1.0).ln() / floor.ln()
            }
        }
    }

    /// What the device finds of a distribution beside its true class, from which [`Loss::of_found`] follows.
    pub(super) const fn column(self) -> u32 {
        match self {
            Self::ZeroOne => outcome::DECISION,
            Self::Brier => outcome::ERROR,
            Self::Log { .. } => outcome::TRUTH,
        }
    }

    /// The loss by what was found: under `Brier` the squared distance to the truth, under `Log` the probability of the true
    /// class. Votes are judged on the host.
    pub(super) fn of_found(self, found: f64) -> f64 {
        match self {
            Self::ZeroOne => found.clamp(0.0, 1.0),
            Self::Brier => (0.5 * found).clamp(0.0, 1.0),
            Self::Log { floor } => found.clamp(floor, 1.0).ln() / floor.ln(),
        }
    }

    /// The largest learning rate eta for which exp(-eta loss) is concave in p, if there is one: for `Brier` because
    /// |p - e_y|^2 <= 2, for `Log` because exp(-eta loss) = p_y^(eta / -ln floor).
    pub(super) fn exp_concavity(&self) -> Option<f64> {
        match self {
            Self::ZeroOne => None,
            Self::Brier => Some(0.5),
            Self::Log { floor } => Some(-floor.ln()),
        }
    }
}

/// The class with the largest probability; a tie goes to the lower one.
pub(super) fn vote(p: &[f64]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &p) in p.iter().enumerate() {
        if p > best.1 {
            best = (class, p);
        }
    }
    best.0
}
