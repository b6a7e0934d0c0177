//! How the opinions of a group, or their weights, are spread.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float32Array};
use datafusion::arrow::datatypes::Float32Type;
use datafusion::common::{Result, exec_err};

use super::failure::invalid;
use super::groups::Tally;
use super::list::Lists;
use crate::error::PartialError;
use crate::methods::calibration::posterior::check_row;
use crate::methods::partial::{MOST_WEIGHT, ONE, add, fixed, ln};

/// A weight, at most so much.
pub(super) fn weight(name: &str, weights: &Float32Array, row: usize, most: f32) -> Result<f64> {
    if !weights.is_valid(row) {
        return exec_err!("{name}: row {row} of a batch has an opinion and a weight of NULL; give it a number");
    }
    let weight = weights.value(row);
    if !(0.0..=most).contains(&weight) {
        return exec_err!(
            "{name}: row {row} of a batch has a weight of {weight}; it must be at least 0 and at most {most}"
        );
    }
    Ok(weight.into())
}

/// The generalised Jensen-Shannon divergence, over ln C: (H(sum w p / W) - sum w H(p) / W) / ln C.
#[derive(Debug)]
pub(super) struct Disagreement;

impl Tally for Disagreement {
    type Rows = (Lists, Option<Float32Array>);

    const BY_CLASS: bool = true;

    fn read(&self, arguments: &[ArrayRef], classes: Option<usize>) -> Result<Self::Rows> {
        let weights = arguments.get(1).map(|array| array.as_primitive::<Float32Type>().clone());
        Ok((Lists::of(&arguments[0], classes, "an opinion")?, weights))
    }

    fn classes(rows: &Self::Rows) -> Option<usize> {
        rows.0.length
    }

    /// Whether any weighs anything, w, w H(p), and w p of each class.
    fn width(&self, classes: usize) -> usize {
        3 + classes
    }

    fn classes_of(&self, width: usize) -> usize {
        width - 3
    }

    fn write(&self, rows: &Self::Rows, row: usize, part: &mut [i64]) -> Result<bool> {
        let Some(opinion) = rows.0.row(row) else { return Ok(false) };
        check_row(opinion.len(), row, opinion).map_err(|error| invalid("disagreement", error))?;
        let weight = rows.1.as_ref().map_or(Ok(1.0), |weights| weight("disagreement", weights, row, MOST_WEIGHT))?;
        // As with the rules: where nobody weighs anything all count alike.
        let (rank, weight) = if weight > 0.0 { (2, weight) } else { (1, 1.0) };
        part[..3].copy_from_slice(&[rank, fixed(weight), fixed(weight * entropy(opinion.iter().map(|&p| p.into())))]);
        part[3..].iter_mut().zip(opinion).for_each(|(part, &p)| *part = fixed(weight * f64::from(p)));
        Ok(true)
    }

    fn merge(&self, sums: &mut [i64], part: &[i64]) -> Result<(), PartialError> {
        if part[0] > sums[0] {
            sums.copy_from_slice(part);
        } else if part[0] == sums[0] {
            add(&mut sums[1..], &part[1..])?;
        }
        Ok(())
    }

    fn finish(&self, sums: &[i64], groups: usize, classes: Option<usize>) -> Result<ArrayRef> {
        let classes = classes.unwrap_or_default();
        let of = |group: usize| {
            let sums = &sums[group * self.width(classes)..][..self.width(classes)];
            let [whole, own] = [1, 2].map(|at| sums[at] as f64 / ONE);
            let apart = entropy(sums[3..].iter().map(|&sum| sum as f64 / ONE / whole)) - own / whole;
            (sums[0] > 0)
                .then(|| if classes == 1 { 0.0 } else { (apart / (classes as f64).ln()).clamp(0.0, 1.0) as f32 })
        };
        let answers: Float32Array = (0..groups).map(|group| if classes > 0 { of(group) } else { None }).collect();
        Ok(Arc::new(answers))
    }
}

/// In nats.
pub(super) fn entropy(p: impl Iterator<Item = f64>) -> f64 {
    p.filter(|&p| p > f64::MIN_POSITIVE).map(|p| -p * ln(p)).sum()
}

/// The largest weight whose square is summed up.
const MOST_SQUARED: f32 = 1000.0;

/// (sum w)^2 / sum w^2.
#[derive(Debug)]
pub(super) struct EffectiveSources;

impl Tally for EffectiveSources {
    type Rows = Float32Array;

    const BY_CLASS: bool = false;

    fn read(&self, arguments: &[ArrayRef], _: Option<usize>) -> Result<Float32Array> {
        Ok(arguments[0].as_primitive::<Float32Type>().clone())
    }

    fn classes(_: &Float32Array) -> Option<usize> {
        Some(0)
    }

    /// How many, w, and w^2.
    fn width(&self, _: usize) -> usize {
        3
    }

    fn classes_of(&self, _: usize) -> usize {
        0
    }

    fn write(&self, rows: &Float32Array, row: usize, part: &mut [i64]) -> Result<bool> {
        if !rows.is_valid(row) {
            return Ok(false);
        }
        let weight = weight("effective_sources", rows, row, MOST_SQUARED)?;
        part.copy_from_slice(&[1, fixed(weight), fixed(weight * weight)]);
        Ok(true)
    }

    fn merge(&self, sums: &mut [i64], part: &[i64]) -> Result<(), PartialError> {
        add(sums, part)
    }

    fn finish(&self, sums: &[i64], _: usize, _: Option<usize>) -> Result<ArrayRef> {
        let of = |sums: &[i64]| {
            let [whole, squares] = [1, 2].map(|at| sums[at] as f64 / ONE);
            (sums[0] > 0).then(|| {
                // Where nobody weighs anything all count alike.
                if squares == 0.0 { sums[0] as f32 } else { (whole * whole / squares) as f32 }
            })
        };
        let answers: Float32Array = sums.chunks_exact(3).map(of).collect();
        Ok(Arc::new(answers))
    }
}
