//! What three channels say.

use super::digits::Digits;
use crate::error::{BeamError, LengthError, Result};
use crate::kernel::beam::fuse::{CHANNELS, DIGITS};

const NAMES: [&str; CHANNELS] = ["ethos", "logos", "pathos"];

/// What each channel says of B items: nine planes of B digits, one plane after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channels<'a> {
    items: usize,
    channels: [Digits<'a>; CHANNELS],
}

impl<'a> Channels<'a> {
    /// Of ethos, logos and pathos, each [9, B]: the digit 1 of all items, then the digit 2, and so on. Digits need not sum
    /// to one.
    ///
    /// # Errors
    ///
    /// Channels of different lengths, or of a length that is no multiple of nine.
    pub fn new(ethos: &'a [f32], logos: &'a [f32], pathos: &'a [f32]) -> Result<Self> {
        let items = ethos.len() / DIGITS;
        for (what, channel) in NAMES.into_iter().zip([ethos, logos, pathos]) {
            LengthError::check(what, DIGITS * items, channel.len())?;
        }
        Ok(Self { items, channels: [Digits::new(ethos)?, Digits::new(logos)?, Digits::new(pathos)?] })
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// The planes of ethos, logos and pathos.
    pub(super) fn planes(&self) -> Vec<&'a [f32]> {
        self.channels.iter().flat_map(Digits::planes).collect()
    }

    /// Why the item is no beam.
    pub(super) fn refuse(&self, item: usize) -> BeamError {
        let found = NAMES.into_iter().zip(self.channels).find_map(|(name, digits)| digits.diagnose(name, item));
        // Else the kernel found what is not there.
        found.unwrap_or(BeamError::Sum { channel: NAMES[0], item, sum: f32::NAN })
    }
}
