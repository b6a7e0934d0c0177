//! What a fusion can answer, each asked for by itself: an output that is not asked for costs nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::tensor::named;

/// One thing that can be said of every fused item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Output {
    /// The fused distribution, C values.
    Posterior,
    /// The class with the largest posterior; the lower one where two are equal.
    Decision,
    /// The largest posterior.
    Confidence,
    /// The largest posterior less the second largest; 1 where there is one class only.
    Margin,
    /// The posterior's entropy in nats.
    Entropy,
    /// The generalised Jensen-Shannon divergence of the opinions under their weights, over ln C: 0 where all agree.
    Disagreement,
    /// The effective number of sources, 1 / sum of squared weights; 0 where none is present.
    EffectiveSources,
    /// What was out of the ordinary; see [`Flags`].
    Flags,
    /// The mass that Dempster's rule would divide away: 0 where the opinions, discounted by their reliabilities, are
    /// compatible, towards 1 where they contradict each other.
    Conflict,
    /// Each source's signed part of the log-odds of the decision over the runner-up, in nats, N values.
    Contributions,
}

impl Output {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::Posterior,
        Self::Decision,
        Self::Confidence,
        Self::Margin,
        Self::Entropy,
        Self::Disagreement,
        Self::EffectiveSources,
        Self::Flags,
        Self::Conflict,
        Self::Contributions,
    ];

    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Posterior => "posterior",
            Self::Decision => "decision",
            Self::Confidence => "confidence",
            Self::Margin => "margin",
            Self::Entropy => "entropy",
            Self::Disagreement => "disagreement",
            Self::EffectiveSources => "effective_sources",
            Self::Flags => "flags",
            Self::Conflict => "conflict",
            Self::Contributions => "contributions",
        }
    }

    /// All names in one line.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Output {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(named("output", &Self::ALL, Self::name, name)?)
    }
}

/// A set of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Output>", into = "Vec<Output>")]
pub struct Outputs(u32);

impl Outputs {
    /// Every output there is.
    pub const ALL: Self = Self((1 << Output::ALL.len()) - 1);

    /// Nothing.
    pub const NONE: Self = Self(0);

    /// The set of the outputs given.
    #[must_use]
    pub const fn of(outputs: &[Output]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < outputs.len() {
            bits |= 1 << outputs[i] as u32;
            i += 1;
        }
        Self(bits)
    }

    /// Whether the output is in the set.
    #[must_use]
    pub const fn contains(self, output: Output) -> bool {
        self.0 & (1 << output as u32) != 0
    }

    /// The set less one output.
    pub(crate) const fn without(self, output: Output) -> Self {
        Self(self.0 & !(1 << output as u32))
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Output::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Output> {
        Output::ALL.into_iter().filter(move |&output| self.contains(output))
    }

    /// One bit per output, at its place in [`Output::ALL`].
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl Default for Outputs {
    /// Posterior, decision and confidence.
    fn default() -> Self {
        Self::of(&[Output::Posterior, Output::Decision, Output::Confidence])
    }
}

impl From<Vec<Output>> for Outputs {
    fn from(outputs: Vec<Output>) -> Self {
        Self::of(&outputs)
    }
}

impl From<Outputs> for Vec<Output> {
    fn from(outputs: Outputs) -> Self {
        outputs.iter().collect()
    }
}

/// What was out of the ordinary about one fused item, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u32);

impl Flags {
    /// No source was present: the posterior is the class prior.
    pub const NO_SOURCE: Self = Self(1);
    /// Every weight was zero: the weights fell back to the source priors.
    pub const ZERO_WEIGHTS: Self = Self(2);
    /// At least one opinion was invalid and was left out, as `OnInvalid::Missing` asks.
    pub const INVALID_LEFT_OUT: Self = Self(4);
    /// At least one opinion did not sum to one and was divided by its sum, as `OnInvalid::Renormalise` asks.
    pub const RENORMALISED: Self = Self(8);

    /// At least one source was asked and abstained.
    pub const ABSTAINED: Self = Self(16);
    /// A median or trimmed mean was zero for every class: the linear pool stands in its place.
    pub const NO_MIDDLE: Self = Self(32);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
