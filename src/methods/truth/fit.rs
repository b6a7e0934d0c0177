//! What a fit found.

use crate::methods::calibration::posterior;

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
}

/// How each source answers, and how frequent the classes are.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusions {
    pub(super) classes: usize,
    /// L: the classes, and one more if anybody abstained.
    pub(super) symbols: usize,
    /// ln P(answer | class) of each source, [N, L, C].
    pub(super) logs: Vec<f32>,
    /// ln P(class), `[C]`.
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
    /// 1e-7 of itself.
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

    /// How each source answers, where the method finds that.
    #[must_use]
    pub fn confusions(&self) -> Option<&Confusions> {
        self.confusions.as_ref()
    }
}

impl Confusions {
    /// The class prior, `[C]`.
    #[must_use]
    pub fn prior(&self) -> Vec<f64> {
        self.log_prior.iter().map(|&log| f64::from(log).exp()).collect()
    }

    /// How a source answers: for each true class the probability of each answer, the last that of none if anybody abstained,
    /// [C, L]. Of no source, nothing.
    #[must_use]
    pub fn of(&self, source: usize) -> Vec<f64> {
        let of_source = self.of_sources().nth(source).unwrap_or_default();
        let of_class = |k| of_source.iter().skip(k).step_by(self.classes).map(|&log| f64::from(log).exp());
        let classes = if of_source.is_empty() { 0 } else { self.classes };
        (0..classes).flat_map(of_class).collect()
    }

    /// The probability that a source names the class of an item, `[N]`.
    pub(super) fn skill(&self) -> Vec<f64> {
        let prior = self.prior();
        let of_source =
            |logs: &[f32]| prior.iter().enumerate().map(|(k, p)| p * f64::from(logs[k * self.classes + k]).exp()).sum();
        self.of_sources().map(of_source).collect()
    }

    fn of_sources(&self) -> impl Iterator<Item = &[f32]> {
        self.logs.chunks_exact(self.symbols * self.classes)
    }
}
