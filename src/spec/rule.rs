//! How opinions combine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, SpecError};

/// How the opinions p_n of the present sources combine into one posterior P, under weights w_n that sum to one. c_n is the
/// source's given confidence, or else its largest probability; pi_n its prior; rho the class prior; a_n its reliability
/// ([`Fusion::reliabilities`](crate::Fusion::reliabilities)); l_n the class it votes for. Logarithms are of values clamped
/// to [eps, 1].
///
/// | rule | posterior | source | cost per opinion | tolerance |
/// |---|---|---|---|---|
/// | `Linear` | P = sum w_n p_n | Stone 1961 | C multiply-adds | 2e-6 |
/// | `Vote` | P_k = sum w_n \[l_n = k\] | Condorcet 1785 | C comparisons, 1 addition | 2e-6 |
/// | `MaxVote` | the opinion of the source with the largest c_n; of several, their linear pool | | C multiply-adds | 2e-6 |
/// | `BayesianAverage` | P = sum r_n p_n, r_n proportional to pi_n w_n c_n | Hoeting et al. 1999 | C multiply-adds | 2e-6 |
/// | `LogPool` | ln P_k = sum w_n ln p_n(k) + const | Genest and Zidek 1986 | C logarithms | 2e-6 |
/// | `Extremised` | ln P_k = a sum w_n ln p_n(k) + const | Satopää et al. 2014 | C logarithms | 2e-6 max(1, a) |
/// | `Evidence` | ln P_k = ln rho_k + sum e_n (ln p_n(k) - ln rho_k) + const | Hinton 2002, Bordley 1982 | C logarithms | 2e-6 + 2e-7 L |
/// | `PowerMean` | P_k proportional to (sum w_n p_n(k)^r)^(1/r) | Cooke 1991 | C logarithms, C exponentials | 4e-6 |
/// | `Median` | P_k proportional to the median of p_n(k) | Galton 1907 | C log^2 N comparisons | 2e-6 |
/// | `Trimmed` | P_k proportional to the mean of the p_n(k) between the outer shares | Jose and Winkler 2008 | C log^2 N comparisons | 2e-6 |
/// | `DempsterShafer` | Dempster's or Yager's combination of masses a_n p_n on the classes and 1 - a_n on all of them; pignistic | Shafer 1976, Yager 1987, Smets 1990 | C logarithms | 2e-6 + 2e-7 L |
/// | `Belief` | (sum t_n p_n + A rho) / (sum t_n + A); see [`BeliefFusion`] | Jøsang 2016 | C multiply-adds | 2e-6 |
/// | `Confusion` | ln P_k = ln rho_k + sum ln theta_n\[k, l_n\] + const | Dawid and Skene 1979 | C additions | 2e-6 + 2e-7 L |
/// | `Stacked` | softmax(sum A_n ln p_n + b) | Wolpert 1992 | C logarithms, C^2 multiply-adds | 2e-6 + 2e-7 L |
/// | `Adaptive` | `Linear` under learned weights of its own | | C multiply-adds | 2e-6 |
/// | `Ensemble` | a convex combination of the posteriors of several rules | | those of its members, one pass | the largest |
///
/// L is the sum of the sizes of the logarithms added up for a class. A hard label costs one addition where the table says C
/// multiply-adds. Every rule reads the evidence once, `Median` and `Trimmed` and weights by distance to the consensus twice
/// on the GPU; on the CPU the second reading comes from the cache.
///
/// With weights per class, w_n(k) stands for w_n wherever a class stands beside it, normalised for each class by itself,
/// and P is divided by its sum.
///
/// `Median` and `Trimmed` are of the opinions alone, without weights; where nothing is left of every class the linear pool
/// stands in and the item is flagged.
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
    /// The log pool, sharpened by an exponent, because sources share what they know.
    Extremised {
        /// a in [0, 16]: above 1 sharpens, below 1 flattens.
        exponent: f32,
    },
    /// The product of experts with the class prior counted once.
    Evidence {
        /// e_n, finite and not negative, one per source; an empty list: 1 each.
        #[serde(default)]
        exponents: Vec<f32>,
    },
    /// The weighted power mean: 1 is the linear pool, -1 the harmonic one; towards 0 lies the log pool.
    PowerMean {
        /// r, of a size of at least 0.1 and at most 80 / -ln eps, 4.96 for the usual eps.
        exponent: f32,
    },
    /// The median of each class.
    Median,
    /// The mean of each class without the outer opinions.
    Trimmed {
        /// The share of the present sources left out at either end, in [0, 0.5); rounded down to whole sources.
        share: f32,
    },
    /// Dempster's rule on masses on the classes and on the whole frame.
    DempsterShafer {
        /// What becomes of contradiction.
        #[serde(default)]
        conflict: Conflict,
    },
    /// Fusion of subjective-logic opinions.
    Belief(BeliefFusion),
    /// Votes and labels read through each source's confusion matrix.
    Confusion {
        /// theta, [N, C, C + 1] row-major: source, true class, answer, the last of which is *abstained*. Rows need not sum
        /// to one; values are in [0, 1].
        matrices: Vec<f32>,
    },
    /// Multinomial logistic regression on log-probabilities.
    Stacked {
        /// A, [N, C, C] row-major: source, class of the posterior, class of the opinion.
        weights: Vec<f32>,
        /// b, C long.
        bias: Vec<f32>,
    },
    /// The linear pool under weights that were learned, whatever the weighting of the fusion.
    Adaptive {
        /// One weight per source, finite and not negative.
        learned: Vec<f32>,
    },
    /// Several rules in one pass over the evidence, none of them twice.
    Ensemble(Vec<Member>),
}

