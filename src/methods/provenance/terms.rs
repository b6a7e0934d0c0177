//! An additive rule on one item as what it is: one term per source and class, and a constant per class.

use crate::error::{EvidenceError, Result, SpecError};
use crate::kernel::fusion::pool::{By, PRIOR_FLOOR, Pool, Slot, SourceTerms};
use crate::plan;
use crate::spec::{Fusion, OnInvalid};
use crate::tensor::{Answer, Evidence};

/// The terms whose sum over sources, with the constant, is largest for the class decided for.
#[derive(Debug)]
pub(super) struct Terms {
    /// The sources with an answer on the item.
    pub sources: Vec<usize>,
    /// One row per such source, one value per class.
    pub rows: Vec<Vec<f64>>,
    /// What is there without any source.
    pub constant: Vec<f64>,
}

impl Terms {
    /// Of a rule that adds up.
    ///
    /// # Errors
    ///
    /// The fusion does not fit the evidence, its rule does not add up over sources whatever sources there are, its weights
    /// depend on the other sources or on the class, or an opinion on the item is invalid.
    pub(super) fn of(fusion: &Fusion, evidence: &Evidence<'_>, item: usize) -> Result<Self> {
        let program = plan::lower(fusion, &evidence.outline())?;
        let pool = &program.steps[0].pool;
        let rules = pool.rules();
        let adds_up = Slot::LOGARITHMIC | Slot::ARITHMETIC & !Slot::MaxVote.bit();
        if rules.count_ones() != 1 || rules & !adds_up != 0 || pool.by.is_consensus() || !pool.class_weights.is_empty()
        {
            return Err(SpecError::NoFlipSet.into());
        }
        let mut terms = Self { sources: Vec::new(), rows: Vec::new(), constant: constant(pool) };
        let mut p = vec![0.0; evidence.classes()];
        for (source, of_source) in pool.sources.iter().enumerate() {
            let answer = match evidence.opinion(source, item, &mut p) {
                Err(error) if error.is_invalid_evidence() && fusion.on_invalid == OnInvalid::Missing => continue,
                answer => answer?,
            };
            let row = match answer {
                Answer::Missing => continue,
                Answer::Abstained if rules == Slot::Confusion.bit() => answers(pool, source, evidence.classes()),
                Answer::Abstained => continue,
                Answer::Given => {
                    let p = tempered(&p, of_source.inverse_temperature);
                    let given = evidence.confidence(source).map(|confidence| f64::from(confidence[item]));
                    let vote = evidence.vote(source, item).ok_or_else(|| no_vote(item))?;
                    row(pool, source, &p, vote, given)
                }
            };
            terms.sources.push(source);
            terms.rows.push(row);
        }
        Ok(terms)
    }
}

fn no_vote(item: usize) -> EvidenceError {
    EvidenceError::ShapeMismatch { what: "the list of items".to_owned(), left: item, right: item + 1 }
}

fn ln_prior(pool: &Pool, k: usize) -> f64 {
    f64::from(pool.class_prior[k].max(PRIOR_FLOOR)).ln()
}

/// What the rule has without any source.
fn constant(pool: &Pool) -> Vec<f64> {
    let rules = pool.rules();
    let of = |k: usize| {
        if rules & (Slot::Evidence.bit() | Slot::Confusion.bit()) != 0 {
            ln_prior(pool, k)
        } else if rules == Slot::Stacked.bit() {
            f64::from(pool.bias[k])
        } else if rules == Slot::Belief.bit() {
            f64::from(pool.belief_constant()) * f64::from(pool.class_prior[k])
        } else {
            0.0
        }
    };
    (0..pool.classes).map(of).collect()
}

/// One source's terms: its opinion p, the class it votes for, the confidence it gave.
fn row(pool: &Pool, source: usize, p: &[f64], vote: usize, given: Option<f64>) -> Vec<f64> {
    let terms = &pool.sources[source];
    let eps = f64::from(pool.log_floor);
    let ln = |p: f64| p.clamp(eps, 1.0).ln();
    let largest = p.iter().copied().fold(0.0, f64::max);
    let w = weight(pool, terms, p, given);
    let rules = pool.rules();
    let term = |k: usize| match rules {
        r if r == Slot::Linear.bit() => w * p[k],
        r if r == Slot::Vote.bit() => w * f64::from(u8::from(vote == k)),
        r if r == Slot::BayesianAverage.bit() => f64::from(terms.prior) * w * given.unwrap_or(largest) * p[k],
        r if r == Slot::Adaptive.bit() => f64::from(terms.learned) * p[k],
        r if r == Slot::Belief.bit() => {
            f64::from(terms.belief) * p[k] + f64::from(terms.belief_base) * f64::from(pool.class_prior[k])
        }
        r if r == Slot::Evidence.bit() => f64::from(terms.exponent) * (ln(p[k]) - ln_prior(pool, k)),
        // The log pool, extremised or not.
        _ => w * ln(p[k]),
    };
    if rules == Slot::Confusion.bit() {
        return answers(pool, source, vote);
    }
    if rules == Slot::Stacked.bit() {
        let c = pool.classes;
        let matrix = &pool.stack[source * c * c..][..c * c];
        return (0..c).map(|k| (0..c).map(|j| f64::from(matrix[j * c + k]) * ln(p[j])).sum()).collect();
    }
    (0..pool.classes).map(term).collect()
}

/// ln theta for one answer of a source.
fn answers(pool: &Pool, source: usize, answer: usize) -> Vec<f64> {
    let start = (source * (pool.classes + 1) + answer) * pool.classes;
    pool.confusion[start..start + pool.classes].iter().map(|&log| f64::from(log)).collect()
}

/// The raw weight.
fn weight(pool: &Pool, terms: &SourceTerms, p: &[f64], given: Option<f64>) -> f64 {
    let mut sorted = p.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let entropy: f64 = p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum();
    let measure = match pool.by {
        By::Margin => sorted[0] - sorted.get(1).copied().unwrap_or(0.0),
        By::Entropy => 1.0 - entropy * f64::from(pool.inverse_ln_classes()),
        By::Max | By::Hellinger | By::JensenShannon => sorted[0],
    };
    f64::from(terms.offset) + f64::from(terms.scale) * given.unwrap_or(measure).powf(f64::from(pool.gamma))
}

fn tempered(p: &[f32], inverse_temperature: f32) -> Vec<f64> {
    let powers: Vec<f64> = p.iter().map(|&p| f64::from(p).powf(f64::from(inverse_temperature))).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}
