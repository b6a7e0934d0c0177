//! What a ledger keeps, and how much.

use crate::error::LedgerError;

/// What a ledger keeps, and how much.
///
/// The two bounds, where given, hold after every commit: what is oldest makes room for what is new. The file is larger
/// than its entries, by the indexes and by room that is free for later entries; it does not shrink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The confidence from which a result is kept, in [0, 1].
    pub threshold: f32,
    /// The most entries kept; at least one.
    pub most_entries: Option<u64>,
    /// The most bytes that entries take, without indexes; the newest entry is kept even where it alone takes more.
    pub most_bytes: Option<u64>,
    /// The most bytes that one entry takes; at least one.
    pub most_entry_bytes: usize,
    /// Whether opening reads the whole file and verifies all its checksums. Without that, a file that was altered from
    /// outside may be found damaged only when the altered part is read, or not at all; writing or closing it may then end
    /// the process.
    pub verify: bool,
    /// How much of the file is cached in memory, in bytes.
    pub cache_bytes: usize,
}

impl Default for Options {
    /// Results of a confidence of 0.6 or more, as many as there are, of 16 MiB at most each; verified when opened; 64 MiB
    /// of cache.
    fn default() -> Self {
        Self {
            threshold: 0.6,
            most_entries: None,
            most_bytes: None,
            most_entry_bytes: 16 << 20,
            verify: true,
            cache_bytes: 64 << 20,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        if !(0.0..=1.0).contains(&self.threshold) {
            let (what, value) = ("the threshold of a ledger", self.threshold.into());
            return Err(LedgerError::OutOfRange { what, value, must: "in [0, 1]" });
        }
        let bounds = [
            ("the most entries of a ledger", self.most_entries),
            ("the most bytes of a ledger", self.most_bytes),
            ("the most bytes of an entry", Some(self.most_entry_bytes as u64)),
        ];
        for (what, bound) in bounds {
            if bound == Some(0) {
                return Err(LedgerError::OutOfRange { what, value: 0.0, must: "at least 1" });
            }
        }
        Ok(())
    }
}
