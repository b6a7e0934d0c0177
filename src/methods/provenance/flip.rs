//! The smallest set of sources without which an item would be decided otherwise.

use crate::error::Result;
use crate::methods::provenance::terms::Terms;
use crate::spec::Fusion;
use crate::tensor::Evidence;

/// A set of sources on which a decision hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    /// The decision with all sources.
    pub decision: usize,
    /// The sources to be removed, the most telling first: no smaller set turns the decision.
    pub removed: Vec<usize>,
    /// The decision without them.
    pub becomes: usize,
}

/// The smallest set of sources whose removal turns the decision on one item; `None` if no removal does.
///
/// Exact: a rule that adds up gives each source a term per class, so against any one rival the best sources to remove are
/// those with the largest differences of terms, in that order, and the smallest set over all rivals is the answer. Where
/// all sources are removed the class prior decides. Costs N C log N on one item, on the host in f64.
///
/// # Errors
///
/// The rule is none of `Linear`, `Vote`, `BayesianAverage`, `Adaptive`, `Belief`, `LogPool`, `Extremised`, `Evidence`,
/// `Confusion` and `Stacked` alone, weights go by the consensus or by class, the fusion does not fit the evidence, there
/// is no such item, or an opinion on it is invalid.
///
/// # Examples
///
/// *Two of three votes decide, and one of them is enough to turn it.*
///
/// ```
/// use consilience::provenance::flip_set;
/// use consilience::{Evidence, Fusion, Opinions, Rule};
///
/// let votes = [Opinions::LabelsU8(&[1]), Opinions::LabelsU8(&[0]), Opinions::LabelsU8(&[1])];
/// let flip = flip_set(&Fusion::new(Rule::Vote), &Evidence::of(2, &votes)?, 0)?.unwrap();
/// assert_eq!((flip.decision, flip.removed, flip.becomes), (1, vec![0], 0));
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn flip_set(fusion: &Fusion, evidence: &Evidence<'_>, item: usize) -> Result<Option<Flip>> {
    let terms = Terms::of(fusion, evidence, item)?;
    let everyone: Vec<usize> = (0..terms.sources.len()).collect();
    if everyone.is_empty() {
        return Ok(None);
    }
    let prior = argmax(&prior(fusion, evidence.classes()));
    let decision = terms.decide(&everyone);
    let mut best: Option<Flip> = None;
    for rival in (0..evidence.classes()).filter(|&rival| rival != decision) {
        let mut order = everyone.clone();
        let lead = |&n: &usize| terms.rows[n][decision] - terms.rows[n][rival];
        order.sort_by(|a, b| lead(b).total_cmp(&lead(a)));
        let most = best.as_ref().map_or(order.len(), |flip| flip.removed.len());
        for removed in 1..most {
            let becomes = terms.decide(&order[removed..]);
            if becomes != decision {
                let removed = order[..removed].iter().map(|&n| terms.sources[n]).collect();
                best = Some(Flip { decision, removed, becomes });
                break;
            }
        }
    }
    if best.is_none() && prior != decision {
        best = Some(Flip { decision, removed: terms.sources.clone(), becomes: prior });
    }
    Ok(best)
}

impl Terms {
    /// The class decided for by some of the sources; the lowest of equals.
    fn decide(&self, rows: &[usize]) -> usize {
        let sum = |(k, &constant): (usize, &f64)| constant + rows.iter().map(|&n| self.rows[n][k]).sum::<f64>();
        argmax(&self.constant.iter().enumerate().map(sum).collect::<Vec<_>>())
    }
}

fn prior(fusion: &Fusion, classes: usize) -> Vec<f64> {
    let given = fusion.class_prior.as_ref().map(|prior| prior.iter().map(|&p| f64::from(p)).collect());
    given.unwrap_or_else(|| vec![1.0; classes])
}

/// The largest, but for rounding the lowest of equals.
fn argmax(values: &[f64]) -> usize {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let tie = 1e-9 * most.abs().max(1e-300);
    values.iter().position(|&value| value >= most - tie).unwrap_or(0)
}
