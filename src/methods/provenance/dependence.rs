//! Which sources agree more than their skill explains.

use crate::error::{EvidenceError, LabelError, Result};
use crate::tensor::Evidence;

/// How far sources repeat each other, against a truth that is known or fused.
///
/// If sources erred independently, two of them would agree, on items of true class k, as often as their confusion matrices
/// say: sum over l of theta_a\[k, l\] theta_b\[k, l\]. The *residual agreement* is what they agree beyond that. The
/// *correlation* is Pearson's, of being right, over the items both answered. The effective number of independent sources is
/// the participation ratio of the correlation matrix R, N^2 / sum R_ab^2 (Bretherton et al. 1999): N where all err
/// independently, 1 where all err together.
///
/// # Examples
///
/// *A source and its copy beside one that errs elsewhere.*
///
/// ```
/// use consilience::provenance::Dependence;
/// use consilience::{Evidence, Opinions};
///
/// let (a, b) = ([0, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0]);
/// let sources = [Opinions::LabelsU8(&a), Opinions::LabelsU8(&a), Opinions::LabelsU8(&b)];
/// let truth = [0, 0, 1, 1, 0, 0];
/// let report = Dependence::of(&Evidence::of(2, &sources)?, &truth)?;
/// assert!(report.pair(0, 1).unwrap().correlation > 0.999_999);
/// assert!(report.effective_sources() < 2.1);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    sources: usize,
    pairs: Vec<Pair>,
}

/// Two sources.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The one.
    pub a: usize,
    /// The other, of a higher index.
    pub b: usize,
    /// Items that both answered.
    pub items: usize,
    /// The share of those on which they agree; 0 where there are none.
    pub agreement: f64,
    /// Agreement less what independent errors would give; 0 where there are no common items.
    pub residual_agreement: f64,
    /// Correlation of being right; 0 where one of them is always right, or always wrong, or there are no common items.
    pub correlation: f64,
}

impl Dependence {
    /// Of the votes of all sources, against one class per item: labels, or the decisions of a fusion, which then take the
    /// place of the truth and make sources look the more independent the fewer they are.
    ///
    /// # Errors
    ///
    /// Another number of labels than items, a label that is no class, or an invalid opinion.
    pub fn of(evidence: &Evidence<'_>, truth: &[u32]) -> Result<Self> {
        let (n, items, classes) = (evidence.sources(), evidence.items(), evidence.classes());
        EvidenceError::check_len("the list of true classes", items, truth.len())?;
        truth.iter().enumerate().try_for_each(|(item, &label)| LabelError::check(classes, item, label))?;
        let votes: Vec<Vec<Option<u32>>> = (0..n).map(|source| votes(evidence, source)).collect::<Result<_>>()?;
        let matrices: Vec<Vec<f64>> = votes.iter().map(|votes| confusion(votes, truth, classes)).collect();
        let mut pairs = Vec::new();
        for a in 0..n {
            for b in a + 1..n {
                pairs.push(pair(a, b, &votes, &matrices, truth, classes));
            }
        }
        Ok(Self { sources: n, pairs })
    }

    /// Every pair, the first source slowest.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Two different sources; `None` if there are no such two.
    #[must_use]
    pub fn pair(&self, a: usize, b: usize) -> Option<Pair> {
        let (a, b) = (a.min(b), a.max(b));
        self.pairs.iter().find(|pair| (pair.a, pair.b) == (a, b)).copied()
    }

    /// The effective number of independent sources, in [1, N].
    #[must_use]
    pub fn effective_sources(&self) -> f64 {
        let squares: f64 = self.pairs.iter().map(|pair| 2.0 * pair.correlation * pair.correlation).sum();
        let n = self.sources as f64;
        n * n / (n + squares)
    }
}

/// What a source votes for, item by item.
fn votes(evidence: &Evidence<'_>, source: usize) -> Result<Vec<Option<u32>>> {
    let mut row = vec![0.0; evidence.classes()];
    let vote = |item| {
        evidence.opinion(source, item, &mut row)?;
        Ok(evidence.vote(source, item).map(|class| class as u32))
    };
    (0..evidence.items()).map(vote).collect()
}

/// Shares of votes by true class, [C, C]; zero for a class that never came up.
fn confusion(votes: &[Option<u32>], truth: &[u32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes * classes];
    for (vote, &k) in votes.iter().zip(truth) {
        if let Some(vote) = vote {
            counts[k as usize * classes + *vote as usize] += 1.0;
        }
    }
    for row in counts.chunks_mut(classes) {
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|count| *count /= sum.max(1.0));
    }
    counts
}

fn pair(a: usize, b: usize, votes: &[Vec<Option<u32>>], matrices: &[Vec<f64>], truth: &[u32], classes: usize) -> Pair {
    let expected: Vec<f64> = matrices[a]
        .chunks(classes)
        .zip(matrices[b].chunks(classes))
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum())
        .collect();
    let (mut items, mut agree, mut expect) = (0_usize, 0.0, 0.0);
    let (mut right_a, mut right_b, mut right_both) = (0.0, 0.0, 0.0);
    let one = |yes: bool| if yes { 1.0 } else { 0.0 };
    for ((vote_a, vote_b), &k) in votes[a].iter().zip(&votes[b]).zip(truth) {
        let (Some(vote_a), Some(vote_b)) = (*vote_a, *vote_b) else { continue };
        items += 1;
        agree += one(vote_a == vote_b);
        expect += expected[k as usize];
        right_a += one(vote_a == k);
        right_b += one(vote_b == k);
        right_both += one(vote_a == k && vote_b == k);
    }
    let m = items.max(1) as f64;
    let (mean_a, mean_b) = (right_a / m, right_b / m);
    let spread = (mean_a * (1.0 - mean_a) * mean_b * (1.0 - mean_b)).sqrt();
    let covariance = right_both / m - mean_a * mean_b;
    let correlation = if spread > 1e-12 { (covariance / spread).clamp(-1.0, 1.0) } else { 0.0 };
    Pair { a, b, items, agreement: agree / m, residual_agreement: (agree - expect) / m, correlation }
}
