//! What decisions cost, and the least costly one.

use serde::{Deserialize, Serialize};

use crate::error::{CalibrationError, Result, SpecError};
use crate::methods::calibration::posterior;
use crate::methods::checked::checked;

/// The bound on a cost's magnitude, so that no sum overflows.
pub(super) const MOST_COST: f64 = 1e30;

/// Costs c[y, d] of decision d where the class y is true, row-major [C, D], and the cost of declining to decide.
///
/// On a posterior p the decision is the d with the least expected cost sum_y p_y c[y, d], the lower one of two; it is
/// rejected where that cost exceeds the cost of rejecting (Chow 1970). Rows are normalised in f64 first. Negative costs are
/// gains.
///
/// # Examples
///
/// *Decide where at least 90 % sure.*
///
/// ```
/// use consilience::decision::CostMatrix;
///
/// let costs = CostMatrix::zero_one(3)?.with_reject(0.1)?;
/// let choices = costs.decide_all(&[0.9375, 0.0625, 0.0, 0.5, 0.25, 0.25])?;
/// assert_eq!((choices[0].decision, choices[0].expected_cost), (Some(0), 0.0625));
/// assert_eq!((choices[1].decision, choices[1].expected_cost), (None, 0.1));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct CostMatrix {
    classes: usize,
    decisions: usize,
    costs: Vec<f64>,
    reject: Option<f64>,
}

/// What is decided on one item.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The decision; `None`: rejected.
    pub decision: Option<u32>,
    /// The expected cost of that, of rejecting if it was rejected.
    pub expected_cost: f64,
}

impl CostMatrix {
    /// Costs of `decisions` decisions under each of `classes` true classes, row-major [C, D]; nothing is rejected.
    ///
    /// # Errors
    ///
    /// No classes, no decisions, another number of costs than classes x decisions, or a cost that is no number in
    /// [-1e30, 1e30].
    pub fn new(classes: usize, decisions: usize, costs: &[f64]) -> Result<Self> {
        let matrix = Self { classes, decisions, costs: costs.to_vec(), reject: None };
        matrix.check()?;
        Ok(matrix)
    }

    fn check(&self) -> Result<()> {
        check_shape("classes", self.classes)?;
        check_shape("decisions", self.decisions)?;
        let needed = self.classes.saturating_mul(self.decisions);
        if self.costs.len() != needed {
            return Err(CalibrationError::Length { what: "the cost matrix", given: self.costs.len(), needed }.into());
        }
        for (cell, &cost) in self.costs.iter().enumerate() {
            let (class, decision) = (cell / self.decisions, cell % self.decisions);
            check_cost(cost, || format!("the cost of decision {decision} where class {class} is true"))?;
        }
        self.reject.map_or(Ok(()), |cost| check_cost(cost, || "the cost of rejecting".to_owned()))
    }

    /// A cost of 1 for every class that is not the true one, up to 4096 classes.
    ///
    /// # Errors
    ///
    /// No classes, or more of them.
    pub fn zero_one(classes: usize) -> Result<Self> {
        if classes > 4096 {
            let (what, must) = ("classes".to_owned(), "at most 4096: the matrix has a cell for every two of them");
            return Err(SpecError::OutOfRange { what, value: classes as f64, must }.into());
        }
        let cell = |cell: usize| f64::from(u8::from(cell / classes != cell % classes));
        Self::new(classes, classes, &(0..classes * classes).map(cell).collect::<Vec<_>>())
    }

    /// The same with the option of rejecting at this cost.
    ///
    /// # Errors
    ///
    /// A cost that is no number in [-1e30, 1e30].
    pub fn with_reject(mut self, cost: f64) -> Result<Self> {
        self.reject = Some(cost);
        self.check()?;
        Ok(self)
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of decisions, D, without that of rejecting.
    #[must_use]
    pub fn decisions(&self) -> usize {
        self.decisions
    }

    /// The decision on one row of C probabilities.
    ///
    /// # Errors
    ///
    /// A row of another length, or that is no distribution; the error calls it item 0.
    pub fn decide(&self, row: &[f32]) -> Result<Choice> {
        posterior::check_row(self.classes, 0, row)?;
        Ok(self.least(&normalised(row)))
    }

    /// The decision on each row of a posterior, [B, C].
    ///
    /// # Errors
    ///
    /// No whole number of rows, or a row that is no distribution.
    pub fn decide_all(&self, posterior: &[f32]) -> Result<Vec<Choice>> {
        posterior::check(self.classes, posterior)?;
        Ok(posterior.chunks_exact(self.classes).map(|row| self.least(&normalised(row))).collect())
    }

    /// The least costly choice under masses of the classes, and its cost: linear in the masses, which need not sum to one.
    pub(super) fn least(&self, masses: &[f64]) -> Choice {
        let mut of_decisions = vec![0.0; self.decisions];
        for (&mass, costs) in masses.iter().zip(self.costs.chunks_exact(self.decisions)) {
            of_decisions.iter_mut().zip(costs).for_each(|(sum, cost)| *sum += mass * cost);
        }
        let mut best = Choice { decision: Some(0), expected_cost: of_decisions[0] };
        for (decision, &expected_cost) in (0_u32..).zip(&of_decisions) {
            if expected_cost < best.expected_cost {
                best = Choice { decision: Some(decision), expected_cost };
            }
        }
        match self.reject.map(|cost| cost * masses.iter().sum::<f64>()) {
            Some(cost) if best.expected_cost > cost => Choice { decision: None, expected_cost: cost },
            _ => best,
        }
    }
}

/// The row as a distribution in `f64`.
pub(super) fn normalised(row: &[f32]) -> Vec<f64> {
    let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
    row.iter().map(|&p| f64::from(p) / sum).collect()
}

/// Refuses counts that are zero or beyond an index of 32 bits.
pub(super) fn check_shape(what: &str, count: usize) -> Result<()> {
    if count == 0 || u32::try_from(count).is_err() {
        let (what, must) = (format!("the number of {what}"), "at least one and below 2^32");
        return Err(SpecError::OutOfRange { what, value: count as f64, must }.into());
    }
    Ok(())
}

fn check_cost(value: f64, what: impl FnOnce() -> String) -> Result<()> {
    if value.abs() <= MOST_COST {
        return Ok(());
    }
    Err(SpecError::OutOfRange { what: what(), value, must: "a number in [-1e30, 1e30]" }.into())
}

checked!(CostMatrix);
