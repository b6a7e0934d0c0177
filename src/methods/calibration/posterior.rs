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

#[inline]
fn check_values(item: usize, row: &[f32]) -> Result<()> {
    if is_distribution(row) { Ok(()) } else { find_fault(item, row) }
}

/// Whether that is certain: in lanes, whose sum is rounded elsewhere than that of one after another.
#[inline(always)]
fn is_distribution(row: &[f32]) -> bool {
    let (quads, rest) = row.as_chunks::<4>();
    let (mut sums, mut right) = ([0.0; 4], [true; 4]);
    for quad in quads {
        for ((sum, right), &value) in sums.iter_mut().zip(&mut right).zip(quad) {
            *right &= value >= 0.0;
            *sum += f64::from(value);
        }
    }
    let rest = rest.iter().map(|&value| if value >= 0.0 { f64::from(value) } else { f64::NAN });
    let sum = sums.iter().sum::<f64>() + rest.sum::<f64>();
    // An infinite value makes the sum so, and one that is not a number is not right.
    right == [true; 4] && (sum - 1.0).abs() <= 0.5 * f64::from(SUM_TOLERANCE)
}

/// The error of a row, if it has one.
#[cold]
fn find_fault(item: usize, row: &[f32]) -> Result<()> {
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
