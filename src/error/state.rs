//! What can be wrong with what is learned: with what it is to learn from, with its saved form, and with a merge.

use std::fmt::Debug;

/// State that cannot be updated, merged, or read back.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// State for another number of sources or classes than the evidence has.
    #[error("the learner is for {learner} {unit}, the evidence has {evidence}; begin a learner for {evidence} {unit}")]
    Shape {
        /// What is counted: sources or classes.
        unit: &'static str,
        /// How many the learner was begun with.
        learner: usize,
        /// How many the evidence has.
        evidence: usize,
    },
    /// Two learners that cannot be merged.
    #[error("only learners with the same {what} merge: one has {left}, the other {right}")]
    Merge {
        /// What differs: sources, classes or options.
        what: &'static str,
        /// That of the learner merged into.
        left: String,
        /// That of the learner merged from.
        right: String,
    },
    /// Text that is no saved state at all.
    #[error("{origin}: not saved state of this crate: {why}")]
    NotState {
        /// The file, or that it was text.
        origin: String,
        /// What stands where the header should be.
        why: String,
    },
    /// Saved state of something else.
    #[error("{origin}: saved state of kind `{found}`, where `{wanted}` is needed")]
    OtherKind {
        /// The file, or that it was text.
        origin: String,
        /// The kind the header names.
        found: String,
        /// The kind asked for.
        wanted: &'static str,
    },
    /// Saved state in a version that this build cannot read.
    #[error("{origin}: `{kind}` of version {found}; this build reads version {known}")]
    UnknownVersion {
        /// The file, or that it was text.
        origin: String,
        /// The kind the header names.
        kind: &'static str,
        /// The version the header names.
        found: u32,
        /// The version that is known.
        known: u32,
    },
    /// Saved state that is cut short or was altered.
    #[error("{origin}: damaged: {why}; restore it from a copy")]
    Damaged {
        /// The file, or that it was text.
        origin: String,
        /// What does not fit: length or checksum.
        why: String,
    },
    /// Saved state that is whole but that nothing could have learned.
    #[error("{origin}: no valid `{kind}`: {why}")]
    Invalid {
        /// The file, or that it was text.
        origin: String,
        /// The kind asked for.
        kind: &'static str,
        /// Which value cannot be, and what would be right.
        why: String,
    },
}

impl StateError {
    /// Refuses to merge what differs in what both must share.
    pub(crate) fn check_same<T: PartialEq + Debug>(what: &'static str, left: &T, right: &T) -> Result<(), Self> {
        if left == right {
            return Ok(());
        }
        Err(Self::Merge { what, left: format!("{left:?}"), right: format!("{right:?}") })
    }

    pub(crate) fn is_shape(&self) -> bool {
        matches!(self, Self::Shape { .. })
    }
}
