//! Beams in a structure of arrays.

use crate::kernel::beam::fuse::{CHANNELS, DIGITS};

/// A batch of beams.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beams {
    pub(super) items: usize,
    pub(super) digits: Vec<f32>,
    pub(super) values: Vec<f32>,
    pub(super) confidence: Vec<f32>,
    pub(super) agreement: Vec<f32>,
    pub(super) position: Vec<u32>,
    pub(super) conflicts: Vec<usize>,
}

impl Beams {
    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// The distributions over digits, [9, B]: the digit 1 of all items first. Each item's sum to one.
    #[must_use]
    pub fn digits(&self) -> &[f32] {
        &self.digits
    }

    /// The values of ethos, logos and pathos, [3, B], in [0, 9].
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The mean mass of the channels, in [0, 1].
    #[must_use]
    pub fn confidence(&self) -> &[f32] {
        &self.confidence
    }

    /// How far the channels say the same, in [0, 1]; empty unless asked for.
    #[must_use]
    pub fn agreement(&self) -> &[f32] {
        &self.agreement
    }

    /// Positions on the ring, 0 to 9.
    #[must_use]
    pub fn position(&self) -> &[u32] {
        &self.position
    }

    /// The items whose channels conflict, in order: by the logarithmic pool no digit is left of them, and their digits are
    /// the linear pool's. Empty by the linear pool.
    #[must_use]
    pub fn conflicts(&self) -> &[usize] {
        &self.conflicts
    }

    pub(super) fn prepare(&mut self, items: usize, agreement: bool) {
        self.items = items;
        self.digits.resize(DIGITS * items, 0.0);
        self.values.resize(CHANNELS * items, 0.0);
        self.confidence.resize(items, 0.0);
        self.agreement.resize(if agreement { items } else { 0 }, 0.0);
        self.position.resize(items, 0);
        self.conflicts.clear();
    }
}
