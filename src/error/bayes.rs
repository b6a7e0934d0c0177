//! What can be wrong with the arguments of posterior mathematics.

/// Arguments that no posterior can be computed from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BayesError {
    /// A number outside its range.
    #[error("{what} of item {item} is {value}, it must be {must}")]
    Domain {
        /// Which argument.
        what: &'static str,
        /// Which item.
        item: usize,
        /// The number given.
        value: f32,
        /// What would be right.
        must: &'static str,
    },
}
