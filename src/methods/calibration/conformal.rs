//! Sets of classes that hold the true one as often as stated.

mod nonconformity;

use serde::{Deserialize, Serialize};

pub use self::nonconformity::Nonconformity;
use super::labelled::Labelled;
use super::posterior;
use crate::error::{CalibrationError, Result, SpecError};
use crate::methods::checked::checked;

/// Split conformal prediction: sets of classes that hold the true class with probability at least 1 - alpha.
///
/// The set of a row is every class whose [`Nonconformity`] is at most the ceil((n+1)(1-alpha))-th smallest of those of the
/// true classes of the n items of the fit (Vovk, Gammerman and Shafer 2005). The coverage is that of a new item and the fit
/// together: it holds on average over items that are exchangeable with those of the fit, however wrong the posteriors are,
/// and not for each item or class by itself. Where n is too small for the level, below (1-alpha)/alpha, every set is full.
/// A set may be empty: no class is then as credible as the level asks for.
///
/// # Examples
///
/// *Nine items are the fewest for 90 %.*
///
/// ```
/// use consilience::calibration::{ConformalSets, Labelled, Nonconformity};
///
/// let posterior = [0.75, 0.25, 0.0].repeat(9);
/// let labels = [0, 0, 0, 0, 0, 0, 0, 1, 0];
/// let labelled = Labelled::new(3, &posterior, &labels)?;
/// let sets = ConformalSets::fit(&labelled, 0.1, Nonconformity::Lac)?;
/// assert_eq!(sets.threshold(), Some(0.75));
/// assert_eq!(sets.set(&[0.7, 0.3, 0.0])?, [0, 1]);
///
/// let fewer = Labelled::new(3, &posterior[..24], &labels[..8])?;
/// let sets = ConformalSets::fit(&fewer, 0.1, Nonconformity::Lac)?;
/// assert_eq!((sets.threshold(), sets.set(&[0.7, 0.3, 0.0])?), (None, vec![0, 1, 2]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ConformalSets {
    classes: usize,
    items: usize,
    alpha: f64,
    nonconformity: Nonconformity,
    threshold: Option<f64>,
}

/// How sets do on labelled items that were not fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SetQuality {
    /// The share of items whose set holds the true class.
    pub coverage: f64,
    /// The mean number of classes in a set.
    pub mean_size: f64,
    /// The share of items whose set is empty.
    pub empty: f64,
}

impl ConformalSets {
    /// Sets with a coverage of at least 1 - `alpha`, by the nonconformity given.
    ///
    /// The items must not be ones that the posteriors, or a calibration of them, were fitted to.
    ///
    /// # Errors
    ///
    /// An `alpha` outside (0, 1).
    pub fn fit(labelled: &Labelled<'_>, alpha: f64, nonconformity: Nonconformity) -> Result<Self> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(SpecError::OutOfRange { what: "alpha".to_owned(), value: alpha, must: "in (0, 1)" }.into());
        }
        let mut of_classes = vec![0.0; labelled.classes()];
        let of_truth = |(row, label): (&[f32], u32)| {
            nonconformity.of_row(row, &mut of_classes);
            of_classes[label as usize]
        };
        let mut of_truths: Vec<f64> = labelled.rows().map(of_truth).collect();
        let (classes, items) = (labelled.classes(), of_truths.len());
        let threshold = rank(items, alpha).map(|rank| *of_truths.select_nth_unstable_by(rank - 1, f64::total_cmp).1);
        Ok(Self { classes, items, alpha, nonconformity, threshold })
    }

    /// Refuses what no fit can have left.
    fn check(&self) -> Result<()> {
        let &Self { classes, items, alpha, threshold, .. } = self;
        let refused = |why: String| Err(CalibrationError::State { what: "conformal sets", why }.into());
        if classes == 0 || items == 0 || !(alpha > 0.0 && alpha < 1.0) {
            return refused(format!("{classes} classes, {items} items and alpha = {alpha} fit no sets"));
        }
        if threshold.is_some() != rank(items, alpha).is_some() {
            return refused(format!("{items} items at alpha = {alpha} do not leave the threshold {threshold:?}"));
        }
        if let Some(threshold) = threshold.filter(|t| !(0.0..=1.0 + 1e-3).contains(t)) {
            return refused(format!("its threshold is {threshold}, outside [0, 1]"));
        }
        Ok(())
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many items they were fitted to.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// The coverage stated: at least 1 - alpha.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        1.0 - self.alpha
    }

    /// The highest nonconformity of a class in a set; `None` where so few items were fitted to that every set is full.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        self.threshold
    }

    /// The classes in the set of one row, in rising order.
    ///
    /// # Errors
    ///
    /// A row of another length, or that is no distribution; the error calls it item 0.
    pub fn set(&self, row: &[f32]) -> Result<Vec<u32>> {
        posterior::check_row(self.classes, 0, row)?;
        let members = self.membership(row)?;
        Ok((0_u32..).zip(members).filter_map(|(class, member)| member.then_some(class)).collect())
    }

    /// Whether each class is in the set of each row, row-major [B, C].
    ///
    /// # Errors
    ///
    /// No whole number of rows, or a row that is no distribution.
    pub fn membership(&self, posterior: &[f32]) -> Result<Vec<bool>> {
        posterior::check(self.classes, posterior)?;
        let Some(threshold) = self.threshold else { return Ok(vec![true; posterior.len()]) };
        let (mut members, mut of_classes) = (Vec::with_capacity(posterior.len()), vec![0.0; self.classes]);
        for row in posterior.chunks_exact(self.classes) {
            self.nonconformity.of_row(row, &mut of_classes);
            members.extend(of_classes.iter().map(|&score| score <= threshold));
        }
        Ok(members)
    }

    /// How the sets do on these items.
    ///
    /// # Errors
    ///
    /// Another number of classes.
    pub fn measure(&self, labelled: &Labelled<'_>) -> Result<SetQuality> {
        let (mut covered, mut members, mut empty) = (0_usize, 0, 0_usize);
        for (row, label) in labelled.rows() {
            let set = self.set(row)?;
            covered += usize::from(set.binary_search(&label).is_ok());
            members += set.len();
            empty += usize::from(set.is_empty());
        }
        let share = |count: usize| count as f64 / labelled.items() as f64;
        Ok(SetQuality { coverage: share(covered), mean_size: share(members), empty: share(empty) })
    }
}

/// ceil((n+1)(1-alpha)), if there are as many items.
fn rank(items: usize, alpha: f64) -> Option<usize> {
    // Less than the rounding of a decimal alpha: 10 x (1 - 0.3) is 7.
    let rank = ((items as f64 + 1.0) * (1.0 - alpha) - 1e-9).ceil().max(1.0) as usize;
    (rank <= items).then_some(rank)
}

checked!(ConformalSets);
