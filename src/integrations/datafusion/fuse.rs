//! Opinions of a group fused by a rule of sums.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float32Array, UInt32Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::Float32Type;
use datafusion::common::{Result, exec_err};

use super::failure::invalid;
use super::groups::Tally;
use super::list::{ListType, Lists};
use super::spread::weight;
use crate::backend::cpu::vectorized;
use crate::error::PartialError;
use crate::methods::calibration::posterior::check_row;
use crate::methods::partial::{Pool, log_all};
use crate::spec::RELIABILITY;

/// What is told of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Posterior,
    Decision,
}

/// The opinions of a group, each with a weight and a confidence.
#[derive(Debug)]
pub(super) struct Fuse {
    pub name: &'static str,
    pub pool: Pool,
    pub told: Told,
    pub list: ListType,
    pub class_prior: Option<Vec<f32>>,
}

#[derive(Debug)]
pub(super) struct Rows {
    opinions: Lists,
    /// Where those of a row are, as the opinions.
    logs: Vec<f64>,
    weights: Option<Float32Array>,
    confidences: Option<Float32Array>,
}

impl Fuse {
    fn weight(&self, rows: &Rows, row: usize) -> Result<f64> {
        let Some(weights) = &rows.weights else {
            return Ok(if self.pool.takes_reliability() { RELIABILITY.into() } else { 1.0 });
        };
        weight(self.name, weights, row, self.pool.most_weight())
    }

    /// `None` where none is given: the largest probability stands for it.
    fn confidence(&self, rows: &Rows, row: usize) -> Result<Option<f32>> {
        let given = rows.confidences.as_ref().filter(|all| all.is_valid(row)).map(|all| all.value(row));
        match given {
            Some(confidence) if !(0.0..=1.0).contains(&confidence) => {
                exec_err!("{}: row {row} of a batch has a confidence of {confidence}; it must be in [0, 1]", self.name)
            }
            given => Ok(given),
        }
    }

    fn check(&self, row: usize, opinion: &[f32]) -> Result<()> {
        if self.pool != Pool::Confusion {
            return check_row(opinion.len(), row, opinion).map_err(|error| invalid(self.name, error));
        }
        match opinion.iter().position(|p| !(0.0..=1.0).contains(p)) {
            Some(class) => exec_err!(
                "{}: row {row} of a batch has a likelihood of {} for class {class}; it must be in [0, 1]",
                self.name,
                opinion[class]
            ),
            None => Ok(()),
        }
    }
}

impl Tally for Fuse {
    type Rows = Rows;

    const BY_CLASS: bool = true;

    fn read(&self, arguments: &[ArrayRef], classes: Option<usize>) -> Result<Rows> {
        let opinions = Lists::of(&arguments[0], classes, "an opinion")?;
        let mut logs = vec![0.0; if self.pool.takes_logs() { opinions.values().len() } else { 0 }];
        vectorized(|| log_all(opinions.values(), &mut logs));
        let number = |at: usize| arguments.get(at).map(|array| array.as_primitive::<Float32Type>().clone());
        // Behind the opinion comes the weight, and behind that, of rules that take one, the confidence.
        let confidences = if self.pool.takes_confidence() { number(2) } else { None };
        let weights = if self.pool == Pool::Confusion { None } else { number(1) };
        Ok(Rows { opinions, logs, weights, confidences })
    }

    fn classes(rows: &Rows) -> Option<usize> {
        rows.opinions.length
    }

    fn width(&self, classes: usize) -> usize {
        self.pool.width(classes)
    }

    fn classes_of(&self, width: usize) -> usize {
        self.pool.classes(width)
    }

    #[inline(always)]
    fn write(&self, rows: &Rows, row: usize, part: &mut [i64]) -> Result<bool> {
        let Some(opinion) = rows.opinions.row(row) else { return Ok(false) };
        self.check(row, opinion)?;
        let logs = rows.logs.get(rows.opinions.place(row)).unwrap_or_default();
        self.pool.write(opinion, logs, self.weight(rows, row)?, self.confidence(rows, row)?, part);
        Ok(true)
    }

    #[inline(always)]
    fn merge(&self, sums: &mut [i64], part: &[i64]) -> Result<(), PartialError> {
        self.pool.merge(sums, part)
    }

    #[inline(always)]
    fn finish(&self, sums: &[i64], groups: usize, classes: Option<usize>) -> Result<ArrayRef> {
        let classes = classes.unwrap_or_default();
        if let Some(prior) = &self.class_prior
            && classes > 0
        {
            check_row(classes, 0, prior).map_err(|error| invalid("the class prior", error))?;
        }
        let width = if classes > 0 { self.pool.width(classes) } else { 0 };
        let (mut posteriors, mut decisions) = (Vec::new(), Vec::new());
        let (mut exact, mut rounded) = (vec![0.0; classes], vec![0.0_f32; classes]);
        let is_there = |group: usize| classes > 0 && !Pool::is_nothing(&sums[group * width..]);
        for group in 0..groups {
            exact.fill(0.0);
            let sums = &sums[group * width..][..width];
            if is_there(group) {
                self.pool.posterior(sums, self.class_prior.as_deref(), &mut exact);
            }
            rounded.iter_mut().zip(&exact).for_each(|(to, p)| *to = *p as f32);
            match self.told {
                Told::Posterior => posteriors.extend_from_slice(&rounded),
                Told::Decision => {
                    decisions.push(is_there(group).then(|| self.pool.decision(sums, &rounded) as u32));
                }
            }
        }
        match self.told {
            Told::Posterior => {
                let nulls = NullBuffer::from_iter((0..groups).map(is_there));
                let nulls = (nulls.null_count() > 0).then_some(nulls);
                self.list.array::<Float32Type>(classes, posteriors, nulls, groups)
            }
            Told::Decision => Ok(Arc::new(UInt32Array::from(decisions))),
        }
    }
}
