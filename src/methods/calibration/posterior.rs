//! Rows of probabilities as callers give them: checked, and read.

use crate::error::{CalibrationError, Result, SpecError};
use crate::tensor::SUM_TOLERANCE;

/// How many rows of `classes` values there are; every one of them is a distribution.
pub fn check(classes: usize, posterior: &[f32]) -> Result<usize> {
    SpecError::check("the number of classes", classes as f64, "at least one", classes > 0)?;
    if !posterior.len().is_multiple_of(classes) {
        return Err(CalibrationError::Ragged { len: posterior.len(), classes }.into());
    }
    posterior.chunks_exact(classes).enumerate().try_for_each(|(item, row)| check_values(item, row))?;
    Ok(posterior.len() / classes)
}

/// Refuses a row that is no distribution over `classes` classes; `item` is what the error calls it.
pub fn check_row(classes: usize, item: usize, row: &[f32]) -> Result<()> {
    if row.len() != classes {
        return Err(CalibrationError::Length { what: "a row", given: row.len(), needed: classes }.into());
    }
    check_values(item, row)
}

/// The class with the largest probability; of several, the lowest.
pub fn decision(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, &p) in row.iter().enumerate() {
        if p > row[best] {
            best = class;
        }
    }
    best
}

fn check_values(item: usize, row: &[f32]) -> Result<()> {
    let mut sum = 0.0;
    for (class, &value) in row.iter().enumerate() {
        if !(value >= 0.0 && value.is_finite()) {
            return Err(CalibrationError::Probability { item, class, value }.into());
        }
        sum += f64::from(value);
    }
    if (sum - 1.0).abs() > f64::from(SUM_TOLERANCE) {
        return Err(CalibrationError::Sum { item, sum, tolerance: SUM_TOLERANCE }.into());
    }
    Ok(())
}
