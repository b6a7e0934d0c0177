//! Weights that follow the sources' reliabilities slowly.

use serde::{Deserialize, Serialize};

use super::check::{self, MOST};
use super::lesson::{Judge, Lesson, Testimony};
use super::loss::Loss;
use super::reliability::{Reliability, ReliabilityOptions};
use super::resident::Held;
use super::state::State;
use crate::engine::{Engine, Resident};
use crate::error::{Result, StateError};
use crate::methods::checked::checked;
use crate::tensor::Evidence;

/// Source weights that start where they are told and follow the reliabilities r as exponential averages.
///
/// An observation is a labelled item (for [`Weights::update_self_reported`]: any item) on which at least one source gave
/// an opinion. It first updates the reliabilities of the sources that gave one. Then, if it is at least the
/// `warm_up`-th, **all** weights move,
///
/// w_n <- (1 - alpha) w_n + alpha r_n / sum_m r_m,
///
/// those of sleeping sources by the reliability they had: so the weights keep summing to one. Where no source has any
/// reliability the weights stay.
///
/// # Examples
///
/// *The preset holds its weights for nine observations and moves them at the tenth.*
///
/// ```
/// use consilience::learning::{Weights, WeightsOptions};
/// use consilience::Evidence;
///
/// let mut weights = Weights::new(WeightsOptions::parallel_fusion())?;
/// let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.4, 0.6]])?;
/// for _ in 0..9 {
///     weights.update(&evidence, &[Some(0)])?;
/// }
/// assert_eq!(weights.weights(), [0.6, 0.4]);
/// weights.update(&evidence, &[Some(0)])?;
/// assert_eq!(weights.weights(), [0.64, 0.36]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Weights {
    options: WeightsOptions,
    reliability: Reliability,
    observations: u64,
    weights: Vec<f64>,
}

/// How weights follow reliabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsOptions {
    /// The weights before anything is learned, one per source: not negative, with a sum above zero, and normalised.
    pub start: Vec<f64>,
    /// The observation at which the weights first move.
    pub warm_up: u64,
    /// How far they move at each, alpha in [0, 1].
    pub alpha: f64,
    /// How the reliabilities are learned.
    pub reliability: ReliabilityOptions,
}

impl Weights {
    /// Weights that have seen nothing.
    ///
    /// # Errors
    ///
    /// No start weights, or an option outside its range.
    pub fn new(options: WeightsOptions) -> Result<Self> {
        options.check()?;
        let reliability = Reliability::new(options.start.len(), options.reliability)?;
        let sum: f64 = options.start.iter().sum();
        let weights = options.start.iter().map(|w| w / sum).collect();
        Ok(Self { options, reliability, observations: 0, weights })
    }

