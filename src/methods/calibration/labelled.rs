//! Posteriors beside the classes that turned out true.

use super::posterior;
use crate::error::{CalibrationError, LabelError, Result};

/// Below this many labelled items a fit is marked as one of few items: even an accuracy, the simplest of what is
/// estimated from them, then has a standard error of up to 0.05.
pub const FEW_ITEMS: usize = 100;

/// Posteriors, row-major [B, C], and the true class of each item: borrowed, and checked when they are put together.
///
/// # Examples
///
/// ```
/// use consilience::calibration::{Labelled, accuracy, brier};
///
/// let labelled = Labelled::new(2, &[0.75, 0.25, 0.5, 0.5], &[0, 1])?;
/// assert_eq!((labelled.items(), accuracy(&labelled), brier(&labelled)), (2, 0.5, 0.3125));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    classes: usize,
    posterior: &'a [f32],
    labels: &'a [u32],
}

impl<'a> Labelled<'a> {
    /// `posterior` has `classes` values per item, `labels` one class per item.
    ///
    /// # Errors
    ///
    /// No classes, no items, lengths that do not fit, a row that is no distribution (within 1e-3), a label that names no
    /// class: the error names the item.
    pub fn new(classes: usize, posterior: &'a [f32], labels: &'a [u32]) -> Result<Self> {
        let items = posterior::check(classes, posterior)?;
        if labels.len() != items {
            return Err(CalibrationError::Length { what: "labels", given: labels.len(), needed: items }.into());
        }
        if items == 0 {
            return Err(CalibrationError::NoItems.into());
        }
        labels.iter().enumerate().try_for_each(|(item, &label)| LabelError::check(classes, item, label))?;
        Ok(Self { classes, posterior, labels })
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of items, B: at least one.
    #[must_use]
    pub fn items(&self) -> usize {
        self.labels.len()
    }

    /// Each item's probabilities and its true class.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&'a [f32], u32)> + use<'a> {
        self.posterior.chunks_exact(self.classes).zip(self.labels.iter().copied())
    }
}
