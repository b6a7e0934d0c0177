//! How good posteriors are, measured against labels.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{Result, exec_err};

use super::failure::invalid;
use super::groups::Tally;
use super::list::Lists;
use crate::error::PartialError;
use crate::methods::calibration::posterior::{check_row, decision};
use crate::methods::calibration::{Loss, bin_of};
use crate::methods::partial::{ONE, add, fixed};

/// A mean over items with a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Score {
    /// The share decided right.
    Accuracy,
    /// A mean loss.
    Loss(Loss),
    /// The expected calibration error over bins of equal width.
    CalibrationError { bins: usize },
}

/// What the score is called, and which it is.
#[derive(Debug)]
pub(super) struct Scored {
    pub name: &'static str,
    pub score: Score,
}

impl Tally for Scored {
    type Rows = (Lists, Int64Array);

    const BY_CLASS: bool = false;

    fn read(&self, arguments: &[ArrayRef], _: Option<usize>) -> Result<Self::Rows> {
        let posteriors = Lists::of(&arguments[0], None, "a posterior")?;
        Ok((posteriors, arguments[1].as_primitive::<Int64Type>().clone()))
    }

    /// Sums do not depend on how many there are.
    fn classes(_: &Self::Rows) -> Option<usize> {
        Some(0)
    }

    /// How many items; then what they sum up to or, for each bin, how many were right and the sum of confidences.
    fn width(&self, _: usize) -> usize {
        match self.score {
            Score::CalibrationError { bins } => 1 + 2 * bins,
            _ => 2,
        }
    }

    fn classes_of(&self, _: usize) -> usize {
        0
    }

    fn write(&self, (posteriors, labels): &Self::Rows, row: usize, part: &mut [i64]) -> Result<bool> {
        let Some(posterior) = posteriors.row(row).filter(|_| labels.is_valid(row)) else { return Ok(false) };
        let classes = posterior.len();
        check_row(classes, row, posterior).map_err(|error| invalid(self.name, error))?;
        let label = labels.value(row);
        let Some(truth) = usize::try_from(label).ok().filter(|&label| label < classes) else {
            return exec_err!(
                "{}: row {row} of a batch has the label {label}, which is no class; classes are 0 to {}",
                self.name,
                classes.saturating_sub(1)
            );
        };
        let decision = decision(posterior);
        let hit = i64::from(decision == truth);
        part.fill(0);
        part[0] = 1;
        match self.score {
            Score::Accuracy => part[1] = hit,
            Score::Loss(loss) => part[1] = fixed(loss.of(posterior, truth)),
            Score::CalibrationError { bins } => {
                let bin = 1 + 2 * bin_of(posterior[decision], bins);
                part[bin..bin + 2].copy_from_slice(&[hit, fixed(posterior[decision].into())]);
            }
        }
        Ok(true)
    }

    fn merge(&self, sums: &mut [i64], part: &[i64]) -> Result<(), PartialError> {
        add(sums, part)
    }

    fn finish(&self, sums: &[i64], _: usize, _: Option<usize>) -> Result<ArrayRef> {
        let of = |sums: &[i64]| {
            let items = sums[0] as f64;
            let whole = match self.score {
                Score::Accuracy => sums[1] as f64,
                Score::Loss(_) => sums[1] as f64 / ONE,
                Score::CalibrationError { .. } => {
                    sums[1..].chunks_exact(2).map(|bin| (bin[0] as f64 - bin[1] as f64 / ONE).abs()).sum()
                }
            };
            (sums[0] > 0).then(|| whole / items)
        };
        let answers: Float64Array = sums.chunks_exact(self.width(0)).map(of).collect();
        Ok(Arc::new(answers))
    }
}
