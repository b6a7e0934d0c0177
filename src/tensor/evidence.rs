//! A dense block of opinions, N sources x B items x C classes, borrowed from the caller.

use serde::{Deserialize, Serialize};

use crate::error::{EvidenceError, InvalidOpinion, InvalidReason, Result};

/// How far a row of probabilities may sum from one and still count as a distribution.
pub const SUM_TOLERANCE: f32 = 1e-3;

const NOT_ONE: InvalidReason = InvalidReason::SumNotOne { tolerance: SUM_TOLERANCE };

/// What the numbers of an opinion are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Probabilities: in [0, 1], each row summing to one within [`SUM_TOLERANCE`].
    #[default]
    Probabilities,
    /// Natural logarithms of probabilities; negative infinity is a probability of zero.
    LogProbabilities,
    /// Logits: any finite numbers, or negative infinity for an impossible class; softmax makes them probabilities.
    Logits,
}

impl Encoding {
    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probabilities => "probabilities",
            Self::LogProbabilities => "log_probabilities",
            Self::Logits => "logits",
        }
    }
}

/// Evidence: one plane of opinions per source, each row-major [B, C], with optional presence and given confidences.
///
/// Planes need not lie side by side; nothing is copied.
///
/// # Examples
///
/// *Two models on three items of two classes; the second was not asked about the last item.*
///
/// ```
/// use consilience::{Engine, Evidence, Fusion};
///
/// let a = [0.9, 0.1, 0.4, 0.6, 0.5, 0.5];
/// let b = [0.7, 0.3, 0.2, 0.8, 0.0, 0.0];
/// let present = [true, true, false];
/// let evidence = Evidence::probabilities(2, &[&a, &b])?.with_presence(1, &present)?;
/// let fused = Engine::cpu()?.fuse(&Fusion::default(), &evidence)?;
/// assert_eq!(fused.decision(), [0, 1, 0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    encoding: Encoding,
    items: usize,
    classes: usize,
    planes: Vec<Plane<'a>>,
}

/// What one source says of all items.
#[derive(Debug, Clone, Copy)]
struct Plane<'a> {
    values: &'a [f32],
    presence: Option<&'a [bool]>,
    confidence: Option<&'a [f32]>,
}

