//! A dense block of opinions, N sources x B items x C classes, borrowed from the caller.

use crate::error::{EvidenceError, InvalidOpinion, InvalidReason, Result};
use crate::tensor::Outline;
use crate::tensor::opinions::{ABSTAINED_U8, ABSTAINED_U16, Encoding, Form, MISSING_U8, MISSING_U16, Opinions};

/// How far a row of probabilities may sum from one and still count as a distribution.
pub const SUM_TOLERANCE: f32 = 1e-3;

/// The same for rows in bf16, whose values are rounded to 8 bits: 2^-8.
pub const SUM_TOLERANCE_BF16: f32 = 0.003_906_25;

/// The same for rows in f16, 2^-9: 1e-3, the rounding of values to 11 bits, 2^-11, and that of values below 2^-14, of which
/// each may be off by 2^-25.
pub const SUM_TOLERANCE_F16: f32 = 0.001_953_125;

/// What became of asking one source about one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It was not asked.
    Missing,
    /// It was asked and declined to say: evidence, but no opinion.
    Abstained,
    /// It gave an opinion.
    Given,
}

/// Evidence: what N sources say of B items over C classes, with optional presence and given confidences.
///
/// Sources need not lie side by side, nor come in one form; nothing is copied.
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
///
/// *A model's logits beside a person's labels, who did not see the second item and declined the third.*
///
/// ```
/// use consilience::{ABSTAINED_U8, Engine, Evidence, Fusion, MISSING_U8, Opinions, Rule};
///
/// let model = [2.0, 0.0, -1.0, 3.0, 0.5, 0.0];
/// let person = [1, MISSING_U8, ABSTAINED_U8];
/// let sure = [0.95, 0.0, 0.0];
/// let evidence = Evidence::of(2, &[Opinions::Logits(&model), Opinions::LabelsU8(&person)])?.with_confidence(1, &sure)?;
/// let fused = Engine::cpu()?.fuse(&Fusion::new(Rule::LogPool), &evidence)?;
/// assert_eq!(fused.decision(), [1, 1, 0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    items: usize,
    classes: usize,
    planes: Vec<Plane<'a>>,
}

/// What one source says of all items.
#[derive(Debug, Clone, Copy)]
struct Plane<'a> {
    opinions: Opinions<'a>,
    presence: Option<&'a [bool]>,
    confidence: Option<&'a [f32]>,
}

