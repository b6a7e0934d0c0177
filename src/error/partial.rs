//! What can be wrong with evidence that is merged.

/// Partial evidence that cannot be taken or merged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PartialError {
    /// One source said two things under one generation.
    #[error(
        "source {source_name} said two things under generation {generation}; what is said anew needs a later generation"
    )]
    Contradiction {
        /// Who.
        source_name: String,
        /// The generation of both.
        generation: u64,
    },
    /// Sums of which both hold a source: it would count twice.
    #[error(
        "source {source_name} is in both sums and would count twice; merge what was gathered, or sums of different sources"
    )]
    Overlap {
        /// Who: the first of those in both.
        source_name: String,
    },
    /// An opinion without a word on where it came from, or the other way round.
    #[error("of source {source_name} either an opinion or its origin is missing; both belong together")]
    NoOrigin {
        /// Who.
        source_name: String,
    },
    /// Sums by different rules.
    #[error("sums of the rule `{given}` cannot be merged into those of `{held}`; sum by one rule")]
    OtherRule {
        /// The rule of what was to be merged.
        given: &'static str,
        /// The rule of what it was to be merged into.
        held: &'static str,
    },
    /// A weight that is none.
    #[error("source {source_name} weighs {weight}; weights are at least 0 and at most {at_most}")]
    Weight {
        /// Who.
        source_name: String,
        /// The weight given.
        weight: f32,
        /// The largest.
        at_most: f32,
    },
    /// More weight than sums hold.
    #[error("the weights of all sources are too much for sums of 64 bits; divide them by a common number")]
    TooMuch,
    /// No opinion.
    #[error("nothing was said; at least one opinion is needed")]
    Nothing,
}
