//! Which items are left out together.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::error::{FitError, Result};
use crate::methods::random::shuffle;

/// A fold per item: the items of a fold are answered by a model fitted to the others.
///
/// # Examples
///
/// ```
/// use consilience::stacking::Folds;
///
/// let folds = Folds::stratified(&[0, 1, 0, 1, 0, 1], 3, 7)?;
/// for fold in 0..3 {
///     assert_eq!(folds.of_items().iter().filter(|&&f| f == fold).count(), 2);
/// }
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    of_items: Vec<u32>,
    distinct: Vec<u32>,
}

impl Folds {
    /// The fold of each item, any numbers: items of one group, such as one patient, belong into one fold.
    ///
    /// # Errors
    ///
    /// Fewer than two different folds.
    pub fn given(folds: &[u32]) -> Result<Self> {
        let mut distinct = folds.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < 2 {
            return Err(FitError::Folds { folds: distinct.len(), items: folds.len() }.into());
        }
        Ok(Self { of_items: folds.to_vec(), distinct })
    }

    /// `folds` folds of sizes that differ by one at most, drawn at random; the same for the same seed.
    ///
    /// # Errors
    ///
    /// Fewer than two folds, or fewer items than folds.
    pub fn split(items: usize, folds: u32, seed: u64) -> Result<Self> {
        Self::dealt((0..items).collect(), items, folds, seed)
    }

    /// As [`Folds::split`], each class spread evenly over the folds.
    ///
    /// # Errors
    ///
    /// As [`Folds::split`].
    pub fn stratified(labels: &[u32], folds: u32, seed: u64) -> Result<Self> {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        shuffle(&mut SplitMix64::seed_from_u64(seed), &mut order);
        order.sort_by_key(|&item| labels[item]);
        Self::dealt(order, 0, folds, seed)
    }

    /// Deals the items out in order, the first `shuffled` of them shuffled before.
    fn dealt(mut order: Vec<usize>, shuffled: usize, folds: u32, seed: u64) -> Result<Self> {
        if folds < 2 || order.len() < folds as usize {
            return Err(FitError::Folds { folds: folds as usize, items: order.len() }.into());
        }
        shuffle(&mut SplitMix64::seed_from_u64(seed), &mut order[..shuffled]);
        let mut of_items = vec![0; order.len()];
        for (place, item) in order.into_iter().enumerate() {
            of_items[item] = (place % folds as usize) as u32;
        }
        Self::given(&of_items)
    }

    /// The fold of each item.
    #[must_use]
    pub fn of_items(&self) -> &[u32] {
        &self.of_items
    }

    /// The folds, ascending.
    #[must_use]
    pub fn distinct(&self) -> &[u32] {
        &self.distinct
    }
}