/// What becomes of contradiction under Dempster's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// It is divided away (Dempster).
    #[default]
    Normalise,
    /// It becomes ignorance: mass on the whole frame (Yager 1987).
    Ignorance,
}

/// How subjective-logic opinions fuse. With s_n = a_n / (1 - a_n), m the number of present sources, and 1 - a_n at least
/// eps and 1e-30:
///
/// | fusion | t_n | A | for sources that |
/// |---|---|---|---|
/// | `Cumulative` | s_n | 1 | are independent |
/// | `Averaging` | s_n | m | saw the same |
/// | `Weighted` | s_n a_n | sum a_n | saw the same, and the more sure of them should count more |
///
/// (Jøsang, Subjective Logic, 2016, sections 12.3 to 12.5, with b_n = a_n p_n, u_n = 1 - a_n and base rate rho.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeliefFusion {
    /// Evidence adds up.
    #[default]
    Cumulative,
    /// Evidence is averaged.
    Averaging,
    /// Evidence is averaged by how sure each source is.
    Weighted,
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
    /// The rules that need nothing but evidence, with their usual parameters.
    pub const SIMPLE: [Self; 13] = [
        Self::Linear,
        Self::Vote,
        Self::MaxVote,
        Self::BayesianAverage,
        Self::LogPool,
        Self::Extremised { exponent: 2.0 },
        Self::Evidence { exponents: Vec::new() },
        Self::PowerMean { exponent: 0.5 },
        Self::Median,
        Self::Trimmed { share: 0.2 },
        Self::DempsterShafer { conflict: Conflict::Normalise },
        Self::DempsterShafer { conflict: Conflict::Ignorance },
        Self::Belief(BeliefFusion::Cumulative),
    ];

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
            Self::Extremised { .. } => "extremised",
            Self::Evidence { .. } => "evidence",
            Self::PowerMean { .. } => "power_mean",
            Self::Median => "median",
            Self::Trimmed { .. } => "trimmed",
            Self::DempsterShafer { conflict: Conflict::Normalise } => "dempster_shafer",
            Self::DempsterShafer { conflict: Conflict::Ignorance } => "yager",
            Self::Belief(BeliefFusion::Cumulative) => "cumulative_belief",
            Self::Belief(BeliefFusion::Averaging) => "averaging_belief",
            Self::Belief(BeliefFusion::Weighted) => "weighted_belief",
            Self::Confusion { .. } => "confusion",
            Self::Stacked { .. } => "stacked",
            Self::Adaptive { .. } => "adaptive",
            Self::Ensemble(_) => "ensemble",
        }
    }

    /// The rules that have a name on the command line.
    fn named() -> Vec<Self> {
        let mut known = Self::SIMPLE.to_vec();
        known.extend([Self::Belief(BeliefFusion::Averaging), Self::Belief(BeliefFusion::Weighted), Self::default()]);
        known
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

    /// A rule by its name; `ensemble` is the default ensemble. `extremised:A`, `power_mean:R` and `trimmed:SHARE` give the
    /// parameter, as in `power_mean:-1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, parameter) = text.split_once(':').map_or((text, None), |(name, given)| (name, Some(given)));
        let mut found = Self::named().into_iter().find(|rule| rule.name() == name);
        if let Some(given) = parameter {
            let number = given.trim().parse().ok();
            found = match (found, number) {
                (Some(Self::Extremised { .. }), Some(exponent)) => Some(Self::Extremised { exponent }),
                (Some(Self::PowerMean { .. }), Some(exponent)) => Some(Self::PowerMean { exponent }),
                (Some(Self::Trimmed { .. }), Some(share)) => Some(Self::Trimmed { share }),
                _ => None,
            };
        }
        let known = || {
            let names = Self::named().iter().map(Self::name).collect::<Vec<_>>().join(", ");
            format!("{names}; extremised:A, power_mean:R and trimmed:SHARE take a number")
        };
        Ok(found.ok_or_else(|| SpecError::Unknown { what: "rule", name: text.to_owned(), known: known() })?)
    }
}