    /// Learns from the labelled items of a block, one label per item; `None` is an item whose truth is not known.
    ///
    /// # Errors
    ///
    /// As [`Reliability::update`].
    pub fn update(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<()> {
        Lesson::new(evidence, self.sources())?.teach(self, Some(labels), Self::observe)
    }

    /// [`Weights::update`] from evidence that is held, as [`Reliability::update_resident`].
    ///
    /// # Errors
    ///
    /// As [`Reliability::update_resident`].
    pub fn update_resident(&mut self, engine: &Engine, evidence: &Resident, labels: &[Option<u32>]) -> Result<()> {
        let (held, loss) = (Held::new(evidence, self.sources(), labels)?, self.options.reliability.loss);
        if loss == Loss::ZeroOne {
            return self.update(&held.votes(engine)?.evidence()?, labels);
        }
        held.losses(engine, loss)?.teach(self, held, Self::observe)
    }

    /// Learns from every item without any truth, as [`Reliability::update_self_reported`].
    ///
    /// # Errors
    ///
    /// As [`Reliability::update_self_reported`].
    pub fn update_self_reported(&mut self, evidence: &Evidence<'_>) -> Result<()> {
        Lesson::new(evidence, self.sources())?.teach(self, None, Self::observe)
    }

    fn observe(&mut self, said: &mut impl Testimony, item: usize, judge: Judge) -> Result<()> {
        if !self.reliability.observe(said, item, judge)? {
            return Ok(());
        }
        self.observations = self.observations.saturating_add(1);
        let sum: f64 = self.reliability.means().sum();
        if self.observations >= self.options.warm_up && sum > 0.0 {
            let alpha = self.options.alpha;
            for (weight, mean) in self.weights.iter_mut().zip(self.reliability.means()) {
                *weight = (1.0 - alpha) * *weight + alpha * (mean / sum);
            }
        }
        Ok(())
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.weights.len()
    }

    /// How they move.
    #[must_use]
    pub fn options(&self) -> &WeightsOptions {
        &self.options
    }

    /// The weights, which sum to one: `[N]`, fit for `Weighting::Fixed` and `Weighting::Adaptive`.
    #[must_use]
    pub fn weights(&self) -> Vec<f32> {
        self.weights.iter().map(|&weight| weight as f32).collect()
    }

    /// The reliabilities that the weights follow.
    #[must_use]
    pub fn reliability(&self) -> &Reliability {
        &self.reliability
    }

    /// Observations so far.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// Adds up the reliabilities' counts and the observations; the weights become the mean of both learners' weights,
    /// each counted by its observations.
    ///
    /// # Errors
    ///
    /// Another number of sources, or other options.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        StateError::check_same("sources", &self.sources(), &other.sources())?;
        StateError::check_same("options", &self.options, &other.options)?;
        self.reliability.merge(&other.reliability)?;
        let (mine, theirs) = (self.observations as f64, other.observations as f64);
        if theirs > 0.0 {
            for (weight, other) in self.weights.iter_mut().zip(&other.weights) {
                *weight = (mine * *weight + theirs * other) / (mine + theirs);
            }
        }
        self.observations = self.observations.saturating_add(other.observations);
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        self.options.check().map_err(|error| error.to_string())?;
        let sources = self.options.start.len();
        check::length("weights", self.weights.len(), sources)?;
        check::length("reliability", self.reliability.sources(), sources)?;
        if *self.reliability.options() != self.options.reliability {
            return Err("the reliabilities have other options than the weights say".to_owned());
        }
        self.weights.iter().try_for_each(|&weight| check::count("a weight", weight, 1.0 + 1e-6))?;
        check::count("the distance of the weights' sum from one", (self.weights.iter().sum::<f64>() - 1.0).abs(), 1e-6)
    }
}

checked!(Weights);

impl State for Weights {
    const KIND: &'static str = "weights";
    const VERSION: u32 = 1;
}

impl WeightsOptions {
    /// The two-source preset `parallel_fusion`: weights of 0.6 and 0.4 that first move at the tenth observation, by
    /// alpha = 0.1, after reliabilities that are plain shares of right answers (g = 1, a = b = 0) or, self-reported, of
    /// confidences above 0.6.
    #[must_use]
    pub fn parallel_fusion() -> Self {
        let reliability = ReliabilityOptions { a: 0.0, b: 0.0, ..ReliabilityOptions::default() };
        Self { start: vec![0.6, 0.4], warm_up: 10, alpha: 0.1, reliability }
    }

    fn check(&self) -> Result<()> {
        check::sources(self.start.len())?;
        for (source, &weight) in self.start.iter().enumerate() {
            let what = format!("the start weight of source {source}");
            check::number(&what, weight, "in [0, 2^53]", |x| (0.0..=MOST).contains(&x))?;
        }
        let sum = self.start.iter().sum();
        check::number("the sum of the start weights", sum, "at least 1e-100", |x| x >= 1e-100)?;
        check::number("alpha", self.alpha, "in [0, 1]", |x| (0.0..=1.0).contains(&x))?;
        self.reliability.check()
    }
}
