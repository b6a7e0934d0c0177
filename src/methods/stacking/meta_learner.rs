//! A rule of the caller's own.

use crate::error::{FitError, Result};
use crate::tensor::{Answer, Evidence, SUM_TOLERANCE};

/// Fuses the opinions on one item in a way of its own. [`fuse_with`] applies it to evidence and checks its answers.
///
/// # Examples
///
/// *Believe the first source that says anything.*
///
/// ```
/// use consilience::Evidence;
/// use consilience::stacking::{MetaLearner, Opinions, fuse_with};
///
/// struct First;
///
/// impl MetaLearner for First {
///     fn fuse(&self, opinions: &Opinions<'_>, out: &mut [f32]) {
///         let flat = vec![1.0 / out.len() as f32; out.len()];
///         let first = (0..opinions.sources()).find_map(|n| opinions.get(n));
///         out.copy_from_slice(first.unwrap_or(&flat));
///     }
/// }
///
/// let (a, b) = ([0.9, 0.1, 0.0, 0.0], [0.3, 0.7, 0.2, 0.8]);
/// let evidence = Evidence::probabilities(2, &[&a, &b])?.with_presence(0, &[true, false])?;
/// assert_eq!(fuse_with(&First, &evidence)?, [0.9, 0.1, 0.2, 0.8]);
/// # Ok::<(), consilience::Error>(())
/// ```
pub trait MetaLearner {
    /// Writes the posterior of one item to `out`, one entry per class: not negative and summing to one within
    /// [`SUM_TOLERANCE`]. `out` is zeros when it is called.
    fn fuse(&self, opinions: &Opinions<'_>, out: &mut [f32]);
}

/// What all sources say of one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinions<'a> {
    rows: &'a [f32],
    given: &'a [bool],
    classes: usize,
}

impl<'a> Opinions<'a> {
    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.given.len()
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What a source says, as probabilities; `None` where it was not asked or abstained, or where there is no such source.
    #[must_use]
    pub fn get(&self, source: usize) -> Option<&'a [f32]> {
        let given = *self.given.get(source)?;
        given.then(|| &self.rows[source * self.classes..][..self.classes])
    }
}

/// The meta-learner's posteriors of all items, row-major [B, C].
///
/// # Errors
///
/// An opinion is invalid, or an answer of the meta-learner is no distribution; the item is named.
pub fn fuse_with(learner: &(impl MetaLearner + ?Sized), evidence: &Evidence<'_>) -> Result<Vec<f32>> {
    let (sources, classes) = (evidence.sources(), evidence.classes());
    let mut posterior = vec![0.0; evidence.items() * classes];
    let (mut rows, mut given) = (vec![0.0; sources * classes], vec![false; sources]);
    for (item, out) in posterior.chunks_exact_mut(classes).enumerate() {
        for ((source, row), given) in rows.chunks_exact_mut(classes).enumerate().zip(&mut given) {
            *given = evidence.opinion(source, item, row)? == Answer::Given;
        }
        learner.fuse(&Opinions { rows: &rows, given: &given, classes }, out);
        if let Some(why) = fault(out) {
            return Err(FitError::NotADistribution { item, why }.into());
        }
    }
    Ok(posterior)
}

/// What keeps the numbers from being a distribution.
fn fault(p: &[f32]) -> Option<String> {
    if let Some(k) = p.iter().position(|p| !(0.0..=1.0 + SUM_TOLERANCE).contains(p)) {
        return Some(format!("class {k} has {}, which does not lie in [0, 1]", p[k]));
    }
    let sum: f32 = p.iter().sum();
    let is_one = (sum - 1.0).abs() <= SUM_TOLERANCE;
    (!is_one).then(|| format!("it sums to {sum}, not to 1 within {SUM_TOLERANCE}"))
}
