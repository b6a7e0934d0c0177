//! What is known before a fit.

use super::annotations::Annotations;
use super::fit::{Confusions, Fit};
use crate::error::{LabelError, LengthError, Result, TruthError};
use crate::kernel::em::expect::UNKNOWN;

/// What is known before a fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Items and their classes.
    pub gold: &'a [(u32, u32)],
    /// What each source is taken to have answered before, in the place of what a method assumes: for each source, true class and
    /// answer a count, [N, C, L] with L the classes, and one more if anybody abstained; empty: nothing. Methods that know one
    /// accuracy of a source take from it how often it was right, and wrong.
    pub counts: &'a [f32],
    /// What an earlier fit of the same method found of the same sources, to begin with; else a fit begins with the votes.
    pub warm: Option<&'a Fit>,
}

impl Known<'_> {
    /// The class of each item, or [`UNKNOWN`].
    pub(super) fn gold(&self, annotations: &Annotations) -> Result<Vec<u32>> {
        let mut gold = vec![UNKNOWN; annotations.items()];
        for (place, &(item, class)) in self.gold.iter().enumerate() {
            LabelError::check(annotations.classes(), item as usize, class)?;
            let Some(known) = gold.get_mut(item as usize) else {
                let (what, count) = ("item of a known class", annotations.items());
                return Err(TruthError::Index { annotation: place, what, index: item, count }.into());
            };
            if *known != UNKNOWN && *known != class {
                return Err(TruthError::Contradiction { item, classes: [*known, class] }.into());
            }
            *known = class;
        }
        Ok(gold)
    }

    /// What is counted beforehand, [N + 1, L, C], by default so much on the diagonal and off it; the last, the class prior's, is
    /// nothing.
    pub(super) fn counts(&self, annotations: &Annotations, [diagonal, off_diagonal]: [f32; 2]) -> Result<Vec<f32>> {
        let (symbols, classes) = (annotations.symbols(), annotations.classes());
        let mut counts = vec![0.0; (annotations.sources() + 1) * symbols * classes];
        let rows = counts.chunks_exact_mut(symbols * classes).take(annotations.sources());
        if self.counts.is_empty() {
            for to in rows {
                for (place, to) in to.iter_mut().enumerate() {
                    *to = if place / classes == place % classes { diagonal } else { off_diagonal };
                }
            }
            return Ok(counts);
        }
        self.check_counts(annotations)?;
        for (to, from) in rows.zip(self.counts.chunks_exact(symbols * classes)) {
            for (place, to) in to.iter_mut().enumerate() {
                *to = from[place % classes * symbols + place / classes];
            }
        }
        Ok(counts)
    }

    /// How often each source is taken to have been right before, and wrong, `[N]`, by default so often.
    pub(super) fn accuracies(&self, annotations: &Annotations, default: [f64; 2]) -> Result<Vec<[f64; 2]>> {
        if self.counts.is_empty() {
            return Ok(vec![default; annotations.sources()]);
        }
        self.check_counts(annotations)?;
        let (symbols, classes) = (annotations.symbols(), annotations.classes());
        let of_source = |counts: &[f32]| {
            let mut sums = [0.0; 2];
            for (class, row) in counts.chunks_exact(symbols).enumerate() {
                for (answer, &count) in row[..classes].iter().enumerate() {
                    sums[usize::from(answer != class)] += f64::from(count);
                }
            }
            sums
        };
        Ok(self.counts.chunks_exact(symbols * classes).map(of_source).collect())
    }

    /// The confusions an earlier fit found.
    pub(super) fn confusions(&self, annotations: &Annotations, subtypes: usize) -> Result<Option<&Confusions>> {
        let Some(earlier) = self.warm else { return Ok(None) };
        let Some(confusions) = earlier.confusions() else { return Err(TruthError::OtherMethod.into()) };
        let (columns, symbols) = (annotations.classes() * subtypes, annotations.symbols());
        LengthError::check("the class prior of the earlier fit", columns, confusions.log_prior.len())?;
        let needed = annotations.sources() * symbols * columns;
        LengthError::check("the list of confusions of the earlier fit", needed, confusions.logs.len())?;
        Ok(Some(confusions))
    }

    /// The skills an earlier fit found.
    pub(super) fn skill(&self, annotations: &Annotations) -> Result<Option<&[f64]>> {
        let Some(earlier) = self.warm else { return Ok(None) };
        LengthError::check("the list of skills of the earlier fit", annotations.sources(), earlier.skill.len())?;
        Ok(Some(&earlier.skill))
    }

    fn check_counts(&self, annotations: &Annotations) -> Result<()> {
        let needed = annotations.sources() * annotations.symbols() * annotations.classes();
        LengthError::check("the list of counts of sources", needed, self.counts.len())?;
        let (what, must) = ("a count of a source", "a finite number of at least 0");
        let check = |&count: &f32| TruthError::check_option(what, count, count.is_finite() && count >= 0.0, must);
        Ok(self.counts.iter().try_for_each(check)?)
    }
}
