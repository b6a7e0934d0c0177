//! The Brier score taken apart.

use serde::{Deserialize, Serialize};

use super::tally::Tally;

/// The parts of the mean Brier score, summed over the classes, each against the rest:
/// Brier = reliability - resolution + uncertainty + within_bins.
///
/// With bins b of n_b items, their mean probability f_b and frequency o_b, and the overall frequency o of the class, each part
/// is summed over the classes and over the bins of each, and divided by the number of items (Murphy 1973). That decomposition
/// holds for probabilities that are constant within a bin; what they vary by is the fourth part (Stephenson, Coelho and
/// Jolliffe 2008), with which the identity is exact.
///
/// # Examples
///
/// ```
/// use consilience::calibration::{Labelled, Scores};
///
/// let labelled = Labelled::new(2, &[0.75, 0.25, 0.75, 0.25], &[0, 1])?;
/// let parts = Scores::of(&labelled, 10)?.summary().expect("two items").brier_parts;
/// assert_eq!((parts.reliability, parts.resolution, parts.uncertainty, parts.within_bins), (0.125, 0.0, 0.5, 0.0));
/// assert_eq!(parts.brier(), 0.625);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BrierParts {
    /// Mean of (f_b - o_b)^2: the less, the better calibrated.
    pub reliability: f64,
    /// Mean of (o_b - o)^2: the more, the better what comes true is told from what does not.
    pub resolution: f64,
    /// o (1 - o): what the labels alone leave open.
    pub uncertainty: f64,
    /// Mean of (p - f_b)^2 - 2 (p - f_b)(h - o_b), with h = 1 where the class is true, else 0: what the bins hide.
    pub within_bins: f64,
}

impl BrierParts {
    /// The Brier score they add up to.
    #[must_use]
    pub fn brier(&self) -> f64 {
        self.reliability - self.resolution + self.uncertainty + self.within_bins
    }

    /// Of the tallies of each class, `bins` per class, all of the same number of items above zero.
    pub(super) fn of(per_class: &[Tally], bins: usize) -> Self {
        let mut parts = Self::default();
        for tallies in per_class.chunks_exact(bins) {
            let items = tallies.iter().map(Tally::items).sum::<u64>() as f64;
            let overall = tallies.iter().map(Tally::hits).sum::<u64>() as f64 / items;
            parts.uncertainty += overall * (1.0 - overall);
            for tally in tallies {
                let share = tally.items() as f64 / items;
                parts.reliability += share * (tally.mean() - tally.frequency()).powi(2);
                parts.resolution += share * (tally.frequency() - overall).powi(2);
                parts.within_bins += tally.within() / items;
            }
        }
        parts
    }
}
