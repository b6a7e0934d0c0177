//! What posteriors that an engine holds said of what turned out true.

use bytemuck::bytes_of;

use super::bootstrap::Interval;
use super::loss::Loss;
use super::scores::{Bin, adaptive, equal_widths, wilson};
use crate::engine::{Engine, Operation, ResidentArray, ResidentFused, ResidentPlanes};
use crate::error::{CalibrationError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::calibration::outcome::{BLOCK, DECISION, ERROR, Params, TOP, TRUTH, planes, steps};
use crate::spec::LOG_FLOOR;

/// What an item must be that a kernel over posteriors and labels takes.
pub(super) const MUST: &str = "have a posterior that is a distribution and a label that is one of its classes";

/// Of each item of a posterior that an engine holds what scores without parts by class ask for: the probability of the true
/// class, the decision and its probability, the squared distance from the truth and the label, twenty bytes an item.
///
/// Losses of `Nll` and `ZeroOne`, accuracy and calibration errors are those of [`Labelled`](super::Labelled) to the bit, that of
/// `Brier` within 1e-6. What takes the Brier score apart ([`BrierParts`](super::BrierParts)) asks for every probability:
/// [`Scores`](super::Scores) of what [`ResidentFused::read`] gives.
///
/// # Examples
///
/// *How good a pool is that never left the engine.*
///
/// ```
/// use consilience::calibration::{Loss, Outcomes};
/// use consilience::{Engine, Evidence, Fusion, Rule};
///
/// let engine = Engine::cpu()?;
/// let (a, b) = ([1.0, 0.0, 0.25, 0.75], [0.5, 0.5, 0.75, 0.25]);
/// let evidence = engine.upload(&Evidence::probabilities(2, &[&a, &b])?)?;
/// let posterior = engine.fuse_resident(&Fusion::new(Rule::Linear), &evidence)?;
/// let labels = engine.upload_array(&[0_u32, 1])?;
/// let outcomes = Outcomes::of_resident(&engine, &posterior, &labels)?;
/// assert_eq!((outcomes.accuracy().mean, outcomes.mean(Loss::Brier)), (0.5, 0.3125));
/// assert_eq!(outcomes.ece(10)?, 0.375);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    truth: Vec<f32>,
    confidence: Vec<f32>,
    decision: Vec<u32>,
    right: Vec<bool>,
    distance: Vec<f32>,
}

