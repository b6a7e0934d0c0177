//! The rules and their parameters.

use crate::error::{Result, SpecError};
use crate::kernel::fusion::pool::Slot;
use crate::plan::lower::{checked, is_weight, within};
use crate::spec::{BeliefFusion, Conflict, Member, Rule};

/// What the rules of a fusion come to.
#[derive(Debug)]
pub(super) struct Rules {
    pub mix: [f32; Slot::ALL.len()],
    pub exponents: Vec<f32>,
    pub learned: Vec<f32>,
    pub extremise: f32,
    pub power: f32,
    pub trim: f32,
    pub conflict: Conflict,
    pub belief: BeliefFusion,
    pub confusion: Vec<f32>,
    pub stack: Vec<f32>,
    pub bias: Vec<f32>,
}

/// What one source is to `Belief`.
#[derive(Debug, Clone, Copy)]
pub(super) struct BeliefTerms {
    pub weight: f32,
    pub base: f32,
}

impl Rules {
    pub(super) fn of(rule: &Rule, n: usize, classes: usize, log_floor: f32) -> Result<Self> {
        let single = [Member { rule: rule.clone(), weight: 1.0 }];
        let members = if let Rule::Ensemble(members) = rule { members.as_slice() } else { &single };
        let mut rules = Self {
            mix: [0.0; Slot::ALL.len()],
            exponents: vec![1.0; n],
            learned: vec![0.0; n],
            extremise: 1.0,
            power: 1.0,
            trim: 0.0,
            conflict: Conflict::default(),
            belief: BeliefFusion::default(),
            confusion: Vec::new(),
            stack: Vec::new(),
            bias: Vec::new(),
        };
        let mut seen = 0;
        for Member { rule, weight } in members {
            within(&format!("the ensemble's share of {rule}"), *weight, "finite and not negative", is_weight)?;
            let slot = rules.take(rule, n, classes, log_floor)?;
            if seen & slot.bit() != 0 {
                return Err(SpecError::Ensemble { why: "a member is there twice" }.into());
            }
            seen |= slot.bit();
            rules.mix[slot as usize] = *weight;
        }
        let total: f32 = rules.mix.iter().sum();
        if !(total.is_finite() && total > 0.0) {
            return Err(SpecError::Ensemble { why: "no share is above zero, or their sum is not finite" }.into());
        }
        rules.mix = rules.mix.map(|share| share / total);
        Ok(rules)
    }

    /// Takes over the parameters of one rule and answers its place.
    fn take(&mut self, rule: &Rule, n: usize, classes: usize, log_floor: f32) -> Result<Slot> {
        Ok(match rule {
            Rule::Linear => Slot::Linear,
            Rule::Vote => Slot::Vote,
            Rule::MaxVote => Slot::MaxVote,
            Rule::BayesianAverage => Slot::BayesianAverage,
            Rule::LogPool => Slot::LogPool,
            Rule::Extremised { exponent } => {
                within("the exponent of extremised", *exponent, "in [0, 16]", |a| (0.0..=16.0).contains(&a))?;
                self.extremise = *exponent;
                Slot::Extremised
            }
            Rule::Evidence { exponents } => {
                if !exponents.is_empty() {
                    checked("the exponents of evidence", exponents, n, "sources")?;
                    self.exponents.clone_from(exponents);
                }
                Slot::Evidence
            }
            Rule::PowerMean { exponent } => {
                let most = -80.0 / log_floor.ln();
                let must = "of a size of at least 0.1 and at most 80 / -ln(log_floor), 4.96 for a log_floor of 1e-7";
                within("the exponent of power_mean", *exponent, must, |r| (0.1..=most).contains(&r.abs()))?;
                self.power = *exponent;
                Slot::PowerMean
            }
            Rule::Median => Slot::Median,
            Rule::Trimmed { share } => {
                within("the share of trimmed", *share, "in [0, 0.5)", |share| (0.0..0.5).contains(&share))?;
                self.trim = *share;
                Slot::Trimmed
            }
            Rule::DempsterShafer { conflict } => {
                self.conflict = *conflict;
                Slot::DempsterShafer
            }
            Rule::Belief(belief) => {
                self.belief = *belief;
                Slot::Belief
            }
            Rule::Confusion { matrices } => {
                self.confusion = log_confusion(matrices, n, classes, log_floor)?;
                Slot::Confusion
            }
            Rule::Stacked { weights, bias } => {
                SpecError::check_length(
                    "the weights of stacked",
                    weights.len(),
                    n * classes * classes,
                    "sources x classes x classes",
                )?;
                SpecError::check_length("the bias of stacked", bias.len(), classes, "classes")?;
                for &value in weights.iter().chain(bias) {
                    within("a weight of stacked", value, "finite", f32::is_finite)?;
                }
                self.stack = transposed(weights, classes, classes);
                self.bias.clone_from(bias);
                Slot::Stacked
            }
            Rule::Adaptive { learned } => {
                checked("the learned weights of adaptive", learned, n, "sources")?;
                let most = learned.iter().copied().fold(0.0, f32::max);
                self.learned = learned.iter().map(|w| if most > 0.0 { w / most } else { 0.0 }).collect();
                Slot::Adaptive
            }
            Rule::Ensemble(_) => {
                return Err(SpecError::Ensemble { why: "a member is an ensemble itself" }.into());
            }
        })
    }

    /// t and its share of A, of a source trusted so far.
    pub(super) fn belief_terms(&self, reliability: f32, log_floor: f32) -> BeliefTerms {
        let sure = reliability / (1.0 - reliability).max(log_floor).max(LEAST_DOUBT);
        match self.belief {
            BeliefFusion::Cumulative => BeliefTerms { weight: sure, base: 0.0 },
            BeliefFusion::Averaging => BeliefTerms { weight: sure, base: 1.0 },
            BeliefFusion::Weighted => BeliefTerms { weight: sure * reliability, base: reliability },
        }
    }
}

/// The least 1 - a_n of `Belief`: what it divides by, so that the sum over millions of sources stays finite.
const LEAST_DOUBT: f32 = 1e-30;

/// ln theta, clamped, by answer and then by class.
fn log_confusion(matrices: &[f32], n: usize, classes: usize, log_floor: f32) -> Result<Vec<f32>> {
    SpecError::check_length(
        "the confusion matrices",
        matrices.len(),
        n * classes * (classes + 1),
        "sources x classes x (classes + 1)",
    )?;
    for &theta in matrices {
        within("an entry of a confusion matrix", theta, "in [0, 1]", |theta| (0.0..=1.0).contains(&theta))?;
    }
    let logs: Vec<f32> = matrices.iter().map(|theta| theta.max(log_floor).ln()).collect();
    Ok(transposed(&logs, classes, classes + 1))
}

/// Each matrix of so many rows and columns, its columns as rows.
fn transposed(matrices: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(matrices.len());
    for matrix in matrices.chunks_exact(rows * columns) {
        for column in 0..columns {
            out.extend(matrix.iter().skip(column).step_by(columns));
        }
    }
    out
}
