//! As much as a rule needs of what sources said.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::error::{LengthError, PartialError, Result};
use crate::methods::calibration::posterior;
use crate::spec::LOG_FLOOR;

/// What 1 is in a sum.
const ONE: f64 = (1_u64 << 32) as f64;

/// A rule that needs sums alone; [`Rule`](crate::Rule) has the formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pool {
    /// The weighted average.
    Linear,
    /// The weighted majority vote: an opinion votes for its likeliest class, the lowest of equals.
    Vote,
    /// The weighted geometric mean.
    LogPool,
    /// The product of experts, each to the power of its weight, with the class prior counted once.
    Evidence,
}

impl Pool {
    const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear pool",
            Self::Vote => "vote",
            Self::LogPool => "log pool",
            Self::Evidence => "evidence rule",
        }
    }
}

/// Sums over what sources said, and which sources they are.
///
/// A sum holds 2^32 to the unit, so that an opinion is off by 2^-33, and adding rounds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums<S> {
    pool: Pool,
    sources: BTreeSet<S>,
    /// Of w p, of w, or of w ln p, `[C]`.
    sums: Vec<i64>,
    /// Of w.
    weight: i64,
}

impl<S: Ord + Clone + Debug> Sums<S> {
    pub(super) fn new(pool: Pool, classes: usize) -> Self {
        Self { pool, sources: BTreeSet::new(), sums: vec![0; classes], weight: 0 }
    }

    /// The rule.
    #[must_use]
    pub fn pool(&self) -> Pool {
        self.pool
    }

    /// Who is in them, in the order of sources.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &S> {
        self.sources.iter()
    }

    /// The sum of all weights.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight as f64 / ONE
    }

    /// Adds what a source said that is not in them.
    pub(super) fn add(&mut self, source: &S, weight: f64, opinion: &[f32]) -> Result<(), PartialError> {
        let vote = posterior::decision(opinion);
        for (class, (sum, &p)) in self.sums.iter_mut().zip(opinion).enumerate() {
            let p = f64::from(p);
            let part = match self.pool {
                Pool::Linear => p,
                Pool::Vote => f64::from(u8::from(class == vote)),
                Pool::LogPool | Pool::Evidence => p.max(f64::from(LOG_FLOOR)).ln(),
            };
            *sum = added(*sum, fixed(weight * part)?)?;
        }
        self.weight = added(self.weight, fixed(weight)?)?;
        self.sources.insert(source.clone());
        Ok(())
    }

    /// Adds sums of other sources.
    ///
    /// # Errors
    ///
    /// Another rule or number of classes; a source that is in both; more weight than sums hold. Nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.pool != other.pool {
            let (given, held) = (other.pool.name(), self.pool.name());
            return Err(PartialError::OtherRule { given, held }.into());
        }
        LengthError::check("the classes of the other sums", self.sums.len(), other.sums.len())?;
        if let Some(both) = self.sources.intersection(&other.sources).next() {
            return Err(PartialError::Overlap { source_name: format!("{both:?}") }.into());
        }
        let sums: Vec<i64> =
            self.sums.iter().zip(&other.sums).map(|(&a, &b)| added(a, b)).collect::<Result<_, PartialError>>()?;
        self.weight = added(self.weight, other.weight)?;
        self.sums = sums;
        self.sources.extend(other.sources.iter().cloned());
        Ok(())
    }

    /// The posterior, `[C]`. The class prior, even where none is given, counts with the evidence rule alone; if nothing weighs
    /// anything, that rule's answer is the prior.
    ///
    /// # Errors
    ///
    /// A prior that is no distribution over the classes; with another rule, nothing that weighs anything.
    pub fn posterior(&self, class_prior: Option<&[f32]>) -> Result<Vec<f32>> {
        let classes = self.sums.len();
        if let Some(prior) = class_prior {
            posterior::check_row(classes, 0, prior)?;
        }
        let weight = self.weight();
        if self.pool != Pool::Evidence && self.weight == 0 {
            return Err(PartialError::Nothing.into());
        }
        let sums = self.sums.iter().map(|&sum| sum as f64 / ONE);
        let mut row: Vec<f64> = match self.pool {
            Pool::Linear | Pool::Vote => sums.collect(),
            Pool::LogPool => sums.map(|sum| sum / weight).collect(),
            Pool::Evidence => {
                let prior = |class: usize| class_prior.map_or(1.0 / classes as f64, |prior| f64::from(prior[class]));
                let log = |class| f64::max(prior(class), f64::from(LOG_FLOOR)).ln();
                sums.enumerate().map(|(class, sum)| sum + (1.0 - weight) * log(class)).collect()
            }
        };
        if matches!(self.pool, Pool::LogPool | Pool::Evidence) {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|log| *log = (*log - most).exp());
        }
        let whole: f64 = row.iter().sum();
        Ok(row.into_iter().map(|p| (p / whole) as f32).collect())
    }
}

fn fixed(value: f64) -> Result<i64, PartialError> {
    let scaled = (value * ONE).round();
    // Both ends are powers of two.
    if scaled.abs() < -(i64::MIN as f64) { Ok(scaled as i64) } else { Err(PartialError::TooMuch) }
}

fn added(a: i64, b: i64) -> Result<i64, PartialError> {
    a.checked_add(b).ok_or(PartialError::TooMuch)
}
