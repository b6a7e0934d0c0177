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
    #[error(
        "an ensemble needs at least one rule with a weight above zero, none twice, and no ensemble inside it: {why}"
    )]
    Ensemble {
        /// Which of the two.
        why: &'static str,
    },
    /// Contributions of rules whose posterior is no sum over the sources.
    #[error(
        "contributions need rules that add up: linear, vote, max_vote, bayesian_average, belief and adaptive in any \
         mixture, or one of log_pool, extremised, evidence, confusion and stacked alone"
    )]
    NotAdditive,
    /// The smallest turning set of a rule that does not add up.
    #[error(
        "the smallest set that turns a decision is known for one rule alone that adds up (linear, vote, bayesian_average, \
         adaptive, belief, log_pool, extremised, evidence, confusion or stacked) under weights that depend neither on \
         the other sources nor on the class"
    )]
    NoFlipSet,
    /// A gradient of what has none.
    #[error(
        "no gradient passes through {what}: linear, log_pool and evidence have one, of rows of numbers, under weights that \
         depend neither on the opinions nor on the class"
    )]
    NoGradient {
        /// What has none: a rule, a weighting, a form of opinions.
        what: String,
    },
    /// Nothing was asked for.
    #[error("no output is asked for; ask for at least one of {known}")]
    NoOutputs {
        /// The outputs that can be asked for.
        known: String,
    },
}

impl SpecError {
    /// Refuses a number that does not hold what it must.
    pub(crate) fn check(what: &str, value: f64, must: &'static str, holds: bool) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::OutOfRange { what: what.to_owned(), value, must }) }
    }

    /// Refuses a list of another length than the evidence needs.
    pub(crate) fn check_length(
        what: &'static str,
        given: usize,
        needed: usize,
        unit: &'static str,
    ) -> Result<(), Self> {
        if given == needed { Ok(()) } else { Err(Self::Length { what, given, needed, unit }) }
    }
}
