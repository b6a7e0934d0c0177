//! What a fit found.

use super::climb::Climb;
use crate::error::{LabelError, Result, TruthError};
use crate::methods::calibration::{Labelled, Temperature, posterior};

/// What was found of items and sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    pub(super) classes: usize,
    pub(super) posterior: Vec<f32>,
    pub(super) skill: Vec<f64>,
    pub(super) objective: Vec<f64>,
    pub(super) iterations: u32,
    pub(super) ending: Ending,
    pub(super) confusions: Option<Confusions>,
    pub(super) easiness: Option<Vec<f64>>,
}

/// How each source answers, and how frequent the classes are.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusions {
    pub(super) classes: usize,
    /// L: the classes, and one more if anybody abstained.
    pub(super) symbols: usize,
    /// M, of each class.
    pub(super) subtypes: usize,
    /// ln P(answer | class and subtype) of each source, [N, L, C M].
    pub(super) logs: Vec<f32>,
    /// ln P(class and subtype), [C, M].
    pub(super) log_prior: Vec<f32>,
}

/// Why a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The objective rose by less than the tolerance.
    Converged,
    /// All iterations that were allowed were made.
    Iterations,
}

impl Fit {
    /// Of a fit that climbed.
    pub(super) fn of(classes: usize, posterior: Vec<f32>, skill: Vec<f64>, climb: Climb) -> Self {
        let Climb { objective, iterations, ending } = climb;
        let ending = ending.unwrap_or(Ending::Iterations);
        Self { classes, posterior, skill, objective, iterations, ending, confusions: None, easiness: None }
    }

    /// The same with how sources answer.
    pub(super) fn with(self, confusions: Confusions) -> Self {
        Self { confusions: Some(confusions), ..self }
    }

    /// The same with how easy items are.
    pub(super) fn with_easiness(self, easiness: Vec<f64>) -> Self {
        Self { easiness: Some(easiness), ..self }
    }

    /// The posterior of each item, [B, C].
    #[must_use]
    pub fn posterior(&self) -> &[f32] {
        &self.posterior
    }

    /// The likeliest class of each item, the lowest of equals, `[B]`.
    #[must_use]
    pub fn decision(&self) -> Vec<u32> {
        self.posterior.chunks_exact(self.classes).map(|row| posterior::decision(row) as u32).collect()
    }

    /// How good each source is, `[N]`, as the method says it.
    #[must_use]
    pub fn skill(&self) -> &[f64] {
        &self.skill
    }

    /// The objective, where it was looked at: after every so many iterations and at the end. It never falls but by rounding,
    /// less than 1e-6 of itself. Methods that take no steps upwards have one value.
    #[must_use]
    pub fn objective(&self) -> &[f64] {
        &self.objective
    }

    /// How many iterations were made.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Why it ended.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// The temperature that makes the posterior likeliest to have said the truth of these items, given as items and classes.
    /// It is to be truth that the fit was not told: of what it was told it is sure.
    ///
    /// # Errors
    ///
    /// No items; an item or a class that there is not.
    pub fn temperature(&self, truth: &[(u32, u32)]) -> Result<Temperature> {
        let (mut rows, mut labels) = (Vec::with_capacity(truth.len() * self.classes), Vec::with_capacity(truth.len()));
        for (place, &(item, class)) in truth.iter().enumerate() {
            let Some(row) = self.posterior.chunks_exact(self.classes).nth(item as usize) else {
                let (what, count) = ("item whose truth is known", self.posterior.len() / self.classes);
                return Err(TruthError::Index { annotation: place, what, index: item, count }.into());
            };
            LabelError::check(self.classes, item as usize, class)?;
            rows.extend_from_slice(row);
            labels.push(class);
        }
        Ok(Temperature::fit(&Labelled::new(self.classes, &rows, &labels)?))
    }

    /// The same fit with its posterior at a temperature.
    ///
    /// # Errors
    ///
    /// None so far: a posterior of a fit is a distribution for each item.
    pub fn tempered(mut self, temperature: &Temperature) -> Result<Self> {
        temperature.apply(self.classes, &mut self.posterior)?;
        Ok(self)
    }

    /// How each source answers, where the method finds that.
    #[must_use]
    pub fn confusions(&self) -> Option<&Confusions> {
        self.confusions.as_ref()
    }

    /// How easy each item is, `[B]`, where the method finds that.
    #[must_use]
    pub fn easiness(&self) -> Option<&[f64]> {
        self.easiness.as_deref()
    }
}

impl Confusions {
    /// The class prior, `[C]`.
    #[must_use]
    pub fn prior(&self) -> Vec<f64> {
        let of_class = |logs: &[f32]| logs.iter().map(|&log| f64::from(log).exp()).sum();
        self.log_prior.chunks_exact(self.subtypes).map(of_class).collect()
    }

    /// How a source answers: for each true class the probability of each answer, the last that of none if anybody abstained,
    /// [C, L]. Of no source, nothing.
    #[must_use]
    pub fn of(&self, source: usize) -> Vec<f64> {
        let of_source = self.of_sources().nth(source).unwrap_or_default();
        let classes = if of_source.is_empty() { 0 } else { self.classes };
        (0..classes).flat_map(|k| (0..self.symbols).map(move |l| self.answer(of_source, k, l))).collect()
    }

    /// The probability of an answer, given the class; each of its subtypes counts as it is frequent.
    fn answer(&self, of_source: &[f32], class: usize, answer: usize) -> f64 {
        let columns = class * self.subtypes..(class + 1) * self.subtypes;
        let of_class = &of_source[answer * self.log_prior.len()..][columns.clone()];
        let (mut sum, mut whole) = (0.0, 0.0);
        for (&log, &frequency) in of_class.iter().zip(&self.log_prior[columns]) {
            let frequency = f64::from(frequency).exp();
            sum += frequency * f64::from(log).exp();
            whole += frequency;
        }
        sum / whole
    }

    /// The probability that a source names the class of an item, `[N]`.
    pub(super) fn skill(&self) -> Vec<f64> {
        let prior = self.prior();
        let of_source = |logs: &[f32]| prior.iter().enumerate().map(|(k, p)| p * self.answer(logs, k, k)).sum();
        self.of_sources().map(of_source).collect()
    }

    fn of_sources(&self) -> impl Iterator<Item = &[f32]> {
        self.logs.chunks_exact(self.symbols * self.log_prior.len())
    }
}
