//! Beams in a structure of arrays.

use crate::error::{BeamError, LengthError, Result};
use crate::kernel::beam::fuse::{CHANNELS, DIGITS};

/// How far the sum of a beam's digits may be from one.
const SUM_TOLERANCE: f32 = 1e-3;

/// The last position.
const LAST: u32 = 9;

/// A batch of beams. What it holds are beams: distributions that sum to one, values, confidences and positions in their ranges.
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
    /// Beams of one's own: digits [9, B] that sum to one for each item, values [3, B] in [0, 9], confidences in [0, 1] and
    /// positions 0 to 9.
    ///
    /// # Errors
    ///
    /// Lengths that do not fit, or a number outside its range: the first item with one.
    pub fn new(digits: &[f32], values: &[f32], confidence: &[f32], position: &[u32]) -> Result<Self> {
        let items = position.len();
        LengthError::check("digits", DIGITS * items, digits.len())?;
        LengthError::check("values", CHANNELS * items, values.len())?;
        LengthError::check("confidence", items, confidence.len())?;
        for item in 0..items {
            let of = |planes: &[f32], plane: usize| planes[plane * items + item];
            let refuse = |what, value, allowed| Err(BeamError::Item { what, item, value, allowed }.into());
            let mut sum = 0.0;
            for digit in 0..DIGITS {
                let value = of(digits, digit);
                if !(value.is_finite() && value >= 0.0) {
                    return Err(BeamError::Digit { channel: "the beam", item, digit: digit + 1, value }.into());
                }
                sum += value;
            }
            if !(1.0 - SUM_TOLERANCE..=1.0 + SUM_TOLERANCE).contains(&sum) {
                return refuse("the sum of the digits", sum, "1; `measure` normalises");
            }
            for (channel, what) in
                ["the value of ethos", "the value of logos", "the value of pathos"].iter().enumerate()
            {
                if !(0.0..=9.0).contains(&of(values, channel)) {
                    return refuse(what, of(values, channel), "at least 0 and at most 9");
                }
            }
            if !(0.0..=1.0).contains(&confidence[item]) {
                return refuse("the confidence", confidence[item], "at least 0 and at most 1");
            }
            if position[item] > LAST {
                return refuse("the position", position[item] as f32, "at most 9");
            }
        }
        Ok(Self {
            items,
            digits: digits.to_vec(),
            values: values.to_vec(),
            confidence: confidence.to_vec(),
            agreement: Vec::new(),
            position: position.to_vec(),
            conflicts: Vec::new(),
        })
    }

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

    /// Lists the items in conflict: a bit per item, 32 to a word.
    pub(super) fn note_conflicts<'a>(&mut self, words: impl IntoIterator<Item = &'a u32>) {
        for (word, &bits) in words.into_iter().enumerate().filter(|(_, bits)| **bits != 0) {
            self.conflicts.extend((0..32).filter(|bit| bits >> bit & 1 == 1).map(|bit| 32 * word + bit));
        }
    }

    /// Leaves none, where they would not be beams.
    pub(super) fn clear(&mut self) {
        self.prepare(0, false);
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
