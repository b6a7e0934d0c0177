//! What can be wrong with what a beam operation is given.

/// Something no beam operation can be carried out on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BeamError {
    /// A digit that is no share of a distribution.
    #[error("digit {digit} of {channel}, item {item}, is {value}; digits are finite and at least 0")]
    Digit {
        /// The channel.
        channel: &'static str,
        /// The item.
        item: usize,
        /// The digit, from 1.
        digit: usize,
        /// What stands there.
        value: f32,
    },
    /// Digits that cannot be divided by their sum.
    #[error("the digits of {channel}, item {item}, sum to {sum}; a distribution has a finite sum above 0")]
    Sum {
        /// The channel.
        channel: &'static str,
        /// The item.
        item: usize,
        /// Their sum.
        sum: f32,
    },
    /// Weights that are not finite, below 0, or all 0.
    #[error("the weights {weights:?} are no weights; they are finite, at least 0 and not all 0")]
    Weights {
        /// What was given.
        weights: [f32; 3],
    },
    /// Neighbours that there are not, or that are more than a search keeps.
    #[error("{neighbours} neighbours of {beams} beams; at least 1, at most {most} and no more than there are beams")]
    Neighbours {
        /// What was asked for.
        neighbours: usize,
        /// The beams of the corpus.
        beams: usize,
        /// The most that are kept.
        most: usize,
    },
}