impl<'a> Evidence<'a> {
    /// Evidence in the encoding given: one plane of `items * classes` values per source.
    ///
    /// # Errors
    ///
    /// No planes, no classes, a plane that is no whole number of rows, or planes of different lengths.
    pub fn new(encoding: Encoding, classes: usize, planes: &[&'a [f32]]) -> Result<Self> {
        let first = planes.first().ok_or(EvidenceError::NoSources)?;
        if classes == 0 {
            return Err(EvidenceError::NoClasses.into());
        }
        for (source_index, plane) in planes.iter().enumerate() {
            if plane.len() % classes != 0 {
                return Err(EvidenceError::RaggedPlane { source_index, len: plane.len(), classes }.into());
            }
            if plane.len() != first.len() {
                let what = format!("the plane of source {source_index}");
                return Err(EvidenceError::ShapeMismatch { what, left: first.len(), right: plane.len() }.into());
            }
        }
        let items = first.len() / classes;
        let (sources, limit) = (planes.len(), "items and sources x classes must each stay below 2^31");
        if items >= 1 << 31 || sources.saturating_mul(classes) >= 1 << 31 {
            return Err(EvidenceError::TooLarge { sources, items, classes, limit }.into());
        }
        let planes = planes.iter().map(|&values| Plane { values, presence: None, confidence: None }).collect();
        Ok(Self { encoding, items, classes, planes })
    }

    /// [`Evidence::new`] with [`Encoding::Probabilities`].
    ///
    /// # Errors
    ///
    /// As [`Evidence::new`].
    pub fn probabilities(classes: usize, planes: &[&'a [f32]]) -> Result<Self> {
        Self::new(Encoding::Probabilities, classes, planes)
    }

    /// [`Evidence::new`] with [`Encoding::LogProbabilities`].
    ///
    /// # Errors
    ///
    /// As [`Evidence::new`].
    pub fn log_probabilities(classes: usize, planes: &[&'a [f32]]) -> Result<Self> {
        Self::new(Encoding::LogProbabilities, classes, planes)
    }

    /// [`Evidence::new`] with [`Encoding::Logits`].
    ///
    /// # Errors
    ///
    /// As [`Evidence::new`].
    pub fn logits(classes: usize, planes: &[&'a [f32]]) -> Result<Self> {
        Self::new(Encoding::Logits, classes, planes)
    }

    /// Says which items the source was asked about, one entry per item; what it says of the others is never read as an
    /// opinion and may be anything.
    ///
    /// # Errors
    ///
    /// No such source, or another length than the number of items.
    pub fn with_presence(mut self, source: usize, presence: &'a [bool]) -> Result<Self> {
        self.check_per_item("presence", source, presence.len())?;
        self.planes[source].presence = Some(presence);
        Ok(self)
    }

    /// Gives the source's own confidences in [0, 1], one per item, in place of the largest probability of each row.
    ///
    /// # Errors
    ///
    /// No such source, or another length than the number of items. Values are checked when they are fused.
    pub fn with_confidence(mut self, source: usize, confidence: &'a [f32]) -> Result<Self> {
        self.check_per_item("confidence", source, confidence.len())?;
        self.planes[source].confidence = Some(confidence);
        Ok(self)
    }

    fn check_per_item(&self, what: &str, source: usize, len: usize) -> Result<()> {
        if source >= self.sources() {
            let what = format!("the list of sources, for the {what} of source {source},");
            return Err(EvidenceError::ShapeMismatch { what, left: source + 1, right: self.sources() }.into());
        }
        if len != self.items {
            let what = format!("the {what} of source {source}");
            return Err(EvidenceError::ShapeMismatch { what, left: self.items, right: len }.into());
        }
        Ok(())
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.planes.len()
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What the numbers are.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What a source says of all items, [B, C]; empty for a source that there is not.
    #[must_use]
    pub fn plane(&self, source: usize) -> &'a [f32] {
        self.planes.get(source).map_or(&[], |plane| plane.values)
    }

    /// Which items a source was asked about; `None`: all.
    #[must_use]
    pub fn presence(&self, source: usize) -> Option<&'a [bool]> {
        self.planes.get(source)?.presence
    }

    /// A source's given confidences; `None`: the largest probability of each row.
    #[must_use]
    pub fn confidence(&self, source: usize) -> Option<&'a [f32]> {
        self.planes.get(source)?.confidence
    }

    /// Whether any source has a presence mask.
    pub(crate) fn has_presence(&self) -> bool {
        self.planes.iter().any(|plane| plane.presence.is_some())
    }

    /// Whether any source has given confidences.
    pub(crate) fn has_confidence(&self) -> bool {
        self.planes.iter().any(|plane| plane.confidence.is_some())
    }

    /// What is wrong with the item, by the kernels' own measure: the first source and class at fault.
    ///
    /// A kernel that sums in another order may reject a row that this sum still accepts by a rounding; then the row
    /// that is farthest from one is named.
    pub(crate) fn diagnose(&self, item: usize) -> InvalidOpinion {
        let mut farthest = InvalidOpinion { source: 0, item, class: None, value: 1.0, reason: NOT_ONE };
        for (source, plane) in self.planes.iter().enumerate() {
            if plane.presence.is_some_and(|present| !present[item]) {
                continue;
            }
            let row = &plane.values[item * self.classes..][..self.classes];
            for (class, &value) in row.iter().enumerate() {
                if let Some(reason) = self.reason(value) {
                    return InvalidOpinion { source, item, class: Some(class), value, reason };
                }
            }
            let sum = match self.encoding {
                Encoding::Probabilities => row.iter().sum::<f32>(),
                Encoding::LogProbabilities => row.iter().map(|l| l.exp()).sum(),
                Encoding::Logits if row.iter().all(|&l| l == f32::NEG_INFINITY) => 0.0,
                Encoding::Logits => 1.0,
            };
            let row_at_fault = InvalidOpinion { source, item, class: None, value: sum, reason: NOT_ONE };
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return row_at_fault;
            }
            if let Some(value) = plane.confidence.map(|confidence| confidence[item]) {
                let reason = match value {
                    v if v.is_nan() => Some(InvalidReason::NotANumber),
                    v if v < 0.0 => Some(InvalidReason::Negative),
                    v if v > 1.0 => Some(InvalidReason::AboveOne),
                    _ => None,
                };
                if let Some(reason) = reason {
                    return InvalidOpinion { source, item, class: None, value, reason };
                }
            }
            if (sum - 1.0).abs() > (farthest.value - 1.0).abs() {
                farthest = row_at_fault;
            }
        }
        farthest
    }

    fn reason(&self, value: f32) -> Option<InvalidReason> {
        match self.encoding {
            _ if value.is_nan() => Some(InvalidReason::NotANumber),
            Encoding::Probabilities if value < 0.0 => Some(InvalidReason::Negative),
            Encoding::Probabilities if value.is_infinite() => Some(InvalidReason::Infinite),
            _ if value == f32::INFINITY => Some(InvalidReason::Infinite),
            _ => None,
        }
    }
}
