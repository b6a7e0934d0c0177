//! Arguments, checked: equal lengths, and every number in its domain.

use crate::error::{BayesError, LengthError, Result};
use crate::kernel::bayes::conjugate::{LARGEST_SCALE, LARGEST_SQUARES, SMALLEST_SCALE};
use crate::kernel::bayes::special::{LARGEST, LARGEST_ARGUMENT, SMALLEST};

/// What an argument stands for, and so what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Domain {
    /// A parameter of a Beta or gamma distribution.
    Parameter,
    /// An argument of ln gamma or digamma.
    Positive,
    /// A value of a gamma variate.
    NotNegative,
    /// A probability.
    Share,
    /// A number of observations.
    Count,
    /// A rate or a precision.
    Scale,
    /// A mean.
    Location,
    /// A sum of squares.
    Squares,
}

impl Domain {
    pub(super) fn holds(self, x: f32) -> bool {
        match self {
            Self::Parameter => (SMALLEST..=LARGEST).contains(&x),
            Self::Positive => (f32::MIN_POSITIVE..=LARGEST_ARGUMENT).contains(&x),
            Self::NotNegative => (0.0..=f32::MAX).contains(&x),
            Self::Share => (0.0..=1.0).contains(&x),
            Self::Count => (0.0..=LARGEST).contains(&x),
            Self::Scale => (SMALLEST_SCALE..=LARGEST_SCALE).contains(&x),
            Self::Squares => (0.0..=LARGEST_SQUARES).contains(&x),
            Self::Location => (-LARGEST_SCALE..=LARGEST_SCALE).contains(&x),
        }
    }

    pub(super) const fn must(self) -> &'static str {
        match self {
            Self::Parameter => "from 0.001 to 1000000",
            Self::Positive => "above 0, a normal number, and at most 2^120",
            Self::NotNegative => "at least 0 and finite",
            Self::Share => "from 0 to 1",
            Self::Count => "from 0 to 1000000",
            Self::Scale => "from 1e-9 to 1e9",
            Self::Squares => "from 0 to 1e18",
            Self::Location => "from -1e9 to 1e9",
        }
    }
}

/// That the argument has an entry for each item, each of which is in the domain.
pub(super) fn check(what: &'static str, domain: Domain, values: &[f32], needed: usize) -> Result<()> {
    LengthError::check(what, needed, values.len())?;
    match values.iter().position(|&x| !domain.holds(x)) {
        Some(item) => Err(BayesError::Domain { what, item, value: values[item], must: domain.must() }.into()),
        None => Ok(()),
    }
}
