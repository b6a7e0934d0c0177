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
    /// A number for all items outside its range.
    #[error("{what} is {value}, it must be {must}")]
    Setting {
        /// Which.
        what: &'static str,
        /// The number given.
        value: f32,
        /// What would be right.
        must: &'static str,
    },
    /// What one of several planes is taken to mean, outside its range.
    #[error("{what} in plane {plane} is {value}, it must be {must}")]
    Model {
        /// Which number.
        what: &'static str,
        /// Which plane.
        plane: usize,
        /// The number given.
        value: f32,
        /// What would be right.
        must: &'static str,
    },
    /// An entry of one of several planes that is none.
    #[error("{what} of item {item} in plane {plane} is {value}, it must be {must}")]
    Entry {
        /// Which number.
        what: &'static str,
        /// Which plane.
        plane: usize,
        /// Which item.
        item: usize,
        /// The number given.
        value: f32,
        /// What would be right.
        must: &'static str,
    },
    /// More planes of evidence than one call takes.
    #[error("there are {given} planes of evidence, one call takes {most} at most")]
    Planes {
        /// Their number.
        given: usize,
        /// The most there may be.
        most: usize,
    },
    /// A number of a source's mean or covariance that is none, or too large or too small.
    #[error("{what} of item {item}, source {by}, is {value}, it must be {must}")]
    Source {
        /// Which number.
        what: &'static str,
        /// Which source.
        by: usize,
        /// Which item.
        item: usize,
        /// The number given.
        value: f32,
        /// What would be right.
        must: &'static str,
    },
    /// A covariance that is none.
    #[error(
        "the covariance of item {item}, source {by}, is not positive definite: with the dimensions before it known, \
         {left} is left of the variance {variance} of dimension {dimension}"
    )]
    Covariance {
        /// Which source.
        by: usize,
        /// Which item.
        item: usize,
        /// Which dimension, from 0.
        dimension: usize,
        /// Its variance.
        variance: f32,
        /// What is left of it.
        left: f64,
    },
}
