//! A checksum of answers that does not depend on how they were cut: a sum over items, each with its place.

use std::fmt;
use std::ops::Range;

use consilience::Fused;

/// Of posteriors and decisions, by their bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checksum(u64);

impl Checksum {
    /// Adds those of the items, of which the first is at `first` in the stream, that are wanted.
    pub fn add(&mut self, first: u64, fused: &Fused, wanted: &Range<u64>) {
        let (items, classes) = (fused.items() as u64, fused.classes());
        let from = wanted.start.clamp(first, first + items);
        let to = wanted.end.clamp(from, first + items);
        let part = (from - first) as usize..(to - first) as usize;
        let rows = &fused.posterior()[part.start * classes..part.end * classes];
        self.add_words(from * classes as u64, 0, rows.iter().map(|p| p.to_bits()));
        self.add_words(from, 1, fused.decision()[part].iter().copied());
    }

    fn add_words(&mut self, first: u64, column: u64, words: impl Iterator<Item = u32>) {
        let mixed = words.zip(first..).map(|(word, place)| {
            let x = (place << 1 | column).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(word.into());
            let x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            x ^ (x >> 32)
        });
        self.0 = mixed.fold(self.0, u64::wrapping_add);
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
