//! Distributions over the digits 1 to 9, as they are given.

use bytemuck::Pod;

use crate::engine::ResidentPlanes;
use crate::error::{BeamError, LengthError, Result};
use crate::kernel::beam::fuse::DIGITS;

/// What an item must be that is held.
pub(super) const MUST_BE_DIGITS: &str = "have finite digits that are not negative, with a sum above 0 that f32 holds";

/// B distributions over the digits 1 to 9: nine planes of B, one plane after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Digits<'a> {
    items: usize,
    digits: &'a [f32],
}

impl<'a> Digits<'a> {
    /// Of [9, B]: the digit 1 of all items, then the digit 2, and so on. Digits need not sum to one.
    ///
    /// # Errors
    ///
    /// A length that is no multiple of nine.
    pub fn new(digits: &'a [f32]) -> Result<Self> {
        let items = digits.len() / DIGITS;
        LengthError::check("digits", DIGITS * items, digits.len())?;
        Ok(Self { items, digits })
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// What each item says of a digit, for the digits from 1 on.
    pub(super) fn planes(&self) -> Vec<&'a [f32]> {
        self.digits.chunks_exact(self.items.max(1)).collect()
    }

    /// An item's digits.
    pub(super) fn item(&self, item: usize) -> [f32; DIGITS] {
        std::array::from_fn(|digit| self.digits[digit * self.items + item])
    }

    /// Why the item is no distribution, if it is none.
    pub(super) fn diagnose(&self, channel: &'static str, item: usize) -> Option<BeamError> {
        let mut sum = 0.0;
        for (digit, value) in (1..).zip(self.item(item)) {
            if !value.is_finite() || value < 0.0 {
                return Some(BeamError::Digit { channel, item, digit, value });
            }
            sum += value;
        }
        (!(f32::MIN_POSITIVE..=f32::MAX).contains(&sum)).then_some(BeamError::Sum { channel, item, sum })
    }

    /// The same of an item that a kernel found to be none.
    pub(super) fn refuse(&self, channel: &'static str, item: usize) -> BeamError {
        self.diagnose(channel, item).unwrap_or(BeamError::Sum { channel, item, sum: f32::NAN })
    }
}

/// That planes which are held are nine.
pub(super) fn check_planes<T: Pod>(what: &'static str, planes: &ResidentPlanes<'_, T>) -> Result<(), LengthError> {
    LengthError::check(format!("{what}: the list of planes"), DIGITS, planes.planes())
}
