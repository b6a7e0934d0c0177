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
    /// A number outside what an operation takes.
    #[error("{what} is {value}; it is {allowed}")]
    Range {
        /// Which.
        what: &'static str,
        /// What was given.
        value: f32,
        /// What would be right.
        allowed: &'static str,
    },
    /// A position that is not on the ring.
    #[error("position {position} is not on the ring; positions are 0 to 9")]
    Position {
        /// The position.
        position: u32,
    },
    /// More operations on one position than a table holds.
    #[error("more than {most} operations on position {position}; a table holds {most} on each")]
    Operations {
        /// The position.
        position: u32,
        /// How many there may be.
        most: usize,
    },
    /// What cannot be a beam's.
    #[error("{what}, item {item}, is {value}; it is {allowed}")]
    Item {
        /// Which of its numbers.
        what: &'static str,
        /// The item.
        item: usize,
        /// What stands there.
        value: f32,
        /// What would be right.
        allowed: &'static str,
    },
    /// A row of a coupling that shares out more or less than there is.
    #[error("row {row} of the coupling, {entries:?}, sums to {sum}; entries are at least 0, and rows sum to 1")]
    Row {
        /// Which, from 1.
        row: usize,
        /// The row.
        entries: [f32; 9],
        /// Its sum.
        sum: f64,
    },
    /// A subspace that so many beams do not have.
    #[error(
        "{dimensions} dimensions from {beams} beams; at least 1, at most 9 and no more than beams, of which 2 are needed"
    )]
    Dimensions {
        /// What was asked for.
        dimensions: usize,
        /// The beams given.
        beams: usize,
    },
}