impl<'a> Evidence<'a> {
    /// Evidence of sources in the forms given, over `classes` classes.
    ///
    /// # Errors
    ///
    /// No sources, no classes, a source that is no whole number of items, sources of different numbers of items, or a form
    /// that cannot hold so many classes: labels in 8 bits up to 254, in 16 bits up to 65,534, binary ones exactly 2.
    pub fn of(classes: usize, sources: &[Opinions<'a>]) -> Result<Self> {
        let first = sources.first().ok_or(EvidenceError::NoSources)?;
        if classes == 0 {
            return Err(EvidenceError::NoClasses.into());
        }
        let items = first.len() / first.form().values_per_item(classes);
        for (source_index, opinions) in sources.iter().enumerate() {
            let (form, len) = (opinions.form(), opinions.len());
            let each = form.values_per_item(classes);
            if classes > form.most_classes() || (form == Form::Binary && classes != 2) {
                let (form, most) = (form.to_string(), form.most_classes());
                return Err(EvidenceError::Form { source_index, form, classes, most }.into());
            }
            if len % each != 0 {
                return Err(EvidenceError::RaggedPlane { source_index, len, classes }.into());
            }
            EvidenceError::check_len(format_args!("the plane of source {source_index}"), items * each, len)?;
        }
        let (n, limit) = (sources.len(), "items and sources x classes must each stay below 2^31");
        if items >= 1 << 31 || n.saturating_mul(classes) >= 1 << 31 {
            return Err(EvidenceError::TooLarge { sources: n, items, classes, limit }.into());
        }
        let plane = |&opinions| Plane { opinions, presence: None, confidence: None };
        Ok(Self { items, classes, planes: sources.iter().map(plane).collect() })
    }

    /// Evidence in one encoding: one plane of `items * classes` values per source.
    ///
    /// # Errors
    ///
    /// No planes, no classes, a plane that is no whole number of rows, or planes of different lengths.
    pub fn new(encoding: Encoding, classes: usize, planes: &[&'a [f32]]) -> Result<Self> {
        let sources: Vec<_> = planes.iter().map(|values| Opinions::encoded(encoding, values)).collect();
        Self::of(classes, &sources)
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

    /// Gives the source's own confidences in [0, 1], one per item, in place of the largest probability of each row. A hard
    /// label has its confidence for its probability, too.
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
        Ok(EvidenceError::check_len(format_args!("the {what} of source {source}"), self.items, len)?)
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

    /// What a source says of all items; `None` for a source that there is not.
    #[must_use]
    pub fn opinions(&self, source: usize) -> Option<Opinions<'a>> {
        self.planes.get(source).map(|plane| plane.opinions)
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

    /// What one source says of one item, as probabilities in `row`, which has one entry per class. Where it says nothing
    /// `row` is left as it is.
    ///
    /// # Errors
    ///
    /// No such source or item, `row` of another length, or an opinion that is not valid.
    pub fn opinion(&self, source: usize, item: usize, row: &mut [f32]) -> Result<Answer> {
        self.check_per_item("opinion", source, self.items)?;
        if item >= self.items || row.len() != self.classes {
            let (what, left) =
                if item >= self.items { ("the list of items", self.items) } else { ("a row", self.classes) };
            let right = if item >= self.items { item + 1 } else { row.len() };
            return Err(EvidenceError::ShapeMismatch { what: what.to_owned(), left, right }.into());
        }
        let answer = self.answer(source, item);
        if answer == Answer::Given {
            if let Some(invalid) = self.fault(source, item) {
                return Err(EvidenceError::Invalid(invalid).into());
            }
            self.write_probabilities(source, item, row);
        }
        Ok(answer)
    }

    /// Whether the source was asked about the item and answered.
    #[must_use]
    pub fn answer(&self, source: usize, item: usize) -> Answer {
        let Some(plane) = self.planes.get(source) else { return Answer::Missing };
        if item >= self.items || plane.presence.is_some_and(|present| !present[item]) {
            return Answer::Missing;
        }
        match plane.opinions {
            Opinions::LabelsU8(labels) if labels[item] == MISSING_U8 => Answer::Missing,
            Opinions::LabelsU8(labels) if labels[item] == ABSTAINED_U8 => Answer::Abstained,
            Opinions::LabelsU16(labels) if labels[item] == MISSING_U16 => Answer::Missing,
            Opinions::LabelsU16(labels) if labels[item] == ABSTAINED_U16 => Answer::Abstained,
            _ => Answer::Given,
        }
    }

    /// The class that a source votes for: its label, or the lowest class of its largest value. `None` where it gave no
    /// opinion, or there is no such source or item. Values are not checked.
    #[must_use]
    pub fn vote(&self, source: usize, item: usize) -> Option<usize> {
        if self.answer(source, item) != Answer::Given {
            return None;
        }
        let largest = |best: usize, class: usize| {
            if self.value(source, item, class) > self.value(source, item, best) { class } else { best }
        };
        Some(self.label(source, item).unwrap_or_else(|| (1..self.classes).fold(0, largest)))
    }

    /// The class that a source votes for by a hard label, where it is one.
    fn label(&self, source: usize, item: usize) -> Option<usize> {
        match self.planes[source].opinions {
            Opinions::LabelsU8(labels) => Some(usize::from(labels[item])),
            Opinions::LabelsU16(labels) => Some(usize::from(labels[item])),
            _ => None,
        }
    }

    /// The probabilities of a valid opinion.
    fn write_probabilities(&self, source: usize, item: usize, row: &mut [f32]) {
        if let Some(label) = self.label(source, item) {
            let c = self.planes[source].confidence.map_or(1.0, |confidence| confidence[item]);
            row.fill((1.0 - c) / (self.classes.max(2) - 1) as f32);
            row[label] = if self.classes == 1 { 1.0 } else { c };
            return;
        }
        for (class, p) in row.iter_mut().enumerate() {
            *p = self.value(source, item, class);
        }
        match self.planes[source].opinions.form() {
            Form::F32(Encoding::Probabilities) | Form::Binary | Form::LabelsU8 | Form::LabelsU16 => {}
            Form::F32(Encoding::LogProbabilities) => row.iter_mut().for_each(|p| *p = p.exp()),
            Form::ProbabilitiesBf16 | Form::ProbabilitiesF16 | Form::QuantisedU8 => divide_by_sum(row),
            Form::F32(Encoding::Logits) | Form::LogitsBf16 | Form::LogitsF16 => {
                let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                row.iter_mut().for_each(|p| *p = (*p - most).exp());
                divide_by_sum(row);
            }
        }
    }

    /// One number of a row as it stands, widened to f32; of a binary opinion, of either class.
    fn value(&self, source: usize, item: usize, class: usize) -> f32 {
        let at = item * self.classes + class;
        match self.planes[source].opinions {
            Opinions::Probabilities(v) | Opinions::LogProbabilities(v) | Opinions::Logits(v) => v[at],
            Opinions::ProbabilitiesBf16(v) | Opinions::LogitsBf16(v) => v[at].to_f32(),
            Opinions::ProbabilitiesF16(v) | Opinions::LogitsF16(v) => v[at].to_f32(),
            Opinions::QuantisedU8(v) => f32::from(v[at]),
            Opinions::Binary(v) if class == 0 => v[item],
            Opinions::Binary(v) => 1.0 - v[item],
            Opinions::LabelsU8(v) => f32::from(v[item]),
            Opinions::LabelsU16(v) => f32::from(v[item]),
        }
    }

    /// What is said of the first of the items.
    pub(crate) fn first(&self, items: usize) -> Self {
        let items = items.min(self.items);
        let plane = |plane: &Plane<'a>| Plane {
            opinions: Opinions::of_bytes(plane.opinions.form(), plane.opinions.bytes(0..items, self.classes)),
            presence: plane.presence.map(|presence| &presence[..items]),
            confidence: plane.confidence.map(|confidence| &confidence[..items]),
        };
        Self { items, classes: self.classes, planes: self.planes.iter().map(plane).collect() }
    }

    /// The same without the values.
    pub(crate) fn outline(&self) -> Outline {
        Outline {
            items: self.items,
            classes: self.classes,
            forms: self.planes.iter().map(|plane| plane.opinions.form()).collect(),
            presence: self.planes.iter().any(|plane| plane.presence.is_some()),
            confidence: self.planes.iter().any(|plane| plane.confidence.is_some()),
        }
    }

    /// What is wrong with the item, by the kernels' own measure: the first source and class at fault.
    ///
    /// A kernel that sums in another order may reject a row that this sum still accepts by a rounding; then the row
    /// that is farthest from one is named.
    pub(crate) fn diagnose(&self, item: usize) -> InvalidOpinion {
        let reason = InvalidReason::SumNotOne { tolerance: SUM_TOLERANCE };
        let mut farthest = InvalidOpinion { source: 0, item, class: None, value: 1.0, reason };
        for source in 0..self.sources() {
            if let Some(invalid) = self.fault(source, item) {
                return invalid;
            }
            let sum = self.sum(source, item);
            if (sum - 1.0).abs() > (farthest.value - 1.0).abs() {
                farthest = InvalidOpinion { source, value: sum, ..farthest };
            }
        }
        farthest
    }

    /// What is wrong with one source's opinion on the item, if it has one.
    fn fault(&self, source: usize, item: usize) -> Option<InvalidOpinion> {
        if self.answer(source, item) != Answer::Given {
            return None;
        }
        let invalid = |class, value, reason| Some(InvalidOpinion { source, item, class, value, reason });
        let form = self.planes[source].opinions.form();
        if let Some(label) = self.label(source, item) {
            if label >= self.classes {
                return invalid(None, label as f32, InvalidReason::NoSuchClass { classes: self.classes });
            }
        } else {
            for class in 0..self.classes {
                let value = self.value(source, item, class);
                if let Some(reason) = reason(form, value) {
                    return invalid(Some(class), value, reason);
                }
            }
        }
        let sum = self.sum(source, item);
        let tolerance = match form {
            Form::ProbabilitiesBf16 => SUM_TOLERANCE_BF16,
            Form::ProbabilitiesF16 => SUM_TOLERANCE_F16,
            _ => SUM_TOLERANCE,
        };
        if (sum - 1.0).abs() > tolerance {
            return invalid(None, sum, InvalidReason::SumNotOne { tolerance });
        }
        let value = self.planes[source].confidence?[item];
        share(value).and_then(|reason| invalid(None, value, reason))
    }

    /// What one source's row on the item sums to, as probabilities; 1 where it has none, and where any sum is as good.
    fn sum(&self, source: usize, item: usize) -> f32 {
        if self.answer(source, item) != Answer::Given {
            return 1.0;
        }
        let values = || (0..self.classes).map(|class| self.value(source, item, class));
        let is_any = |is_something: bool| if is_something { 1.0 } else { 0.0 };
        match self.planes[source].opinions.form() {
            Form::F32(Encoding::Probabilities) | Form::ProbabilitiesBf16 | Form::ProbabilitiesF16 => values().sum(),
            Form::F32(Encoding::LogProbabilities) => values().map(f32::exp).sum(),
            Form::F32(Encoding::Logits) | Form::LogitsBf16 | Form::LogitsF16 => {
                is_any(values().any(|l| l != f32::NEG_INFINITY))
            }
            Form::QuantisedU8 => is_any(values().any(|q| q > 0.0)),
            Form::Binary | Form::LabelsU8 | Form::LabelsU16 => 1.0,
        }
    }
}

fn divide_by_sum(row: &mut [f32]) {
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
}

/// Why a value cannot stand in a row of the form.
fn reason(form: Form, value: f32) -> Option<InvalidReason> {
    match form {
        _ if value.is_nan() => Some(InvalidReason::NotANumber),
        Form::F32(Encoding::Probabilities) | Form::ProbabilitiesBf16 | Form::ProbabilitiesF16 => match value {
            v if v < 0.0 => Some(InvalidReason::Negative),
            v if v.is_infinite() => Some(InvalidReason::Infinite),
            _ => None,
        },
        Form::Binary => share(value),
        _ if value == f32::INFINITY => Some(InvalidReason::Infinite),
        _ => None,
    }
}

/// Why a value is no share of one.
fn share(value: f32) -> Option<InvalidReason> {
    match value {
        v if v.is_nan() => Some(InvalidReason::NotANumber),
        v if v < 0.0 => Some(InvalidReason::Negative),
        v if v > 1.0 => Some(InvalidReason::AboveOne),
        _ => None,
    }
}
