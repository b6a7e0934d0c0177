//! What one source says of one item.

use std::slice;

use serde::{Deserialize, Serialize};

use crate::error::{InvalidOpinion, Result, SourceError};
use crate::orchestration::distribution::likeliest;
use crate::tensor::{ABSTAINED_U16, Evidence, Opinions};

/// What a source says of the one item it was asked about, over C classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Opinion {
    /// Probabilities, C of them, summing to one within [`SUM_TOLERANCE`](crate::SUM_TOLERANCE).
    Probabilities(Vec<f32>),
    /// Natural logarithms of probabilities, C of them.
    LogProbabilities(Vec<f32>),
    /// Logits, C of them.
    Logits(Vec<f32>),
    /// One class, with a probability of `confidence` (1 where none is given); the other classes share the rest.
    Label {
        /// The class.
        class: u16,
        /// How sure the source is of it, in [0, 1].
        confidence: Option<f32>,
    },
    /// The probability of class 0 of two.
    Binary(f32),
    /// It declines to say: an answer, but no opinion.
    Abstained,
}

impl Opinion {
    /// A class without a confidence.
    #[must_use]
    pub const fn label(class: u16) -> Self {
        Self::Label { class, confidence: None }
    }

    /// The opinion as probabilities over `classes` classes; `None` where the source abstained.
    ///
    /// # Errors
    ///
    /// It is no valid opinion over so many classes: [`SourceError::Invalid`] says which value is wrong.
    pub fn probabilities(&self, classes: usize) -> Result<Option<Vec<f32>>, SourceError> {
        let mut row = vec![0.0; classes];
        self.write_probabilities(&mut row).map(|given| given.then_some(row))
    }

    /// Writes the probabilities to `row`, whose length is the number of classes; whether there are any.
    pub(crate) fn write_probabilities(&self, row: &mut [f32]) -> Result<bool, SourceError> {
        let classes = row.len();
        match self {
            Self::Abstained => return Ok(false),
            Self::Probabilities(values) | Self::LogProbabilities(values) | Self::Logits(values)
                if values.len() != classes =>
            {
                return invalid(format!("it has {} values where there are {classes} classes", values.len()));
            }
            Self::Label { class, .. } if usize::from(*class) >= classes => {
                return invalid(format!("it names class {class}; classes are 0 to {}", classes.saturating_sub(1)));
            }
            _ => {}
        }
        match self.with_evidence(classes, |evidence| evidence.opinion(0, 0, row)).and_then(|read| read) {
            Ok(_) => Ok(true),
            Err(error) => invalid(error.invalid_opinion().map_or_else(|| error.to_string(), place_in_row)),
        }
    }

    /// Probabilities that do not sum to one, divided by their sum, as [`OnInvalid::Renormalise`](crate::OnInvalid) asks;
    /// `None` where no division mends the opinion.
    pub(crate) fn renormalised(&self) -> Option<Self> {
        let shares: Vec<f32> = match self {
            Self::Probabilities(values) => values.clone(),
            Self::LogProbabilities(values) => values.iter().map(|log| log.exp()).collect(),
            _ => return None,
        };
        let sum: f32 = shares.iter().sum();
        let divisible = shares.iter().all(|&share| share >= 0.0) && (f32::MIN_POSITIVE..=f32::MAX).contains(&sum);
        divisible.then(|| Self::Probabilities(shares.iter().map(|share| share / sum).collect()))
    }

    /// The class it votes for, `row` being its probabilities: its label, or the lowest class of its largest value.
    pub(crate) fn vote(&self, row: &[f32]) -> usize {
        match self {
            Self::Label { class, .. } => usize::from(*class),
            _ => likeliest(row),
        }
    }

    /// The confidence given beside the opinion.
    pub(crate) fn given_confidence(&self) -> Option<f64> {
        match self {
            Self::Label { confidence, .. } => confidence.map(f64::from),
            _ => None,
        }
    }

    /// The opinion as evidence of one source on one item.
    fn with_evidence<T>(&self, classes: usize, read: impl FnOnce(&Evidence<'_>) -> T) -> Result<T> {
        let of = |opinions| Evidence::of(classes, &[opinions]);
        Ok(match self {
            Self::Probabilities(values) => read(&of(Opinions::Probabilities(values))?),
            Self::LogProbabilities(values) => read(&of(Opinions::LogProbabilities(values))?),
            Self::Logits(values) => read(&of(Opinions::Logits(values))?),
            Self::Label { class, confidence: None } => read(&of(Opinions::LabelsU16(slice::from_ref(class)))?),
            Self::Label { class, confidence: Some(c) } => {
                let label = of(Opinions::LabelsU16(slice::from_ref(class)))?;
                read(&label.with_confidence(0, slice::from_ref(c))?)
            }
            Self::Binary(p) => read(&of(Opinions::Binary(slice::from_ref(p)))?),
            Self::Abstained => read(&of(Opinions::LabelsU16(&[ABSTAINED_U16]))?),
        })
    }
}

fn invalid<T>(why: String) -> Result<T, SourceError> {
    Err(SourceError::Invalid { why })
}

fn place_in_row(opinion: &InvalidOpinion) -> String {
    match opinion.class {
        Some(class) => format!("class {class}: {}", opinion.fault()),
        None => opinion.fault(),
    }
}
