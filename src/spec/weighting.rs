//! How much each source counts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, SpecError};

/// The raw weight of each source, which is then normalised over the sources present.
///
/// | weighting | raw weight |
/// |---|---|
/// | `Fixed` | w_n |
/// | `PerClass` | w_n(k), one for each class |
/// | `Confidence` | m_n ^ gamma, per item, with m_n as [`Measure`] says |
/// | `Performance` | learned reliability of source n |
/// | `Proximity` | 1 / (1 + 0.2 d(position_n, target)) |
/// | `Consensus` | 1 / (1 + steepness d(p_n, q)), q the linear pool under equal weights |
/// | `Adaptive` | beta c_n + (1 - beta) learned_n |
///
/// c_n is the source's given confidence, or else its largest probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Weighting {
    /// One weight per source, finite and not negative; an empty list gives every source the same.
    Fixed(Vec<f32>),
    /// One weight per source and class, [N, C] row-major, finite and not negative: how far each source can be heard on each
    /// class. A weight counts at least 1e-12 of the largest of its class, so that no class is without any. What has no
    /// class (disagreement, effective sources) goes by each source's mean.
    PerClass(Vec<f32>),
    /// A power of the confidence; the exponent gamma lies in [0, 64].
    Confidence {
        /// The exponent, 1 where not given.
        #[serde(default = "one")]
        gamma: f32,
        /// What counts as confidence.
        #[serde(default)]
        measure: Measure,
    },
    /// The learned reliability of each source, finite and not negative.
    Performance(Vec<f32>),
    /// By distance of each source's position on the vortex ring to a target position.
    Proximity {
        /// One position per source, in [0, 9].
        positions: Vec<f32>,
        /// Where the weight is largest.
        target: f32,
        /// How distance is taken.
        #[serde(default)]
        distance: Distance,
    },
    /// By distance of each opinion to the linear pool of them all under equal weights, per item.
    Consensus {
        /// How distance is taken.
        #[serde(default)]
        divergence: Divergence,
        /// How much a distance counts, in [0, 1e6]; [`STEEPNESS`] where not given.
        #[serde(default = "steepness")]
        steepness: f32,
    },
    /// A mixture of the item's own confidence and what was learned of each source.
    Adaptive {
        /// The share of the item's own confidence, in [0, 1].
        beta: f32,
        /// One learned weight per source, finite and not negative.
        learned: Vec<f32>,
    },
}

/// What counts as confidence, where none is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The largest probability.
    #[default]
    Max,
    /// The largest probability less the second largest; 1 where there is one class only.
    Margin,
    /// 1 - H(p) / ln C; 1 where there is one class only.
    Entropy,
}

/// How far an opinion p is from the consensus q, in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Divergence {
    /// Hellinger's distance, sqrt(1 - sum sqrt(p q)).
    #[default]
    Hellinger,
    /// The Jensen-Shannon divergence over ln 2.
    JensenShannon,
}

/// What a distance of 1 counts in [`Weighting::Consensus`] unless given: 0.2 times the nine steps of the ring, as in
/// [`Weighting::Proximity`].
pub const STEEPNESS: f32 = 1.8;

/// How far two positions on the ring are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// |a - b|.
    #[default]
    Linear,
    /// The shorter way around a ring of nine.
    Cyclic,
}

impl Weighting {
    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "fixed",
            Self::PerClass(_) => "per_class",
            Self::Confidence { .. } => "confidence",
            Self::Performance(_) => "performance",
            Self::Proximity { .. } => "proximity",
            Self::Consensus { .. } => "consensus",
            Self::Adaptive { .. } => "adaptive",
        }
    }
}

impl Default for Weighting {
    /// Every source the same.
    fn default() -> Self {
        Self::Fixed(Vec::new())
    }
}

impl FromStr for Weighting {
    type Err = Error;

    /// `fixed`, `fixed:W,W,...`, `performance:R,R,...`, `proximity:P,P,...` (towards 6), `confidence`, `confidence:GAMMA`,
    /// `margin`, `entropy`, `hellinger` or `jensen_shannon`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || SpecError::Unknown { what: "weighting", name: text.to_owned(), known: KNOWN.to_owned() };
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)));
        let number = |text: &str| text.trim().parse::<f32>().map_err(|_| unknown());
        let numbers = |list: &str| list.split(',').map(number).collect::<Result<Vec<_>, _>>();
        let confidence =
            |measure, gamma: Option<&str>| Ok(Self::Confidence { measure, gamma: gamma.map_or(Ok(1.0), number)? });
        let consensus = |divergence, steepness: Option<&str>| {
            Ok(Self::Consensus { divergence, steepness: steepness.map_or(Ok(STEEPNESS), number)? })
        };
        match (name, argument) {
            ("fixed", None) => Ok(Self::default()),
            ("fixed", Some(list)) => Ok(Self::Fixed(numbers(list)?)),
            ("performance", Some(list)) => Ok(Self::Performance(numbers(list)?)),
            ("proximity", Some(list)) => {
                Ok(Self::Proximity { positions: numbers(list)?, target: 6.0, distance: Distance::Linear })
            }
            ("confidence", gamma) => confidence(Measure::Max, gamma),
            ("margin", gamma) => confidence(Measure::Margin, gamma),
            ("entropy", gamma) => confidence(Measure::Entropy, gamma),
            ("hellinger", steepness) => consensus(Divergence::Hellinger, steepness),
            ("jensen_shannon", steepness) => consensus(Divergence::JensenShannon, steepness),
            _ => Err(unknown().into()),
        }
    }
}

/// What [`Weighting::from_str`] knows.
const KNOWN: &str = "fixed, fixed:W,W,... (one weight per source), performance:R,R,..., proximity:P,P,..., confidence, \
                     confidence:GAMMA, margin, entropy (each also with :GAMMA), hellinger, jensen_shannon (each also with \
                     :STEEPNESS)";

fn one() -> f32 {
    1.0
}

fn steepness() -> f32 {
    STEEPNESS
}
