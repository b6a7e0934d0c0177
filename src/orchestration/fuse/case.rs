//! One item's opinions, checked.

use std::slice;
use std::sync::Arc;

use crate::error::{EvidenceError, InvalidOpinion, InvalidReason, Result};
use crate::orchestration::Opinion;
use crate::spec::{Fusion, OnInvalid};
use crate::tensor::{ABSTAINED_U16, Evidence, MISSING_U16, Opinions, SUM_TOLERANCE};

/// What all sources say of one item, and how it is to be fused. Its opinions are valid, as far as its fusion asks for that.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    fusion: Arc<Fusion>,
    classes: usize,
    opinions: Vec<Option<Opinion>>,
}

impl Case {
    /// One opinion for each source of the fusion, `None` where the source is missing. What an opinion says is checked unless
    /// the fusion's [`on_invalid`](Fusion::on_invalid) says what becomes of invalid ones.
    ///
    /// # Errors
    ///
    /// No sources or no classes, more classes than labels can name, an opinion of another length than there are classes, a
    /// label that names no class, or an opinion that is not valid.
    pub fn new(fusion: Arc<Fusion>, classes: usize, opinions: Vec<Option<Opinion>>) -> Result<Self> {
        let case = Self { fusion, classes, opinions };
        for (source, opinion) in case.opinions.iter().enumerate() {
            case.check_shape(source, opinion.as_ref())?;
        }
        case.with_evidence(|evidence| case.check_values(evidence))??;
        Ok(case)
    }

    /// How it is to be fused.
    #[must_use]
    pub const fn fusion(&self) -> &Arc<Fusion> {
        &self.fusion
    }

    /// Over how many classes.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// What each source says.
    #[must_use]
    pub fn opinions(&self) -> &[Option<Opinion>] {
        &self.opinions
    }

    /// What it holds in memory; the fusion is shared.
    pub(super) fn bytes(&self) -> usize {
        let values = |opinion: &Option<Opinion>| match opinion {
            Some(Opinion::Probabilities(v) | Opinion::LogProbabilities(v) | Opinion::Logits(v)) => v.len(),
            _ => 0,
        };
        let values: usize = self.opinions.iter().map(values).sum();
        size_of::<Self>() + size_of::<Option<Opinion>>() * self.opinions.len() + size_of::<f32>() * values
    }

    /// The case as evidence of one item, which borrows the opinions.
    pub(crate) fn with_evidence<T>(&self, read: impl FnOnce(&Evidence<'_>) -> T) -> Result<T> {
        let planes: Vec<_> = self.opinions.iter().map(|opinion| plane(opinion.as_ref())).collect();
        let mut evidence = Evidence::of(self.classes, &planes)?;
        for (source, opinion) in self.opinions.iter().enumerate() {
            if let Some(Opinion::Label { confidence: Some(confidence), .. }) = opinion {
                evidence = evidence.with_confidence(source, slice::from_ref(confidence))?;
            }
        }
        Ok(read(&evidence))
    }

    /// Whether the opinion has a value for each class, or names one of them; the code of a label that was not given is no
    /// class.
    fn check_shape(&self, source: usize, opinion: Option<&Opinion>) -> Result<()> {
        let classes = self.classes;
        match opinion {
            Some(Opinion::Probabilities(v) | Opinion::LogProbabilities(v) | Opinion::Logits(v))
                if v.len() != classes =>
            {
                let what = format!("the opinion of source {source}");
                Err(EvidenceError::ShapeMismatch { what, left: classes, right: v.len() }.into())
            }
            Some(&Opinion::Label { class, .. }) if usize::from(class) >= classes && classes > 0 => {
                let reason = InvalidReason::NoSuchClass { classes };
                let invalid = InvalidOpinion { source, item: 0, class: None, value: f32::from(class), reason };
                Err(EvidenceError::Invalid(invalid).into())
            }
            _ => Ok(()),
        }
    }

    fn check_values(&self, evidence: &Evidence<'_>) -> Result<()> {
        if self.fusion.on_invalid != OnInvalid::Error {
            return Ok(());
        }
        let mut row = Vec::new();
        for (source, opinion) in self.opinions.iter().enumerate() {
            if !opinion.as_ref().is_none_or(is_plainly_valid) {
                row.resize(self.classes, 0.0);
                evidence.opinion(source, 0, &mut row)?;
            }
        }
        Ok(())
    }
}

/// Whether an opinion is valid at first sight; the evidence tells what is wrong with others, if anything is. A row has as
/// many values as there are classes, and a label names one.
fn is_plainly_valid(opinion: &Opinion) -> bool {
    let is_share = |p: f32| (0.0..=1.0).contains(&p);
    match opinion {
        Opinion::Probabilities(row) => {
            row.iter().all(|&p| is_share(p)) && (row.iter().sum::<f32>() - 1.0).abs() <= SUM_TOLERANCE
        }
        Opinion::LogProbabilities(_) => false,
        Opinion::Logits(row) => row.iter().all(|l| l.is_finite()),
        Opinion::Label { confidence, .. } => confidence.is_none_or(is_share),
        &Opinion::Binary(p) => is_share(p),
        Opinion::Abstained => true,
    }
}

/// One opinion as the plane of a source on one item. A source without an opinion has no form of its own; a label's code
/// says so in any fusion.
fn plane(opinion: Option<&Opinion>) -> Opinions<'_> {
    match opinion {
        Some(Opinion::Probabilities(values)) => Opinions::Probabilities(values),
        Some(Opinion::LogProbabilities(values)) => Opinions::LogProbabilities(values),
        Some(Opinion::Logits(values)) => Opinions::Logits(values),
        Some(Opinion::Label { class, .. }) => Opinions::LabelsU16(slice::from_ref(class)),
        Some(Opinion::Binary(p)) => Opinions::Binary(slice::from_ref(p)),
        Some(Opinion::Abstained) => Opinions::LabelsU16(&[ABSTAINED_U16]),
        None => Opinions::LabelsU16(&[MISSING_U16]),
    }
}
