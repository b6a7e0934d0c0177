//! A fusion, made concrete for the evidence at hand.

use crate::error::{Result, SpecError};
use crate::kernel::Kernel;
use crate::kernel::fusion::pool::{MAX_CLASSES, Pool, SourceTerms};
use crate::plan::{Program, Step};
use crate::spec::{Distance, Fusion, Member, Rule, Weighting};
use crate::tensor::{Evidence, Output};

/// Lowers a fusion to the program that both executors run.
///
/// # Errors
///
/// A list of another length than the evidence has sources or classes, a number outside its range, an ensemble of nothing
/// or of an ensemble, no output.
pub fn lower(fusion: &Fusion, evidence: &Evidence<'_>) -> Result<Program> {
    if fusion.outputs.is_empty() {
        return Err(SpecError::NoOutputs { known: Output::names() }.into());
    }
    let (n, classes) = (evidence.sources(), evidence.classes());
    within("log_floor", fusion.log_floor, "in [1.2e-38, 1)", |eps| (f32::MIN_POSITIVE..1.0).contains(&eps))?;
    let (offset, scale, gamma) = weights(&fusion.weighting, n)?;
    let priors = distribution("source_priors", fusion.source_priors.as_deref(), n, "sources")?;
    let terms = offset.iter().zip(&scale).zip(&priors);
    let pool = Pool {
        classes,
        sources: terms.map(|((&offset, &scale), &prior)| SourceTerms { offset, scale, prior, reserved: 0.0 }).collect(),
        class_prior: distribution("class_prior", fusion.class_prior.as_deref(), classes, "classes")?,
        mix: mix(&fusion.rule)?,
        gamma,
        log_floor: fusion.log_floor,
        encoding: evidence.encoding(),
        on_invalid: fusion.on_invalid,
        outputs: fusion.outputs,
    };
    let kernel = if classes <= MAX_CLASSES as usize { Kernel::Pool } else { Kernel::PoolWide };
    let (presence, confidence) = (evidence.has_presence(), evidence.has_confidence());
    Ok(Program { steps: vec![Step { kernel, presence, confidence, pool }] })
}

/// The shares of the simple rules.
fn mix(rule: &Rule) -> Result<[f32; Rule::SIMPLE.len()]> {
    let single = [Member { rule: rule.clone(), weight: 1.0 }];
    let members = if let Rule::Ensemble(members) = rule { members.as_slice() } else { &single };
    let mut shares = [0.0; Rule::SIMPLE.len()];
    for Member { rule, weight } in members {
        let place = Rule::SIMPLE.iter().position(|simple| simple == rule);
        let place = place.ok_or(SpecError::Ensemble { why: "a member is an ensemble itself" })?;
        within(&format!("the ensemble's share of {rule}"), *weight, "finite and not negative", is_weight)?;
        shares[place] += *weight;
    }
    let total: f32 = shares.iter().sum();
    if !(total.is_finite() && total > 0.0) {
        return Err(SpecError::Ensemble { why: "no share is above zero, or their sum is not finite" }.into());
    }
    Ok(shares.map(|share| share / total))
}

/// Offset and scale of each source's raw weight, and the exponent of the confidence. The largest weight a source can
/// have is 1, so that no sum overflows.
fn weights(weighting: &Weighting, n: usize) -> Result<(Vec<f32>, Vec<f32>, f32)> {
    let zeros = vec![0.0; n];
    Ok(match weighting {
        Weighting::Fixed(weights) if weights.is_empty() => (vec![1.0; n], zeros, 1.0),
        Weighting::Fixed(weights) => {
            checked("the fixed weights", weights, n, "sources")?;
            (divided(weights, largest(weights)), zeros, 1.0)
        }
        Weighting::Confidence { gamma } => {
            within("gamma", *gamma, "in [0, 64]", |gamma| (0.0..=64.0).contains(&gamma))?;
            (zeros, vec![1.0; n], *gamma)
        }
        Weighting::Proximity { positions, target, distance } => {
            length("positions", positions.len(), n, "sources")?;
            for &position in positions.iter().chain([target]) {
                within("a position", position, "in [0, 9]", |x| (0.0..=9.0).contains(&x))?;
            }
            let apart = |position: f32| match (distance, (position - target).abs()) {
                (Distance::Linear, d) => d,
                (Distance::Cyclic, d) => d.min(9.0 - d),
            };
            (positions.iter().map(|&position| 1.0 / (1.0 + 0.2 * apart(position))).collect(), zeros, 1.0)
        }
        Weighting::Adaptive { beta, learned } => {
            within("beta", *beta, "in [0, 1]", |beta| (0.0..=1.0).contains(&beta))?;
            checked("the learned weights", learned, n, "sources")?;
            let most = f32::max(1.0, largest(learned));
            let offset = learned.iter().map(|w| (1.0 - beta) * (w / most)).collect();
            (offset, vec![beta / most; n], 1.0)
        }
    })
}

fn largest(weights: &[f32]) -> f32 {
    weights.iter().copied().fold(0.0, f32::max)
}

fn divided(weights: &[f32], by: f32) -> Vec<f32> {
    weights.iter().map(|w| if by > 0.0 { w / by } else { 0.0 }).collect()
}

/// A distribution over `n`: uniform if none is given, else normalised.
fn distribution(what: &'static str, given: Option<&[f32]>, n: usize, unit: &'static str) -> Result<Vec<f32>> {
    let Some(given) = given else { return Ok(vec![1.0 / n as f32; n]) };
    checked(what, given, n, unit)?;
    let total: f64 = given.iter().map(|&w| f64::from(w)).sum();
    within(what, total as f32, "a list with a sum above zero", |total| total > 0.0)?;
    Ok(given.iter().map(|&w| (f64::from(w) / total) as f32).collect())
}

fn checked(what: &'static str, weights: &[f32], n: usize, unit: &'static str) -> Result<()> {
    length(what, weights.len(), n, unit)?;
    weights.iter().try_for_each(|&w| within(&format!("an entry of {what}"), w, "finite and not negative", is_weight))
}

fn length(what: &'static str, given: usize, needed: usize, unit: &'static str) -> Result<()> {
    if given == needed { Ok(()) } else { Err(SpecError::Length { what, given, needed, unit }.into()) }
}

fn within(what: &str, value: f32, must: &'static str, ok: impl Fn(f32) -> bool) -> Result<()> {
    let error = || SpecError::OutOfRange { what: what.to_owned(), value: f64::from(value), must };
    if ok(value) { Ok(()) } else { Err(error().into()) }
}

fn is_weight(weight: f32) -> bool {
    weight.is_finite() && weight >= 0.0
}
