//! One number that makes probabilities as sure as they have a right to be.

mod likelihood;
mod resident;

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use self::likelihood::{Minimum, TOLERANCE, derivatives, log, minimise, tempered_nll};
use super::labelled::{FEW_ITEMS, Labelled};
use super::posterior;
use crate::error::{CalibrationError, LabelError, Result};
use crate::methods::checked::checked;
use crate::tensor::{Answer, Evidence};

/// How a fit of a temperature ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// At the temperature with the least negative log-likelihood.
    Converged,
    /// At [`Temperature::LEAST`]: the labels would have it lower still, as they do where every decision is right.
    AtLeast,
    /// At [`Temperature::MOST`]: the labels would have it higher still, as they do where the probabilities say nothing, or
    /// the opposite of what is true.
    AtMost,
    /// At 1: every temperature is as good, because there is one class, no opinion, or no row but flat ones.
    Flat,
}

/// A temperature T: p becomes softmax(ln p / T), with ln taken of p clamped to [1e-7, 1].
///
/// T > 1 makes probabilities less sure, T < 1 surer; no decision changes. The fitted one has the least mean negative
/// log-likelihood on the labelled items, found by Newton's method with a bracket on 1/T, in which the objective is convex
/// (Guo, Pleiss, Sun and Weinberger, ICML 2017).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Temperature {
    value: f64,
    ending: Ending,
    items: usize,
    iterations: u32,
    nll_before: f64,
    nll_after: f64,
}

impl Temperature {
    /// The lowest temperature that is fitted.
    pub const LEAST: f64 = 0.05;
    /// The highest temperature that is fitted.
    pub const MOST: f64 = 100.0;

    /// The temperature with the least negative log-likelihood on these items.
    #[must_use]
    pub fn fit(labelled: &Labelled<'_>) -> Self {
        let Ok(minimum) = minimise::<Infallible>(TOLERANCE, |sharpness| Ok(derivatives(labelled, sharpness)));
        let nll = [tempered_nll(labelled, 1.0), tempered_nll(labelled, 1.0 / minimum.value)];
        Self::at(&minimum, labelled.items(), nll)
    }

    /// At a minimum, with what the objective is at T = 1 and there.
    fn at(minimum: &Minimum, items: usize, [nll_before, nll_after]: [f64; 2]) -> Self {
        // At the minimum of a flat valley a rounding may favour the start.
        let (value, nll_after) = if nll_after > nll_before { (1.0, nll_before) } else { (minimum.value, nll_after) };
        Self { value, ending: minimum.ending, items, iterations: minimum.iterations, nll_before, nll_after }
    }

    /// Refuses what no fit can have left.
    fn check(&self) -> Result<()> {
        let &Self { value, nll_before, nll_after, .. } = self;
        let refused = |why: String| Err(CalibrationError::State { what: "temperature", why }.into());
        if !(Self::LEAST..=Self::MOST).contains(&value) {
            return refused(format!("its value is {value}, outside [{}, {}]", Self::LEAST, Self::MOST));
        }
        if !(0.0 <= nll_after && nll_after <= nll_before && nll_before.is_finite()) {
            return refused(format!("its negative log-likelihood went from {nll_before} to {nll_after}"));
        }
        Ok(())
    }

    /// The temperature of who gave no opinion: 1.
    fn of_nothing() -> Self {
        Self { value: 1.0, ending: Ending::Flat, items: 0, iterations: 0, nll_before: 0.0, nll_after: 0.0 }
    }

    /// T, as [`Fusion`](crate::spec::Fusion) takes it.
    #[must_use]
    pub fn value(&self) -> f32 {
        self.value as f32
    }

    /// How the fit ended.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// How many items it was fitted to.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Whether it was fitted to fewer than [`FEW_ITEMS`] items.
    #[must_use]
    pub fn is_of_few_items(&self) -> bool {
        self.items < FEW_ITEMS
    }

    /// How often the objective's derivatives were taken.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Mean negative log-likelihood at T = 1 on the items of the fit; 0 where there are none.
    #[must_use]
    pub fn nll_before(&self) -> f64 {
        self.nll_before
    }

    /// Mean negative log-likelihood at the fitted T on the items of the fit; never above [`Temperature::nll_before`].
    #[must_use]
    pub fn nll_after(&self) -> f64 {
        self.nll_after
    }

    /// Tempers rows of `classes` probabilities in place; each decides as it did.
    ///
    /// # Errors
    ///
    /// No classes, no whole number of rows, a row that is no distribution; then nothing was changed.
    pub fn apply(&self, classes: usize, posterior: &mut [f32]) -> Result<()> {
        posterior::check(classes, posterior)?;
        let sharpness = 1.0 / self.value;
        for row in posterior.chunks_exact_mut(classes) {
            let decision = posterior::decision(row);
            let most = log(row[decision]);
            let weight = |p: f32| (sharpness * (log(p) - most)).exp();
            let sum: f64 = row.iter().map(|&p| weight(p)).sum();
            row.iter_mut().for_each(|p| *p = (weight(*p) / sum) as f32);
            // Two probabilities a rounding apart may have become one.
            let first = posterior::decision(row);
            if first != decision {
                row[decision] = row[first].next_up();
            }
        }
        Ok(())
    }
}

/// The temperature of each source, fitted to the items it gave an opinion on; `labels` has one class per item.
///
/// A source that gave none has the temperature 1, fitted to 0 items.
///
/// # Errors
///
/// Another number of labels than of items, a label that names no class, an opinion that is not valid.
///
/// # Examples
///
/// ```
/// use consilience::Evidence;
/// use consilience::calibration::temperatures_of_sources;
///
/// let (modest, boastful) = ([0.75, 0.25].repeat(4), [0.99, 0.01].repeat(4));
/// let evidence = Evidence::probabilities(2, &[&modest, &boastful])?;
/// let fitted = temperatures_of_sources(&evidence, &[0, 0, 0, 1])?;
/// assert_eq!(fitted[0].value(), 1.0);
/// assert!((fitted[1].value() - 99_f32.ln() / 3_f32.ln()).abs() < 1e-5);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn temperatures_of_sources(evidence: &Evidence<'_>, labels: &[u32]) -> Result<Vec<Temperature>> {
    let (items, classes) = (evidence.items(), evidence.classes());
    if labels.len() != items {
        return Err(CalibrationError::Length { what: "labels", given: labels.len(), needed: items }.into());
    }
    let mut row = vec![0.0; classes];
    let of_source = |source| {
        let (mut given, mut true_classes) = (Vec::new(), Vec::new());
        for (item, &label) in labels.iter().enumerate() {
            LabelError::check(classes, item, label)?;
            if evidence.opinion(source, item, &mut row)? == Answer::Given {
                given.extend_from_slice(&row);
                true_classes.push(label);
            }
        }
        if true_classes.is_empty() {
            return Ok(Temperature::of_nothing());
        }
        Ok(Temperature::fit(&Labelled::new(classes, &given, &true_classes)?))
    };
    (0..evidence.sources()).map(of_source).collect()
}

checked!(Temperature);
