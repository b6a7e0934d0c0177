//! How good probabilities are, measured against labels, one item at a time.

mod brier_parts;
mod equal_mass;
mod summary;
mod tally;

use serde::{Deserialize, Serialize};

pub use self::brier_parts::BrierParts;
pub(super) use self::equal_mass::adaptive;
pub use self::equal_mass::{adaptive_ece, equal_mass_bins};
pub use self::summary::Summary;
pub(super) use self::summary::wilson;
pub use self::tally::Bin;
use self::tally::Tally;
use super::labelled::Labelled;
use super::loss::Loss;
use super::posterior;
use crate::error::{CalibrationError, LabelError, Result, SpecError};
use crate::methods::checked::checked;

/// Bins of the calibration error, unless another number is asked for.
pub const BINS: usize = 15;

/// The most classes x bins that are counted: 5 numbers of 8 bytes each.
const MOST_CELLS: usize = 1 << 24;

/// Up to here `f64` counts exactly.
const MOST_ITEMS: u64 = 1 << 53;

/// Sums over the items scored so far: a fixed size whatever their number, and two of them merge.
///
/// Confidences, and for the parts of the Brier score the probabilities of each class, are counted in bins of equal width:
/// bin i of n holds [i/n, (i+1)/n), the last one 1 as well.
///
/// # Examples
///
/// *Items scored as they come, in two parts.*
///
/// ```
/// use consilience::calibration::Scores;
///
/// let (mut scores, mut others) = (Scores::new(2)?, Scores::new(2)?);
/// scores.add(&[0.75, 0.25], 0)?;
/// others.add(&[0.5, 0.5], 1)?;
/// scores.merge(&others)?;
/// let summary = scores.summary().expect("two items");
/// assert_eq!((summary.items, summary.accuracy.mean, summary.brier), (2, 0.5, 0.3125));
/// assert_eq!(summary.ece, (0.25 + 0.5) / 2.0);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Scores {
    classes: usize,
    right: u64,
    nll: f64,
    brier: f64,
    confidence: Vec<Tally>,
    /// Per class, each with as many bins as `confidence`.
    per_class: Vec<Tally>,
}

impl Scores {
    /// No items yet, of `classes` classes, to be counted in [`BINS`] bins.
    ///
    /// # Errors
    ///
    /// No classes, or more than can be counted.
    pub fn new(classes: usize) -> Result<Self> {
        Self::with_bins(classes, BINS)
    }

    /// The same with another number of bins.
    ///
    /// # Errors
    ///
    /// No classes, no bins, or more of either than can be counted: classes x bins is at most 2^24.
    pub fn with_bins(classes: usize, bins: usize) -> Result<Self> {
        let cells = classes.saturating_mul(bins);
        if cells == 0 || cells > MOST_CELLS {
            let (what, must) = ("classes x bins".to_owned(), "from 1 to 2^24");
            return Err(SpecError::OutOfRange { what, value: cells as f64, must }.into());
        }
        let (confidence, per_class) = (vec![Tally::default(); bins], vec![Tally::default(); cells]);
        Ok(Self { classes, right: 0, nll: 0.0, brier: 0.0, confidence, per_class })
    }

    /// The scores of these items.
    ///
    /// # Errors
    ///
    /// As [`Scores::with_bins`].
    pub fn of(labelled: &Labelled<'_>, bins: usize) -> Result<Self> {
        let mut scores = Self::with_bins(labelled.classes(), bins)?;
        labelled.rows().for_each(|(row, label)| scores.count(row, label as usize));
        Ok(scores)
    }

    /// Refuses what no items can have left.
    fn check(&self) -> Result<()> {
        let Self { classes, right, nll, brier, confidence, per_class } = self;
        let refused = |why: &str| Err(CalibrationError::State { what: "scores", why: why.to_owned() }.into());
        let cells = classes.saturating_mul(confidence.len());
        if cells == 0 || cells > MOST_CELLS || per_class.len() != cells {
            return refused("its bins do not fit its classes");
        }
        let total = |tallies: &[Tally]| tallies.iter().try_fold(0_u64, |sum, tally| sum.checked_add(tally.items()));
        let Some(items) = total(confidence).filter(|items| *items <= MOST_ITEMS && right <= items) else {
            return refused("it counts more items than there can be");
        };
        if per_class.chunks_exact(confidence.len()).any(|tallies| total(tallies) != Some(items)) {
            return refused("its bins count different numbers of items");
        }
        // The most one item can add: -ln 1e-7, and a wrong class for certain.
        let possible = |sum: f64, most: f64| (0.0..=most * items as f64).contains(&sum);
        if !(confidence.iter().chain(per_class).all(Tally::is_possible)
            && possible(*nll, 16.2)
            && possible(*brier, 2.1))
        {
            return refused("a sum is not what any items add up to");
        }
        Ok(())
    }

