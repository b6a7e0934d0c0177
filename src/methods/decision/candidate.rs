//! A source that could still be asked.

use serde::{Deserialize, Serialize};

use super::cost_matrix::{MOST_COST, check_shape};
use crate::error::{CalibrationError, Error, Result, SpecError};
use crate::tensor::SUM_TOLERANCE;

/// Rows this close to one are not divided by their sum again, so that a saved candidate comes back as it was.
const EXACT: f64 = 1e-9;

/// A source that has not been asked yet: the probability of each of its answers under each true class, and its price.
///
/// Answers are any that can be told apart: labels, an abstention, ranges of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Candidate {
    classes: usize,
    answers: usize,
    confusion: Vec<f64>,
    price: f64,
}

impl Candidate {
    /// `confusion` is row-major [C, A]: in row y the probability of each answer where class y is true. The price is in the
    /// unit of the costs.
    ///
    /// # Errors
    ///
    /// No classes, no answers, another number of entries than classes x answers, a row that is no distribution (within 1e-3;
    /// it is then normalised), or a price that is no number in [0, 1e30].
    pub fn new(classes: usize, answers: usize, confusion: &[f64], price: f64) -> Result<Self> {
        check_shape("classes", classes)?;
        check_shape("answers", answers)?;
        let needed = classes.saturating_mul(answers);
        if confusion.len() != needed {
            let what = "the confusion matrix";
            return Err(CalibrationError::Length { what, given: confusion.len(), needed }.into());
        }
        if !(0.0..=MOST_COST).contains(&price) {
            let must = "a number in [0, 1e30]";
            return Err(SpecError::OutOfRange { what: "the price of asking".to_owned(), value: price, must }.into());
        }
        let mut normalised = confusion.to_vec();
        for (class, row) in normalised.chunks_exact_mut(answers).enumerate() {
            if let Some((answer, &value)) = row.iter().enumerate().find(|(_, p)| !(p.is_finite() && **p >= 0.0)) {
                let what = format!("the probability of answer {answer} where class {class} is true");
                return Err(SpecError::OutOfRange { what, value, must: "in [0, 1]" }.into());
            }
            let sum: f64 = row.iter().sum();
            if (sum - 1.0).abs() > f64::from(SUM_TOLERANCE) {
                let what = format!("the sum of the confusion matrix's row {class}");
                return Err(SpecError::OutOfRange { what, value: sum, must: "1 within 0.001" }.into());
            }
            if (sum - 1.0).abs() > EXACT {
                row.iter_mut().for_each(|p| *p /= sum);
            }
        }
        Ok(Self { classes, answers, confusion: normalised, price })
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of answers, A.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// What asking it costs.
    #[must_use]
    pub fn price(&self) -> f64 {
        self.price
    }

    /// The probability of the answer where the class is true; both are there.
    pub(super) fn likelihood(&self, class: usize, answer: usize) -> f64 {
        self.confusion[class * self.answers + answer]
    }
}

/// A candidate as it was saved, unchecked.
#[derive(Deserialize)]
struct Saved {
    classes: usize,
    answers: usize,
    confusion: Vec<f64>,
    price: f64,
}

impl TryFrom<Saved> for Candidate {
    type Error = Error;

    fn try_from(Saved { classes, answers, confusion, price }: Saved) -> Result<Self> {
        Self::new(classes, answers, &confusion, price)
    }
}
