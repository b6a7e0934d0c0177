//! Evidence that owns its values.

use half::bf16;

use crate::error::{EvidenceError, Result};
use crate::tensor::{Evidence, Form, Opinions};

/// Evidence that owns its values: a copy of a caller's, what comes back from a device, or memory that is filled again and
/// again by whoever reads evidence piece by piece.
///
/// # Examples
///
/// *A model's probabilities and a person's labels, filled in; then one item in the same memory.*
///
/// ```
/// use consilience::{Encoding, Engine, Form, Fusion, MISSING_U8, OwnedEvidence};
///
/// let mut evidence = OwnedEvidence::default();
/// evidence.reshape(2, 3, &[Form::F32(Encoding::Probabilities), Form::LabelsU8])?;
/// evidence.f32s_mut(0).unwrap().copy_from_slice(&[0.9, 0.1, 0.4, 0.6, 0.5, 0.5]);
/// evidence.u8s_mut(1).unwrap().copy_from_slice(&[0, 1, MISSING_U8]);
/// let (engine, fusion) = (Engine::cpu()?, Fusion::default());
/// assert_eq!(engine.fuse(&fusion, &evidence.evidence()?)?.decision(), [0, 1, 0]);
///
/// let bytes = evidence.bytes();
/// evidence.reshape(2, 1, &[Form::F32(Encoding::Probabilities), Form::LabelsU8])?;
/// assert_eq!((evidence.evidence()?.items(), evidence.bytes()), (1, bytes));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OwnedEvidence {
    classes: usize,
    planes: Vec<OwnedPlane>,
    spare: Spare,
}

/// What one source says of all items.
#[derive(Debug, Clone)]
pub(crate) struct OwnedPlane {
    pub form: Form,
    /// Words, so that values of any form lie where they may.
    pub words: Vec<u32>,
    /// How many bytes of the words are values.
    pub bytes: usize,
    pub presence: Option<Vec<bool>>,
    pub confidence: Option<Vec<f32>>,
}

/// Memory of planes that are not there now. Last in, first out: the source that gave it gets it again.
#[derive(Debug, Clone, Default)]
struct Spare {
    words: Vec<Vec<u32>>,
    presence: Vec<Vec<bool>>,
    confidence: Vec<Vec<f32>>,
}

impl OwnedEvidence {
    /// Of these planes, over so many classes.
    pub(crate) fn new(classes: usize, planes: Vec<OwnedPlane>) -> Self {
        Self { classes, planes, spare: Spare::default() }
    }

    /// A copy of some of the sources.
    pub(crate) fn select(&self, sources: &[usize]) -> Self {
        let planes = sources.iter().filter_map(|&source| self.planes.get(source).cloned()).collect();
        Self::new(self.classes, planes)
    }

    /// A copy.
    pub(crate) fn of(evidence: &Evidence<'_>) -> Self {
        let plane = |source: usize| {
            let opinions = evidence.opinions(source)?;
            let bytes = opinions.bytes(0..evidence.items(), evidence.classes());
            Some(OwnedPlane {
                form: opinions.form(),
                words: words(bytes),
                bytes: bytes.len(),
                presence: evidence.presence(source).map(<[bool]>::to_vec),
                confidence: evidence.confidence(source).map(<[f32]>::to_vec),
            })
        };
        Self::new(evidence.classes(), (0..evidence.sources()).filter_map(plane).collect())
    }

    /// Room for what sources of these forms say of so many items over so many classes, in the memory there is as far as it
    /// goes. Values are to be written: they are zero, or what was there before. No source has a presence mask or
    /// confidences.
    ///
    /// # Errors
    ///
    /// More than the engine's indices hold. Whatever else makes no evidence, [`OwnedEvidence::evidence`] finds.
    pub fn reshape(&mut self, classes: usize, items: usize, forms: &[Form]) -> Result<()> {
        let most = |form: &Form| form.bytes_per_item(1).checked_mul(classes)?.checked_mul(items);
        let fits = |form: &Form| most(form).is_some_and(|bytes| bytes < 1 << 40);
        if items >= 1 << 31 || forms.len().saturating_mul(classes) >= 1 << 31 || !forms.iter().all(fits) {
            let limit = "items and sources x classes must each stay below 2^31, and a source below 1 TiB";
            return Err(EvidenceError::TooLarge { sources: forms.len(), items, classes, limit }.into());
        }
        self.clear();
        self.classes = classes;
        for &form in forms {
            let bytes = items * form.bytes_per_item(classes);
            let words = resized(self.spare.words.pop(), bytes.div_ceil(4), 0);
            self.planes.push(OwnedPlane { form, words, bytes, presence: None, confidence: None });
        }
        Ok(())
    }

    /// Leaves no source, and keeps the memory.
    pub fn clear(&mut self) {
        for plane in self.planes.drain(..).rev() {
            self.spare.words.push(plane.words);
            self.spare.presence.extend(plane.presence);
            self.spare.confidence.extend(plane.confidence);
        }
    }

