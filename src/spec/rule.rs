//! How opinions combine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, SpecError};

/// How the opinions p_n of the present sources combine into one posterior P, under weights w_n that sum to one.
///
/// | rule | posterior |
/// |---|---|
/// | `Linear` | P = sum w_n p_n |
/// | `Vote` | P_k = sum w_n [argmax p_n = k] |
/// | `MaxVote` | P = the opinion of the source with the largest confidence; of several, their linear pool |
/// | `BayesianAverage` | P = sum r_n p_n, with r_n proportional to pi_n w_n c_n |
/// | `LogPool` | P_k proportional to exp(sum w_n ln max(p_n(k), eps)) |
/// | `Ensemble` | a convex combination of the posteriors of several rules |
///
/// c_n is the source's given confidence, or else its largest probability; pi_n is its prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The weighted average.
    Linear,
    /// The weighted majority vote. Equal votes (within 1e-6) are decided by the linear pool, then by the lower class.
    Vote,
    /// The most confident source alone: "vote (max)" of two scalar confidences.
    MaxVote,
    /// The average weighted by prior, weight and likelihood.
    BayesianAverage,
    /// The weighted geometric mean.
    LogPool,
    /// Several rules in one pass over the evidence.
    Ensemble(Vec<Member>),
}

/// One rule of an ensemble and its share; shares are normalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The rule; no ensemble itself.
    pub rule: Rule,
    /// Its share, not negative.
    pub weight: f32,
}

impl Rule {
    /// The rules that are no ensemble, in the order in which kernels number them.
    pub const SIMPLE: [Self; 5] = [Self::Linear, Self::Vote, Self::MaxVote, Self::BayesianAverage, Self::LogPool];

    /// The rules in equal shares.
    #[must_use]
    pub fn ensemble(rules: &[Self]) -> Self {
        Self::Ensemble(rules.iter().map(|rule| Member { rule: rule.clone(), weight: 1.0 }).collect())
    }

    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Vote => "vote",
            Self::MaxVote => "max_vote",
            Self::BayesianAverage => "bayesian_average",
            Self::LogPool => "log_pool",
            Self::Ensemble(_) => "ensemble",
        }
    }
}

impl Default for Rule {
    /// `Linear`, `Vote` and `BayesianAverage` in equal shares.
    fn default() -> Self {
        Self::ensemble(&[Self::Linear, Self::Vote, Self::BayesianAverage])
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = Error;

    /// A rule by its name; `ensemble` is the default ensemble.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut known = Self::SIMPLE.to_vec();
        known.push(Self::default());
        let names = known.iter().map(Self::name).collect::<Vec<_>>().join(", ");
        let found = known.into_iter().find(|rule| rule.name() == name);
        Ok(found.ok_or_else(|| SpecError::Unknown { what: "rule", name: name.to_owned(), known: names })?)
    }
}
