//! What can be wrong with a specification.

/// A specification that cannot be carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A name that is none of the known ones.
    #[error("unknown {what} `{name}`; known are {known}")]
    Unknown {
        /// What was named: a rule, a weighting, an output, a device.
        what: &'static str,
        /// The name given.
        name: String,
        /// The names that would be right, in one line.
        known: String,
    },
    /// A list whose length is not the evidence's number of sources or classes.
    #[error("{what} has {given} entries, the evidence has {needed} {unit}")]
    Length {
        /// What was given.
        what: &'static str,
        /// Entries given.
        given: usize,
        /// Entries needed.
        needed: usize,
        /// What the entries stand for: sources or classes.
        unit: &'static str,
    },
    /// A number outside its range.
    #[error("{what} is {value}, it must be {must}")]
    OutOfRange {
        /// What the number is.
        what: String,
        /// The number given.
        value: f64,
        /// What would be right.
        must: &'static str,
    },
    /// An ensemble that names no rule, or itself.
    #[error("an ensemble needs at least one rule with a weight above zero, and no ensemble inside it: {why}")]
    Ensemble {
        /// Which of the two.
        why: &'static str,
    },
    /// Nothing was asked for.
    #[error("no output is asked for; ask for at least one of {known}")]
    NoOutputs {
        /// The outputs that can be asked for.
        known: String,
    },
}