    /// Adds an item: its probabilities, one per class, and its true class.
    ///
    /// # Errors
    ///
    /// A row of another length or that is no distribution, a label that names no class; the error calls the item by its
    /// number among those added. Then nothing was added.
    pub fn add(&mut self, row: &[f32], label: u32) -> Result<()> {
        let item = usize::try_from(self.items()).unwrap_or(usize::MAX);
        posterior::check_row(self.classes, item, row)?;
        LabelError::check(self.classes, item, label)?;
        self.count(row, label as usize);
        Ok(())
    }

    /// Adds all items of the other.
    ///
    /// # Errors
    ///
    /// Another number of classes or bins, or more than 2^53 items together; then nothing was added.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        for (what, given, needed) in [
            ("the classes of the scores to merge", other.classes, self.classes),
            ("the bins of the scores to merge", other.confidence.len(), self.confidence.len()),
        ] {
            if given != needed {
                return Err(CalibrationError::Length { what, given, needed }.into());
            }
        }
        let items = self.items() + other.items();
        if items > MOST_ITEMS {
            let (what, must) = ("the number of items to merge".to_owned(), "at most 2^53");
            return Err(SpecError::OutOfRange { what, value: items as f64, must }.into());
        }
        self.right += other.right;
        self.nll += other.nll;
        self.brier += other.brier;
        self.confidence.iter_mut().zip(&other.confidence).for_each(|(to, from)| to.merge(from));
        self.per_class.iter_mut().zip(&other.per_class).for_each(|(to, from)| to.merge(from));
        Ok(())
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many items were added.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.confidence.iter().map(Tally::items).sum()
    }

    /// All scores; `None` before the first item.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        let items = self.items();
        if items == 0 {
            return None;
        }
        let n = items as f64;
        Some(Summary {
            items,
            accuracy: summary::wilson(self.right, items),
            nll: self.nll / n,
            brier: self.brier / n,
            brier_parts: BrierParts::of(&self.per_class, self.confidence.len()),
            ece: self.confidence.iter().map(Tally::gap).sum::<f64>() / n,
        })
    }

    /// The reliability diagram: the bins of the confidence that hold any item, from low to high.
    #[must_use]
    pub fn bins(&self) -> Vec<Bin> {
        bins_of(&self.confidence)
    }

    /// Adds an item that is known to be good.
    fn count(&mut self, row: &[f32], label: usize) {
        let bins = self.confidence.len();
        let decision = posterior::decision(row);
        self.right += u64::from(decision == label);
        self.nll += Loss::Nll.of(row, label);
        self.brier += Loss::Brier.of(row, label);
        self.confidence[bin_of(row[decision], bins)].add(row[decision], decision == label);
        for (class, (&p, tallies)) in row.iter().zip(self.per_class.chunks_exact_mut(bins)).enumerate() {
            tallies[bin_of(p, bins)].add(p, class == label);
        }
    }
}

/// Expected calibration error: the mean distance between confidence and accuracy over `bins` bins of equal width, each
/// counting by its items (Naeini, Cooper and Hauskrecht, AAAI 2015; Guo et al., ICML 2017).
///
/// # Errors
///
/// No bins, or more than 2^24.
pub fn ece(labelled: &Labelled<'_>, bins: usize) -> Result<f64> {
    Ok(equal_widths(confidences(labelled), bins)?.gap / labelled.items() as f64)
}

/// How sure each decision is, and whether it is right.
fn confidences(labelled: &Labelled<'_>) -> impl Iterator<Item = (f32, bool)> {
    labelled.rows().map(|(row, label)| {
        let decision = posterior::decision(row);
        (row[decision], decision == label as usize)
    })
}

/// What confidences and hits come to over bins of equal width.
pub(super) struct EqualWidths {
    /// The expected calibration error, times the number of items.
    pub gap: f64,
    /// The bins that hold any item.
    pub bins: Vec<Bin>,
}

/// Refuses no bins, and more than can be counted.
pub(super) fn equal_widths(confidences: impl Iterator<Item = (f32, bool)>, bins: usize) -> Result<EqualWidths> {
    if bins == 0 || bins > MOST_CELLS {
        return Err(
            SpecError::OutOfRange { what: "bins".to_owned(), value: bins as f64, must: "from 1 to 2^24" }.into()
        );
    }
    let mut tallies = vec![Tally::default(); bins];
    confidences.for_each(|(p, hit)| tallies[bin_of(p, bins)].add(p, hit));
    Ok(EqualWidths { gap: tallies.iter().map(Tally::gap).sum(), bins: bins_of(&tallies) })
}

/// Those of equal width that hold any item, from low to high.
fn bins_of(tallies: &[Tally]) -> Vec<Bin> {
    let width = 1.0 / tallies.len() as f64;
    let bin = |(i, tally): (usize, &Tally)| tally.bin(i as f64 * width, (i + 1) as f64 * width);
    tallies.iter().enumerate().filter_map(bin).collect()
}

/// The bin of equal width that a probability falls into.
pub(crate) fn bin_of(p: f32, bins: usize) -> usize {
    ((f64::from(p) * bins as f64) as usize).min(bins - 1)
}

checked!(Scores);