impl Outcomes {
    /// Of a posterior that is held and labels that are held, one class for each item.
    ///
    /// # Errors
    ///
    /// No items, another number of labels than of items, a posterior that was not asked for; another engine holds one, the copy
    /// of the posterior or what is found pass what may be held, the device fails. An opinion that led to the posterior is
    /// invalid, or an item's label names no class: the error names the item.
    pub fn of_resident<'a>(
        engine: &Engine,
        posterior: &ResidentFused,
        labels: impl Into<ResidentPlanes<'a, u32>>,
    ) -> Result<Self> {
        let labels = labels.into();
        let held = Held::new(engine, posterior, labels.clone())?;
        let found = Found { sources: 1, classes: held.classes, outputs: TRUTH | TOP | DECISION | ERROR };
        let found = found.of(engine, &held.rows, held.labels)?;
        // All that waits runs with it; then the posterior can be told from nothing.
        posterior.look(engine)?;
        let mut truth = found.read(engine)?;
        let mut confidence = truth.split_off(held.items);
        let mut decision = confidence.split_off(held.items);
        let distance = decision.split_off(held.items);
        // A class below 2^24, as a number.
        let decision: Vec<u32> = decision.into_iter().map(|class| class as u32).collect();
        let labels = labels.read_first(engine, held.items)?.concat();
        let right = decision.iter().zip(labels).map(|(class, label)| *class == label).collect();
        Ok(Self { truth, confidence, decision, right, distance })
    }

    /// Number of items, B: at least one.
    #[must_use]
    pub fn items(&self) -> usize {
        self.truth.len()
    }

    /// The probability that each item's true class was given.
    #[must_use]
    pub fn truth(&self) -> &[f32] {
        &self.truth
    }

    /// The class decided for, per item; of classes with equal probability the lower one.
    #[must_use]
    pub fn decision(&self) -> &[u32] {
        &self.decision
    }

    /// The probability of the class decided for, per item.
    #[must_use]
    pub fn confidence(&self) -> &[f32] {
        &self.confidence
    }

    /// The loss of every item, in their order, as [`Loss::per_item`] has it.
    #[must_use]
    pub fn per_item(&self, loss: Loss) -> Vec<f64> {
        (0..self.items()).map(|item| self.loss(loss, item)).collect()
    }

    /// The mean loss, as [`Loss::mean`] has it.
    #[must_use]
    pub fn mean(&self, loss: Loss) -> f64 {
        (0..self.items()).map(|item| self.loss(loss, item)).sum::<f64>() / self.items() as f64
    }

    /// The share decided right, in Wilson's 95 % interval.
    #[must_use]
    pub fn accuracy(&self) -> Interval {
        wilson(self.right.iter().filter(|right| **right).count() as u64, self.items() as u64)
    }

    /// Expected calibration error; see [`ece`](super::ece).
    ///
    /// # Errors
    ///
    /// As [`ece`](super::ece).
    pub fn ece(&self, bins: usize) -> Result<f64> {
        let tallies = equal_widths(self.confidences(), bins)?;
        Ok(tallies.gap / self.items() as f64)
    }

    /// The reliability diagram in bins of equal width, as [`Scores::bins`](super::Scores::bins) has it.
    ///
    /// # Errors
    ///
    /// As [`Outcomes::ece`].
    pub fn bins(&self, bins: usize) -> Result<Vec<Bin>> {
        Ok(equal_widths(self.confidences(), bins)?.bins)
    }

    /// Adaptive expected calibration error; see [`adaptive_ece`](super::adaptive_ece).
    ///
    /// # Errors
    ///
    /// No bins.
    pub fn adaptive_ece(&self, bins: usize) -> Result<f64> {
        adaptive(self.confidences(), bins)
    }

    /// How sure each decision was, and whether it was right.
    fn confidences(&self) -> impl Iterator<Item = (f32, bool)> {
        self.confidence.iter().copied().zip(self.right.iter().copied())
    }

    fn loss(&self, loss: Loss, item: usize) -> f64 {
        match loss {
            Loss::Nll => f64::from(self.truth[item].clamp(LOG_FLOOR, 1.0)).ln().abs(),
            Loss::Brier => f64::from(self.distance[item]),
            Loss::ZeroOne => f64::from(u8::from(!self.right[item])),
        }
    }
}

/// A posterior as rows, and its labels, where an engine holds them.
pub(super) struct Held<'a> {
    pub items: usize,
    pub classes: usize,
    pub rows: ResidentArray<f32>,
    pub labels: ResidentPlanes<'a, u32>,
}

impl<'a> Held<'a> {
    /// That they fit each other, and there are any.
    pub fn new(engine: &Engine, posterior: &ResidentFused, labels: ResidentPlanes<'a, u32>) -> Result<Self> {
        let (items, classes) = (posterior.items(), posterior.classes());
        LengthError::check("the labels' list of planes", 1, labels.planes())?;
        if labels.items() != items {
            return Err(CalibrationError::Length { what: "labels", given: labels.items(), needed: items }.into());
        }
        if items == 0 {
            return Err(CalibrationError::NoItems.into());
        }
        let mut rows = engine.new_rows(1, items, classes);
        posterior.copy_posterior(engine, &mut rows, 0)?;
        Ok(Self { items, classes, rows, labels })
    }
}

/// What is asked of rows of probabilities beside labels.
#[derive(Debug, Clone, Copy)]
pub(in crate::methods) struct Found {
    pub sources: usize,
    pub classes: usize,
    /// As bits.
    pub outputs: u32,
}

impl Found {
    /// It, in the order of the kernel's planes.
    pub fn of(
        self,
        engine: &Engine,
        rows: &ResidentArray<f32>,
        labels: ResidentPlanes<'_, u32>,
    ) -> Result<ResidentArray<f32>> {
        let Self { sources, classes, outputs } = self;
        engine.check_steps(rows, steps(sources, classes, outputs))?;
        let mut found = engine.new_array(planes(sources, outputs), rows.items())?;
        let (classes, sources) = (classes as u32, sources as u32);
        engine.operate(Operation {
            kernel: Kernel::Outcome,
            items: rows.items(),
            block: BLOCK,
            operations: steps(self.sources, self.classes, outputs) as usize * 2,
            params: bytes_of(&Params { classes, sources, outputs, ..Params::default() }),
            inputs: vec![rows.reading(engine)?, labels.reading(engine)?],
            outputs: vec![found.written()],
            refuses: Some((1, MUST)),
        })?;
        Ok(found)
    }
}
