//! As much as a rule needs of what sources said.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::pool::{Pool, log_all};
use crate::error::{Error, LengthError, PartialError, Result, SpecError};
use crate::methods::calibration::posterior;

/// Sums over what sources said, and which sources they are.
///
/// A sum holds 2^32 to the unit, so that an opinion is off by 2^-33, and adding rounds nothing.
///
/// They are serialised as integers. What is read back is refused if it has another number of them than the rule needs, names
/// a source twice or comes to no posterior.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "Read<S>",
    bound(serialize = "S: Serialize", deserialize = "S: Deserialize<'de> + Ord + Clone + Debug")
)]
pub struct Sums<S> {
    pool: Pool,
    classes: usize,
    sources: BTreeSet<S>,
    sums: Vec<i64>,
}

/// What was read and is not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<S> {
    pool: Pool,
    classes: usize,
    sources: Vec<S>,
    sums: Vec<i64>,
}

impl<S: Ord + Clone + Debug> TryFrom<Read<S>> for Sums<S> {
    type Error = Error;

    fn try_from(Read { pool, classes, sources, sums }: Read<S>) -> Result<Self> {
        SpecError::check("the number of classes", classes as f64, "at least one", classes > 0)?;
        // As many at least as there are classes, which bounds what is made of them.
        let width = if classes <= sums.len() { pool.width(classes) } else { classes };
        LengthError::check("the sums", width, sums.len())?;
        let mut read = Self { pool, classes, sources: BTreeSet::new(), sums };
        for source in sources {
            let source_name = format!("{source:?}");
            if !read.sources.insert(source) {
                return Err(PartialError::Overlap { source_name }.into());
            }
        }
        if read.sources.is_empty() {
            let nothing = Self::new(pool, classes).sums;
            return if read.sums == nothing { Ok(read) } else { Err(PartialError::Nothing.into()) };
        }
        posterior::check_row(classes, 0, &read.posterior(None)?)?;
        Ok(read)
    }
}

impl<S: Ord + Clone + Debug> Sums<S> {
    pub(super) fn new(pool: Pool, classes: usize) -> Self {
        Self { pool, classes, sources: BTreeSet::new(), sums: vec![0; pool.width(classes)] }
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

    /// Adds what a source said that is not in them.
    pub(super) fn add(&mut self, source: &S, weight: f64, opinion: &[f32]) -> Result<(), PartialError> {
        let at_most = self.pool.most_weight();
        if weight > f64::from(at_most) {
            let (source_name, weight) = (format!("{source:?}"), weight as f32);
            return Err(PartialError::Weight { source_name, weight, at_most });
        }
        let mut logs = vec![0.0; if self.pool.takes_logs() { self.classes } else { 0 }];
        log_all(opinion, &mut logs);
        let mut part = vec![0; self.sums.len()];
        self.pool.write(opinion, &logs, weight, None, &mut part);
        self.pool.merge(&mut self.sums, &part)?;
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
        LengthError::check("the classes of the other sums", self.classes, other.classes)?;
        if let Some(both) = self.sources.intersection(&other.sources).next() {
            return Err(PartialError::Overlap { source_name: format!("{both:?}") }.into());
        }
        let mut sums = self.sums.clone();
        self.pool.merge(&mut sums, &other.sums)?;
        self.sums = sums;
        self.sources.extend(other.sources.iter().cloned());
        Ok(())
    }

    /// The posterior, `[C]`. The class prior, uniform where none is given, counts with the rules that take one.
    ///
    /// # Errors
    ///
    /// A prior that is no distribution over the classes; nobody in the sums.
    pub fn posterior(&self, class_prior: Option<&[f32]>) -> Result<Vec<f32>> {
        if let Some(prior) = class_prior {
            posterior::check_row(self.classes, 0, prior)?;
        }
        if self.sources.is_empty() {
            return Err(PartialError::Nothing.into());
        }
        let mut row = vec![0.0; self.classes];
        self.pool.posterior(&self.sums, class_prior, &mut row);
        Ok(row.into_iter().map(|p| p as f32).collect())
    }

    /// The class decided for: the lowest of the largest posterior, but of equal votes the one with the larger linear pool.
    ///
    /// # Errors
    ///
    /// As [`Sums::posterior`].
    pub fn decision(&self, class_prior: Option<&[f32]>) -> Result<usize> {
        Ok(self.pool.decision(&self.sums, &self.posterior(class_prior)?))
    }
}
