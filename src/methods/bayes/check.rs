//! Arguments, checked: equal lengths, and every number in its domain.

use crate::engine::{Engine, Read, ResidentPlanes, Within};
use crate::error::{BayesError, LengthError, Result};
use crate::kernel::Kernel;
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
    /// From where to where.
    pub(super) const fn range(self) -> [f32; 2] {
        match self {
            Self::Parameter => [SMALLEST, LARGEST],
            Self::Positive => [f32::MIN_POSITIVE, LARGEST_ARGUMENT],
            Self::NotNegative => [0.0, f32::MAX],
            Self::Share => [0.0, 1.0],
            Self::Count => [0.0, LARGEST],
            Self::Scale => [SMALLEST_SCALE, LARGEST_SCALE],
            Self::Squares => [0.0, LARGEST_SQUARES],
            Self::Location => [-LARGEST_SCALE, LARGEST_SCALE],
        }
    }

    pub(super) fn holds(self, x: f32) -> bool {
        let [least, most] = self.range();
        (least..=most).contains(&x)
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

/// What an item must be whose numbers are all in this domain, each plane's in its own where there are several.
const fn must_have(domain: Domain) -> &'static str {
    match domain {
        Domain::Parameter => "have parameters from 0.001 to 1000000",
        Domain::Positive => "have an argument above 0, a normal number, and at most 2^120",
        Domain::NotNegative => "have a value that is at least 0 and finite",
        Domain::Share => "have a probability from 0 to 1",
        Domain::Count => "have counts from 0 to 1000000",
        Domain::Scale => "have scales from 1e-9 to 1e9",
        Domain::Location => "have a mean from -1e9 to 1e9",
        Domain::Squares => "have a sum of squares from 0 to 1e18",
    }
}

/// That whoever reads what is made of an argument that is held, of so many planes, is told of an item outside the domain.
pub(super) fn reading<'a>(
    engine: &Engine,
    kernel: Kernel,
    (what, domain, argument): (&'static str, Domain, ResidentPlanes<'a, f32>),
    planes: usize,
) -> Result<Read<'a>> {
    LengthError::check(format!("{what}: the list of planes"), planes, argument.planes())?;
    let within =
        Within { operation: kernel.name(), must: must_have(domain), ranges: &vec![domain.range(); planes], sum: None };
    let check = engine.within(argument.clone(), within)?;
    Ok(argument.reading(engine)?.subject_to(check))
}

/// That the argument has an entry for each item, each of which is in the domain.
pub(super) fn check(what: &'static str, domain: Domain, values: &[f32], needed: usize) -> Result<()> {
    LengthError::check(what, needed, values.len())?;
    match values.iter().position(|&x| !domain.holds(x)) {
        Some(item) => Err(BayesError::Domain { what, item, value: values[item], must: domain.must() }.into()),
        None => Ok(()),
    }
}
