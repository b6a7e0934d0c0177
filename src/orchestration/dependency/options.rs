//! What dependencies are kept of, and for how long.

use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};

/// What dependencies are kept of, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The most sources, in [1, 64]; another is refused.
    pub sources: usize,
    /// The most classes of requests, in [1, 65 536]; another is refused.
    pub classes: usize,
    /// The most sets of sources whose benefit is kept, in [1, 65 536]; for another, the one not seen for longest is given up.
    pub sets: usize,
    /// After how many observations one counts half, in [1, 10^12]. Demand is forgotten with every request, everything else
    /// with each observation of its own.
    pub half_life: f64,
    /// How many observations of independent errors every pair is begun with, in [0, 10^6].
    pub shrinkage: f64,
}

impl Default for Options {
    /// 64 sources and classes, 256 sets; after a thousand observations one counts half; ten of independent errors.
    fn default() -> Self {
        Self { sources: 64, classes: 64, sets: 256, half_life: 1_000.0, shrinkage: 10.0 }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        let Self { sources, classes, sets, half_life, shrinkage } = *self;
        // A set is a bit for each source.
        SpecError::check("the most sources", sources as f64, "in [1, 64]", (1..=64).contains(&sources))?;
        for (what, value) in [("the most classes", classes), ("the most sets", sets)] {
            SpecError::check(what, value as f64, "in [1, 65536]", (1..=65_536).contains(&value))?;
        }
        SpecError::check("the half-life", half_life, "in [1, 10^12]", (1.0..=1e12).contains(&half_life))?;
        Ok(SpecError::check("the shrinkage", shrinkage, "in [0, 10^6]", (0.0..=1e6).contains(&shrinkage))?)
    }

    /// What an observation keeps of its weight when the next is made.
    pub(super) fn discount(&self) -> f64 {
        (-1.0 / self.half_life).exp2()
    }
}
