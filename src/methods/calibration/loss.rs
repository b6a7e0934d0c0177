//! What one item's probabilities cost once its true class is known.

use serde::{Deserialize, Serialize};

use super::labelled::Labelled;
use super::posterior;
use crate::spec::LOG_FLOOR;

/// A loss per item: the less, the better.
///
/// | loss | of probabilities p and true class y |
/// |---|---|
/// | `Nll` | -ln max(p_y, eps), in nats, with eps = 1e-7 |
/// | `Brier` | sum over k of (p_k - [k = y])^2, in [0, 2] (Brier 1950) |
/// | `ZeroOne` | 0 where the decision is y, else 1 |
///
/// # Examples
///
/// *Is the one model better than the other on the same items?*
///
/// ```
/// use consilience::calibration::{Labelled, Loss, paired_bootstrap};
///
/// let labels = [0, 1, 0, 1];
/// let a = Labelled::new(2, &[0.9, 0.1, 0.2, 0.8, 0.9, 0.1, 0.1, 0.9], &labels)?;
/// let b = Labelled::new(2, &[0.5; 8], &labels)?;
/// let less = paired_bootstrap(&Loss::Brier.per_item(&a), &Loss::Brier.per_item(&b), 1000, 1, 0.95)?;
/// assert!(less.high < 0.0);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Negative log-likelihood of the true class.
    Nll,
    /// Squared distance from the truth.
    Brier,
    /// One for a wrong decision.
    ZeroOne,
}

impl Loss {
    /// The loss of every item, in their order.
    #[must_use]
    pub fn per_item(self, labelled: &Labelled<'_>) -> Vec<f64> {
        labelled.rows().map(|(row, label)| self.of(row, label as usize)).collect()
    }

    /// The mean loss.
    #[must_use]
    pub fn mean(self, labelled: &Labelled<'_>) -> f64 {
        let sum: f64 = labelled.rows().map(|(row, label)| self.of(row, label as usize)).sum();
        sum / labelled.items() as f64
    }

    /// The loss of one item, whose label names one of the row's classes.
    pub(crate) fn of(self, row: &[f32], label: usize) -> f64 {
        match self {
            Self::Nll => f64::from(row[label].clamp(LOG_FLOOR, 1.0)).ln().abs(),
            Self::Brier => {
                let from_truth = |(class, &p): (usize, &f32)| f64::from(p) - f64::from(u8::from(class == label));
                row.iter().enumerate().map(from_truth).map(|gap| gap * gap).sum()
            }
            Self::ZeroOne => f64::from(u8::from(posterior::decision(row) != label)),
        }
    }
}

/// Mean negative log-likelihood in nats; see [`Loss::Nll`].
#[must_use]
pub fn nll(labelled: &Labelled<'_>) -> f64 {
    Loss::Nll.mean(labelled)
}

/// Mean Brier score; see [`Loss::Brier`].
#[must_use]
pub fn brier(labelled: &Labelled<'_>) -> f64 {
    Loss::Brier.mean(labelled)
}

/// The share of items decided right; of classes with equal probability the lower one is decided for.
#[must_use]
pub fn accuracy(labelled: &Labelled<'_>) -> f64 {
    1.0 - Loss::ZeroOne.mean(labelled)
}
