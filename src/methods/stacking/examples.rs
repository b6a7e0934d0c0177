//! Labelled items, checked before anything is fitted to them.

use crate::error::{EvidenceError, FitError, LabelError, Result, SpecError};
use crate::kernel::stacking::softmax_regression::MAX_PARAMETERS;
use crate::tensor::Evidence;

/// Checks that there is one label per item, each of them a class.
pub(super) fn check_labels(evidence: &Evidence<'_>, labels: &[u32]) -> Result<()> {
    if labels.is_empty() {
        return Err(FitError::NoLabels.into());
    }
    check_given(evidence, &labels.iter().copied().map(Some).collect::<Vec<_>>())
}

/// Checks that there is an entry per item, and that each label that is given is a class.
pub(super) fn check_given(evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<()> {
    let (items, classes) = (evidence.items(), evidence.classes());
    EvidenceError::check_len("the list of labels", items, labels.len())?;
    let mut given = labels.iter().enumerate().filter_map(|(item, &label)| Some((item, label?)));
    Ok(given.try_for_each(|(item, label)| LabelError::check(classes, item, label))?)
}

/// Checks that the kernel takes on so many parameters.
pub(super) fn check_parameters(evidence: &Evidence<'_>) -> Result<()> {
    let (sources, classes) = (evidence.sources(), evidence.classes());
    let parameters = sources.saturating_mul(classes).saturating_add(1).saturating_mul(classes);
    if parameters > MAX_PARAMETERS {
        return Err(FitError::TooManyParameters { sources, classes, limit: MAX_PARAMETERS }.into());
    }
    Ok(())
}

/// Checks that every class is the label of an item that counts; `fold` is the one left out.
pub(super) fn check_classes(
    classes: usize,
    labels: &[u32],
    fold: Option<u32>,
    counts: impl Fn(usize) -> bool,
) -> Result<()> {
    let mut seen = vec![false; classes];
    labels.iter().enumerate().filter(|(item, _)| counts(*item)).for_each(|(_, &label)| seen[label as usize] = true);
    match seen.iter().position(|seen| !seen) {
        Some(class) => Err(FitError::ClassAbsent { class, fold }.into()),
        None => Ok(()),
    }
}

/// Checks an option.
pub(super) fn check_option(what: &str, value: f64, is_right: bool, must: &'static str) -> Result<()> {
    Ok(SpecError::check(what, value, must, is_right)?)
}
