//! A fusion, made concrete for the evidence at hand.

mod rules;
mod weights;

use self::rules::Rules;
use self::weights::Weights;
use crate::error::{Result, SpecError};
use crate::kernel::fusion::pool::{Pool, Slot, SourceTerms};
use crate::plan::{Program, Step};
use crate::spec::{Fusion, RELIABILITY};
use crate::tensor::{Form, Outline, Output};

/// Lowers a fusion to the program that both executors run.
///
/// # Errors
///
/// A list of another length than the evidence has sources or classes, a number outside its range, an ensemble of nothing,
/// of an ensemble or of one rule twice, no output, contributions of rules that have none.
pub fn lower(fusion: &Fusion, evidence: &Outline) -> Result<Program> {
    let Outline { presence, confidence, .. } = *evidence;
    Ok(Program { steps: vec![Step { presence, confidence, pool: pool(fusion, evidence)? }] })
}

/// Lowers a fusion to what has a gradient: the posterior alone.
///
/// # Errors
///
/// As [`lower`]; a rule, weights or a form of opinions that have no gradient.
pub fn lower_differentiable(fusion: &Fusion, evidence: &Outline) -> Result<Pool> {
    let pool = pool(&fusion.clone().outputs(&[Output::Posterior]), evidence)?;
    let none = |what: String| Err(SpecError::NoGradient { what }.into());
    let is = |slot: Slot| pool.rules() == slot.bit();
    if !(is(Slot::Linear) || is(Slot::LogPool) || is(Slot::Evidence)) {
        return none(format!("the rule {}", fusion.rule));
    }
    let by_opinions = pool.sources.iter().any(|source| source.scale != 0.0);
    if !is(Slot::Evidence) && (by_opinions || !pool.class_weights.is_empty()) {
        return none(format!("the weighting {}", fusion.weighting.name()));
    }
    let is_rows = |form: &Form| {
        matches!(
            form,
            Form::F32(_) | Form::ProbabilitiesBf16 | Form::LogitsBf16 | Form::ProbabilitiesF16 | Form::LogitsF16
        )
    };
    match pool.forms.iter().find(|form| !is_rows(form)) {
        Some(form) => none(form.to_string()),
        None => Ok(pool),
    }
}

fn pool(fusion: &Fusion, evidence: &Outline) -> Result<Pool> {
    if fusion.outputs.is_empty() {
        return Err(SpecError::NoOutputs { known: Output::names() }.into());
    }
    let (n, classes) = (evidence.sources(), evidence.classes);
    within("log_floor", fusion.log_floor, "in [1.2e-38, 1)", |eps| (f32::MIN_POSITIVE..1.0).contains(&eps))?;
    let rules = Rules::of(&fusion.rule, n, classes, fusion.log_floor)?;
    let weights = Weights::of(&fusion.weighting, n, classes)?;
    let priors = distribution("source_priors", fusion.source_priors.as_deref(), n, "sources")?;
    let reliabilities = given("reliabilities", fusion.reliabilities.as_deref(), n, RELIABILITY)?;
    for &reliability in &reliabilities {
        within("a reliability", reliability, "in [0, 1]", |a| (0.0..=1.0).contains(&a))?;
    }
    let temperatures = given("source_temperatures", fusion.source_temperatures.as_deref(), n, 1.0)?;
    for &temperature in temperatures.iter().chain([&fusion.temperature]) {
        within("a temperature", temperature, "in [0.001, 1000]", |t| (1e-3..=1e3).contains(&t))?;
    }
    let source = |i: usize| {
        let belief = rules.belief_terms(reliabilities[i], fusion.log_floor);
        SourceTerms {
            offset: weights.offset[i],
            scale: weights.scale[i],
            prior: priors[i],
            exponent: rules.exponents[i],
            reliability: reliabilities[i],
            belief: belief.weight,
            belief_base: belief.base,
            learned: rules.learned[i],
            inverse_temperature: 1.0 / temperatures[i],
            form: 0,
            start: 0,
            reserved: 0,
        }
    };
    let pool = Pool {
        classes,
        sources: (0..n).map(source).collect(),
        forms: evidence.forms.clone(),
        class_prior: distribution("class_prior", fusion.class_prior.as_deref(), classes, "classes")?,
        mix: rules.mix,
        by: weights.by,
        gamma: weights.gamma,
        steepness: weights.steepness,
        log_floor: fusion.log_floor,
        extremise: rules.extremise,
        power: rules.power,
        trim: rules.trim,
        conflict: rules.conflict,
        belief: rules.belief,
        inverse_temperature: 1.0 / fusion.temperature,
        class_weights: weights.class_weights,
        confusion: rules.confusion,
        stack: rules.stack,
        bias: rules.bias,
        on_invalid: fusion.on_invalid,
        outputs: fusion.outputs,
    };
    if fusion.outputs.contains(Output::Contributions) {
        has_contributions(&pool)?;
    }
    Ok(pool)
}

/// Whether the rules' posterior is a sum over sources, or its logarithm is.
fn has_contributions(pool: &Pool) -> Result<()> {
    let rules = pool.rules();
    let is_one_logarithm = rules.count_ones() == 1 && rules & !Slot::LOGARITHMIC == 0;
    if is_one_logarithm || rules & !Slot::ARITHMETIC == 0 { Ok(()) } else { Err(SpecError::NotAdditive.into()) }
}

/// One value per source: `otherwise` each if none are given.
fn given(what: &'static str, given: Option<&[f32]>, n: usize, otherwise: f32) -> Result<Vec<f32>> {
    let Some(given) = given else { return Ok(vec![otherwise; n]) };
    SpecError::check_length(what, given.len(), n, "sources")?;
    Ok(given.to_vec())
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
    SpecError::check_length(what, weights.len(), n, unit)?;
    weights.iter().try_for_each(|&w| within(&format!("an entry of {what}"), w, "finite and not negative", is_weight))
}

fn within(what: &str, value: f32, must: &'static str, ok: impl Fn(f32) -> bool) -> Result<()> {
    let error = || SpecError::OutOfRange { what: what.to_owned(), value: f64::from(value), must };
    if ok(value) { Ok(()) } else { Err(error().into()) }
}

fn is_weight(weight: f32) -> bool {
    weight.is_finite() && weight >= 0.0
}
