//! How much each source counts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, SpecError};

/// The raw weight of each source, which is then normalised over the sources present.
///
/// | weighting | raw weight |
/// |---|---|
/// | `Fixed` | w_n |
/// | `Confidence` | c_n ^ gamma, per item |
/// | `Proximity` | 1 / (1 + 0.2 d(position_n, target)) |
/// | `Adaptive` | beta c_n + (1 - beta) learned_n |
///
/// c_n is the source's given confidence, or else its largest probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Weighting {
    /// One weight per source, finite and not negative; an empty list gives every source the same.
    Fixed(Vec<f32>),
    /// A power of the confidence; the exponent gamma lies in [0, 64].
    Confidence {
        /// The exponent, 1 where not given.
        #[serde(default = "one")]
        gamma: f32,
    },
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
    /// A mixture of the item's own confidence and what was learned of each source.
    Adaptive {
        /// The share of the item's own confidence, in [0, 1].
        beta: f32,
        /// One learned weight per source, finite and not negative.
        learned: Vec<f32>,
    },
}

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
            Self::Confidence { .. } => "confidence",
            Self::Proximity { .. } => "proximity",
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

    /// `fixed`, `fixed:W,W,...`, `confidence` or `confidence:GAMMA`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || SpecError::Unknown {
            what: "weighting",
            name: text.to_owned(),
            known: "fixed, fixed:W,W,... (one weight per source), confidence, confidence:GAMMA".to_owned(),
        };
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)));
        let number = |text: &str| text.trim().parse::<f32>().map_err(|_| unknown());
        match (name, argument) {
            ("fixed", None) => Ok(Self::default()),
            ("fixed", Some(list)) => Ok(Self::Fixed(list.split(',').map(number).collect::<Result<_, _>>()?)),
            ("confidence", None) => Ok(Self::Confidence { gamma: 1.0 }),
            ("confidence", Some(gamma)) => Ok(Self::Confidence { gamma: number(gamma)? }),
            _ => Err(unknown().into()),
        }
    }
}

fn one() -> f32 {
    1.0
}
