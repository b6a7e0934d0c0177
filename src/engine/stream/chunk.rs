//! What goes round.

use crate::error::{Error, EvidenceError, InvalidOpinion, Result};
use crate::tensor::{Evidence, OwnedEvidence};

/// A piece of evidence, and whatever its owner wants to have beside it when it is fused: ids, a place in a file.
///
/// [`OwnedEvidence`] is one, and so is a pair of it and a `Vec` of ids.
pub trait Chunk: Send {
    /// Makes it empty and keeps its memory: so the source gets it.
    fn clear(&mut self);

    /// What it holds, borrowed.
    ///
    /// # Errors
    ///
    /// It is no evidence.
    fn evidence(&self) -> Result<Evidence<'_>>;

    /// The memory it holds, in bytes, used or not.
    fn bytes(&self) -> u64;

    /// Completes what the engine says of this chunk, before which there are so many items. Unless said otherwise, an item at
    /// fault is counted from the beginning of the stream.
    fn locate(&self, error: Error, items_before: u64) -> Error {
        match error.invalid_opinion() {
            Some(invalid) => {
                let item = usize::try_from(items_before).unwrap_or(usize::MAX).saturating_add(invalid.item);
                EvidenceError::Invalid(InvalidOpinion { item, ..invalid.clone() }).into()
            }
            None => error,
        }
    }
}

impl Chunk for OwnedEvidence {
    fn clear(&mut self) {
        Self::clear(self);
    }

    fn evidence(&self) -> Result<Evidence<'_>> {
        Self::evidence(self)
    }

    fn bytes(&self) -> u64 {
        Self::bytes(self) as u64
    }
}

impl<T: Send> Chunk for (OwnedEvidence, Vec<T>) {
    fn clear(&mut self) {
        self.0.clear();
        self.1.clear();
    }

    fn evidence(&self) -> Result<Evidence<'_>> {
        self.0.evidence()
    }

    fn bytes(&self) -> u64 {
        (self.0.bytes() + self.1.capacity() * size_of::<T>()) as u64
    }
}
