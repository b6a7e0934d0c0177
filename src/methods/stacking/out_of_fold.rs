//! Posteriors of models that did not see the label of the item.

use crate::engine::{Engine, Evaluations};
use crate::error::{EvidenceError, Result};
use crate::kernel::stacking::softmax_regression::Targets;
use crate::methods::stacking::examples::check_classes;
use crate::methods::stacking::{Folds, Report, Stacked, Stacking};
use crate::tensor::Evidence;

/// What [`Stacking::out_of_fold`] answers: for every item the posterior of the model fitted without the item's fold, scores
/// of these posteriors, and the model fitted to all items, for items yet to come.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfFold {
    classes: usize,
    posterior: Vec<f32>,
    labels: Vec<u32>,
    reports: Vec<Report>,
    model: Stacked,
    report: Report,
}

impl OutOfFold {
    pub(super) fn fit(
        stacking: &Stacking,
        engine: &Engine,
        evidence: &Evidence<'_>,
        labels: &[u32],
        folds: &Folds,
    ) -> Result<Self> {
        let (classes, of_items) = (evidence.classes(), folds.of_items());
        EvidenceError::check_len("the list of folds", labels.len(), of_items.len())?;
        check_classes(classes, labels, None, |_| true)?;
        for &fold in folds.distinct() {
            check_classes(classes, labels, Some(fold), |item| of_items[item] != fold)?;
        }
        let cpu = engine.host()?;
        let mut regression = engine.regression(cpu.pack(evidence)?, Evaluations::Fits(folds.distinct().len() + 1))?;
        let mut posterior = vec![0.0; labels.len() * classes];
        let mut answers = posterior.clone();
        let mut reports = Vec::with_capacity(folds.distinct().len());
        for &fold in folds.distinct() {
            let targets = Targets::of(labels, |item| of_items[item] != fold);
            let fit = stacking.fit_packed(&mut *regression, &targets)?;
            cpu.predict(regression.features(), &fit.model.parameters(), &mut answers);
            let rows = posterior.chunks_exact_mut(classes).zip(answers.chunks_exact(classes));
            rows.zip(of_items).filter(|(_, of)| **of == fold).for_each(|((to, from), _)| to.copy_from_slice(from));
            reports.push(fit.report);
        }
        let fit = stacking.fit_packed(&mut *regression, &Targets::of(labels, |_| true))?;
        Ok(Self { classes, posterior, labels: labels.to_vec(), reports, model: fit.model, report: fit.report })
    }

    /// The out-of-fold posteriors, row-major [B, C].
    #[must_use]
    pub fn posterior(&self) -> &[f32] {
        &self.posterior
    }

    /// Mean of -ln P(label) of the out-of-fold posteriors, in nats; P no smaller than the smallest normal number.
    #[must_use]
    pub fn nll(&self) -> f64 {
        let named = self.rows().map(|(row, label)| -f64::from(row[label].max(f32::MIN_POSITIVE)).ln());
        named.sum::<f64>() / self.labels.len() as f64
    }

    /// The share of items whose label has the largest out-of-fold posterior, of equal ones the lowest.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let is_right = |(row, label): &(&[f32], usize)| {
            row[..*label].iter().all(|&p| p < row[*label]) && row[*label..].iter().all(|&p| p <= row[*label])
        };
        self.rows().filter(is_right).count() as f64 / self.labels.len() as f64
    }

    /// How the fit without each fold went, in the order of [`Folds::distinct`].
    #[must_use]
    pub fn fold_reports(&self) -> &[Report] {
        &self.reports
    }

    /// How the fit to all items went.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The model fitted to all items.
    #[must_use]
    pub fn into_model(self) -> Stacked {
        self.model
    }

    fn rows(&self) -> impl Iterator<Item = (&[f32], usize)> {
        self.posterior.chunks_exact(self.classes).zip(self.labels.iter().map(|&label| label as usize))
    }
}