    /// Copies evidence into the memory there is, as far as it goes.
    ///
    /// # Errors
    ///
    /// As [`OwnedEvidence::reshape`].
    pub fn copy_from(&mut self, evidence: &Evidence<'_>) -> Result<()> {
        let outline = evidence.outline();
        self.reshape(outline.classes, outline.items, &outline.forms)?;
        for source in 0..self.planes.len() {
            if let Some(opinions) = evidence.opinions(source) {
                let plane = &mut self.planes[source];
                plane.values_mut().copy_from_slice(opinions.bytes(0..outline.items, outline.classes));
            }
            if let Some(from) = evidence.presence(source)
                && let Some(to) = self.presence_mut(source)
            {
                to.copy_from_slice(from);
            }
            if let Some(from) = evidence.confidence(source)
                && let Some(to) = self.confidence_mut(source)
            {
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }

    /// What a source says in f32, to be written: rows in any encoding, or binary opinions. `None` for another form, and for
    /// a source that there is not.
    pub fn f32s_mut(&mut self, source: usize) -> Option<&mut [f32]> {
        self.plane_mut(source, |form| matches!(form, Form::F32(_) | Form::Binary))
    }

    /// The same in bf16.
    pub fn bf16s_mut(&mut self, source: usize) -> Option<&mut [bf16]> {
        self.plane_mut(source, |form| matches!(form, Form::ProbabilitiesBf16 | Form::LogitsBf16))
    }

    /// The same in 8 bits: quantised rows, or labels.
    pub fn u8s_mut(&mut self, source: usize) -> Option<&mut [u8]> {
        self.plane_mut(source, |form| matches!(form, Form::QuantisedU8 | Form::LabelsU8))
    }

    /// The same in 16 bits: labels.
    pub fn u16s_mut(&mut self, source: usize) -> Option<&mut [u16]> {
        self.plane_mut(source, |form| form == Form::LabelsU16)
    }

    /// Which items a source was asked about, to be written; from the first call on it has a mask, of all items at first.
    /// `None` for a source that there is not.
    pub fn presence_mut(&mut self, source: usize) -> Option<&mut [bool]> {
        let (plane, spare) = (self.planes.get_mut(source)?, &mut self.spare.presence);
        let items = plane.items(self.classes);
        Some(plane.presence.get_or_insert_with(|| refilled(spare.pop(), items, true)))
    }

    /// A source's own confidences, to be written; from the first call on it has them, of 1 at first. `None` for a source
    /// that there is not.
    pub fn confidence_mut(&mut self, source: usize) -> Option<&mut [f32]> {
        let (plane, spare) = (self.planes.get_mut(source)?, &mut self.spare.confidence);
        let items = plane.items(self.classes);
        Some(plane.confidence.get_or_insert_with(|| refilled(spare.pop(), items, 1.0)))
    }

    /// The same, borrowed.
    ///
    /// # Errors
    ///
    /// As [`Evidence::of`].
    pub fn evidence(&self) -> Result<Evidence<'_>> {
        let opinions: Vec<_> = self.planes.iter().map(OwnedPlane::opinions).collect();
        let mut evidence = Evidence::of(self.classes, &opinions)?;
        for (source, plane) in self.planes.iter().enumerate() {
            if let Some(presence) = &plane.presence {
                evidence = evidence.with_presence(source, presence)?;
            }
            if let Some(confidence) = &plane.confidence {
                evidence = evidence.with_confidence(source, confidence)?;
            }
        }
        Ok(evidence)
    }

    /// The memory it holds for values, masks and confidences, in bytes, used or not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let planes = self.planes.iter();
        let words = planes.clone().map(|plane| &plane.words).chain(&self.spare.words).map(Vec::capacity);
        let presence = planes.clone().filter_map(|plane| plane.presence.as_ref()).chain(&self.spare.presence);
        let confidence = planes.filter_map(|plane| plane.confidence.as_ref()).chain(&self.spare.confidence);
        let presence = presence.map(Vec::capacity).sum::<usize>();
        4 * words.sum::<usize>() + presence + 4 * confidence.map(Vec::capacity).sum::<usize>()
    }

    fn plane_mut<T: bytemuck::Pod>(&mut self, source: usize, holds: impl Fn(Form) -> bool) -> Option<&mut [T]> {
        let plane = self.planes.get_mut(source).filter(|plane| holds(plane.form))?;
        Some(bytemuck::cast_slice_mut(plane.values_mut()))
    }
}

impl OwnedPlane {
    fn opinions(&self) -> Opinions<'_> {
        Opinions::of_bytes(self.form, &bytemuck::cast_slice(&self.words)[..self.bytes])
    }

    fn values_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.bytes]
    }

    fn items(&self, classes: usize) -> usize {
        self.bytes / self.form.bytes_per_item(classes).max(1)
    }
}

/// Bytes as whole words, the last filled up with zeros.
pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
    let mut words = vec![0; bytes.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    words
}

/// Memory of this length and no more than it needs, which holds what it held as far as it goes.
fn resized<T: Copy>(memory: Option<Vec<T>>, len: usize, value: T) -> Vec<T> {
    let mut memory = memory.unwrap_or_default();
    memory.reserve_exact(len.saturating_sub(memory.len()));
    memory.resize(len, value);
    memory
}

/// The same, holding one value throughout.
fn refilled<T: Copy>(memory: Option<Vec<T>>, len: usize, value: T) -> Vec<T> {
    let mut memory = resized(memory, len, value);
    memory.fill(value);
    memory
}
