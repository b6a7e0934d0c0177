//! What can be wrong with posteriors, labels and saved state that calibration, scores and decisions are made from.

/// Posteriors, labels or saved state that nothing can be fitted to, scored on or decided by.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// No labelled items.
    #[error("there are no items; at least one labelled item is needed")]
    NoItems,
    /// A posterior whose length is no whole number of rows.
    #[error("the posterior has {len} values, which is no multiple of {classes} classes")]
    Ragged {
        /// Its length in values.
        len: usize,
        /// Values a row should have.
        classes: usize,
    },
    /// Something of another length than what it stands beside.
    #[error("{what} has {given} entries, {needed} are needed")]
    Length {
        /// What was given.
        what: &'static str,
        /// Entries given.
        given: usize,
        /// Entries needed.
        needed: usize,
    },
    /// A value that is no probability.
    #[error("item {item}, class {class}: {value} is no probability; it must be a number in [0, 1]")]
    Probability {
        /// Index of the item.
        item: usize,
        /// Index of the class.
        class: usize,
        /// The value at fault.
        value: f32,
    },
    /// A row that is no distribution.
    #[error("item {item}: the probabilities sum to {sum}, not to 1 within {tolerance}; normalise them")]
    Sum {
        /// Index of the item.
        item: usize,
        /// What the row sums to.
        sum: f64,
        /// How far from one is still accepted.
        tolerance: f32,
    },
    /// Saved state that no fit can have left.
    #[error("the saved {what} cannot be used: {why}; fit it anew")]
    State {
        /// What was saved.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}
