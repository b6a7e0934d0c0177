//! Random evidence that owns its values.

use consilience::{Encoding, Evidence, Form, Opinions};
use half::{bf16, f16};

/// A block of evidence, owned.
#[derive(Debug, Clone)]
pub struct Problem {
    pub classes: usize,
    pub planes: Vec<Plane>,
    pub presence: Vec<Option<Vec<bool>>>,
    pub confidence: Vec<Option<Vec<f32>>>,
}

/// What one source says of all items.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    pub form: Form,
    pub values: Values,
}

/// Numbers as they lie in memory.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    Bf16(Vec<bf16>),
    F16(Vec<f16>),
    U8(Vec<u8>),
    U16(Vec<u16>),
}

/// Every form there is.
pub const FORMS: [Form; 11] = [
    Form::F32(Encoding::Probabilities),
    Form::LabelsU8,
    Form::F32(Encoding::Logits),
    Form::ProbabilitiesBf16,
    Form::LabelsU16,
    Form::QuantisedU8,
    Form::F32(Encoding::LogProbabilities),
    Form::LogitsBf16,
    Form::ProbabilitiesF16,
    Form::LogitsF16,
    Form::Binary,
];

/// A small generator (xorshift64*), so that a case is its seed and nothing else.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 24) as f32
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f32) as usize
    }

    /// So many numbers between the two given.
    pub fn list(&mut self, n: usize, from: f32, to: f32) -> Vec<f32> {
        (0..n).map(|_| from + (to - from) * self.unit()).collect()
    }

    /// A shuffle of `0..n`.
    pub fn shuffle(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        (1..n).rev().for_each(|i| order.swap(i, self.below(i + 1)));
        order
    }
}

impl Problem {
    /// Sources of f32 rows in one encoding.
    pub fn random(encoding: Encoding, sources: usize, items: usize, classes: usize, seed: u64) -> Self {
        Self::of(&vec![Form::F32(encoding); sources], items, classes, seed)
    }

    /// Sources each in another form, as far as the forms can hold so many classes; the seed says which comes first.
    pub fn mixed(sources: usize, items: usize, classes: usize, seed: u64) -> Self {
        let fit = |form: &Form| classes <= form.most_classes() && (*form != Form::Binary || classes == 2);
        let forms: Vec<Form> =
            FORMS.into_iter().filter(fit).cycle().skip(seed as usize % FORMS.len()).take(sources).collect();
        Self::of(&forms, items, classes, seed)
    }

    /// Rows from flat to certain, a few with exact zeros and ones; labels of which a tenth each are missing and abstained.
    pub fn of(forms: &[Form], items: usize, classes: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let planes = forms.iter().map(|&form| Plane::random(form, items, classes, &mut random)).collect();
        Self { classes, planes, presence: vec![None; forms.len()], confidence: vec![None; forms.len()] }
    }

    pub fn items(&self) -> usize {
        self.planes[0].opinions().len() / self.planes[0].form.values_per_item(self.classes)
    }

    /// Leaves out a third of the opinions of every source but the first, and every source of some items; what stands in
    /// their place is no opinion.
    pub fn with_holes(mut self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let nobody: Vec<bool> = (0..self.items()).map(|_| random.unit() < 0.1).collect();
        for source in 0..self.planes.len() {
            let share = if source == 0 { 0.0 } else { 0.33 };
            let present: Vec<bool> = nobody.iter().map(|nobody| !nobody && random.unit() >= share).collect();
            for item in (0..self.items()).filter(|&item| !present[item]) {
                self.planes[source].spoil(item, self.classes);
                if let Some(confidence) = &mut self.confidence[source] {
                    confidence[item] = f32::NAN;
                }
            }
            self.presence[source] = Some(present);
        }
        self
    }

    /// Gives every second source confidences of its own, some of them zero.
    pub fn with_confidences(mut self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        for source in (0..self.planes.len()).step_by(2) {
            let items = self.items();
            let given = (0..items).map(|_| if random.unit() < 0.1 { 0.0 } else { random.unit() });
            self.confidence[source] = Some(given.collect());
        }
        self
    }

    pub fn evidence(&self) -> Evidence<'_> {
        let opinions: Vec<Opinions<'_>> = self.planes.iter().map(Plane::opinions).collect();
        let mut evidence = Evidence::of(self.classes, &opinions).expect("planes of one length");
        for source in 0..self.planes.len() {
            if let Some(presence) = &self.presence[source] {
                evidence = evidence.with_presence(source, presence).expect("one entry per item");
            }
            if let Some(confidence) = &self.confidence[source] {
                evidence = evidence.with_confidence(source, confidence).expect("one entry per item");
            }
        }
        evidence
    }

    /// The items given, in their order, as a problem of their own.
    pub fn select(&self, items: &[usize]) -> Self {
        Self {
            classes: self.classes,
            planes: self.planes.iter().map(|plane| plane.select(items, self.classes)).collect(),
            presence: self.presence.iter().map(|p| p.as_ref().map(|p| picked(p, 1, items))).collect(),
            confidence: self.confidence.iter().map(|c| c.as_ref().map(|c| picked(c, 1, items))).collect(),
        }
    }

    /// The sources given, in their order.
    pub fn sources(&self, order: &[usize]) -> Self {
        Self {
            classes: self.classes,
            planes: order.iter().map(|&n| self.planes[n].clone()).collect(),
            presence: order.iter().map(|&n| self.presence[n].clone()).collect(),
            confidence: order.iter().map(|&n| self.confidence[n].clone()).collect(),
        }
    }

    /// The same with class `order[k]` in the place of class k.
    pub fn permuted(&self, order: &[usize]) -> Self {
        let planes = self.planes.iter().map(|plane| plane.permuted(order)).collect();
        Self { planes, ..self.clone() }
    }
}

impl Plane {
    fn random(form: Form, items: usize, classes: usize, random: &mut Random) -> Self {
        let mut values = match form {
            Form::F32(_) | Form::Binary => Values::F32(Vec::new()),
            Form::ProbabilitiesBf16 | Form::LogitsBf16 => Values::Bf16(Vec::new()),
            Form::ProbabilitiesF16 | Form::LogitsF16 => Values::F16(Vec::new()),
            Form::QuantisedU8 | Form::LabelsU8 => Values::U8(Vec::new()),
            Form::LabelsU16 => Values::U16(Vec::new()),
        };
        for _ in 0..items {
            let p = row(classes, random);
            let shift = if random.unit() < 0.5 { 0.0 } else { 40.0 * (random.unit() - 0.5) };
            let most = p.iter().copied().fold(0.0, f32::max);
            match &mut values {
                Values::F32(values) => match form {
                    Form::Binary => values.push(p[0]),
                    Form::F32(Encoding::Probabilities) => values.extend(p),
                    Form::F32(Encoding::LogProbabilities) => values.extend(p.iter().map(|p| p.ln())),
                    _ => values.extend(p.iter().map(|p| p.ln() + shift)),
                },
                Values::Bf16(values) if form == Form::LogitsBf16 => {
                    values.extend(p.iter().map(|p| bf16::from_f32(p.ln() + shift)));
                }
                Values::Bf16(values) => values.extend(p.into_iter().map(bf16::from_f32)),
                Values::F16(values) if form == Form::LogitsF16 => {
                    values.extend(p.iter().map(|p| f16::from_f32(p.ln() + shift)));
                }
                Values::F16(values) => values.extend(p.into_iter().map(f16::from_f32)),
                Values::U8(values) if form == Form::QuantisedU8 => {
                    values.extend(p.iter().map(|p| (255.0 * p / most).round() as u8));
                }
                Values::U8(values) => values.push(match label(&p, random) {
                    Label::Missing => consilience::MISSING_U8,
                    Label::Abstained => consilience::ABSTAINED_U8,
                    Label::Class(k) => k as u8,
                }),
                Values::U16(values) => values.push(match label(&p, random) {
                    Label::Missing => consilience::MISSING_U16,
                    Label::Abstained => consilience::ABSTAINED_U16,
                    Label::Class(k) => k as u16,
                }),
            }
        }
        Self { form, values }
    }

    pub fn opinions(&self) -> Opinions<'_> {
        match (&self.values, self.form) {
            (Values::F32(values), Form::F32(encoding)) => Opinions::encoded(encoding, values),
            (Values::F32(values), _) => Opinions::Binary(values),
            (Values::Bf16(values), Form::LogitsBf16) => Opinions::LogitsBf16(values),
            (Values::Bf16(values), _) => Opinions::ProbabilitiesBf16(values),
            (Values::F16(values), Form::LogitsF16) => Opinions::LogitsF16(values),
            (Values::F16(values), _) => Opinions::ProbabilitiesF16(values),
            (Values::U8(values), Form::QuantisedU8) => Opinions::QuantisedU8(values),
            (Values::U8(values), _) => Opinions::LabelsU8(values),
            (Values::U16(values), _) => Opinions::LabelsU16(values),
        }
    }

    /// The values of a plane in f32.
    pub fn f32s(&self) -> &[f32] {
        match &self.values {
            Values::F32(values) => values,
            other => panic!("no f32: {other:?}"),
        }
    }

    /// The same, to be changed.
    pub fn f32s_mut(&mut self) -> &mut [f32] {
        match &mut self.values {
            Values::F32(values) => values,
            other => panic!("no f32: {other:?}"),
        }
    }

    /// Puts something in an item's place that is no opinion in any form.
    fn spoil(&mut self, item: usize, classes: usize) {
        let each = self.form.values_per_item(classes);
        let at = item * each..(item + 1) * each;
        match &mut self.values {
            Values::F32(values) => values[at].fill(f32::NAN),
            Values::Bf16(values) => values[at].fill(bf16::NAN),
            Values::F16(values) => values[at].fill(f16::NAN),
            Values::U8(values) => values[at].fill(if self.form.is_label() { 253 } else { 0 }),
            Values::U16(values) => values[at].fill(u16::MAX - 2),
        }
    }

    fn select(&self, items: &[usize], classes: usize) -> Self {
        let each = self.form.values_per_item(classes);
        let values = match &self.values {
            Values::F32(values) => Values::F32(picked(values, each, items)),
            Values::Bf16(values) => Values::Bf16(picked(values, each, items)),
            Values::F16(values) => Values::F16(picked(values, each, items)),
            Values::U8(values) => Values::U8(picked(values, each, items)),
            Values::U16(values) => Values::U16(picked(values, each, items)),
        };
        Self { form: self.form, values }
    }

    fn permuted(&self, order: &[usize]) -> Self {
        fn rows<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
            values.chunks(order.len()).flat_map(|row| order.iter().map(|&k| row[k])).collect()
        }
        let moved = |label: usize| order.iter().position(|&k| k == label).unwrap_or(label);
        let values = match &self.values {
            Values::F32(values) if self.form == Form::Binary => {
                Values::F32(values.iter().map(|x| if order[0] == 0 { *x } else { 1.0 - x }).collect())
            }
            Values::F32(values) => Values::F32(rows(values, order)),
            Values::Bf16(values) => Values::Bf16(rows(values, order)),
            Values::F16(values) => Values::F16(rows(values, order)),
            Values::U8(values) if self.form == Form::LabelsU8 => {
                Values::U8(values.iter().map(|&label| moved(label.into()) as u8).collect())
            }
            Values::U8(values) => Values::U8(rows(values, order)),
            Values::U16(values) => Values::U16(values.iter().map(|&label| moved(label.into()) as u16).collect()),
        };
        Self { form: self.form, values }
    }
}

enum Label {
    Missing,
    Abstained,
    Class(usize),
}

/// The likeliest class more often than any.
fn label(p: &[f32], random: &mut Random) -> Label {
    match random.unit() {
        x if x < 0.1 => Label::Missing,
        x if x < 0.2 => Label::Abstained,
        x if x < 0.5 => Label::Class(random.below(p.len())),
        _ => Label::Class((0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best })),
    }
}

/// A distribution.
fn row(classes: usize, random: &mut Random) -> Vec<f32> {
    let sharpness = 12.0 * random.unit() * random.unit();
    let mut row: Vec<f32> = (0..classes).map(|_| (sharpness * random.unit()).exp()).collect();
    if random.unit() < 0.05 {
        let certain = random.below(classes);
        row.iter_mut().enumerate().for_each(|(k, x)| *x = if k == certain { 1.0 } else { 0.0 });
    }
    let sum: f64 = row.iter().map(|&x| f64::from(x)).sum();
    row.iter().map(|&x| (f64::from(x) / sum) as f32).collect()
}

/// Rows of `each` values, the items given in their order.
fn picked<T: Copy>(values: &[T], each: usize, items: &[usize]) -> Vec<T> {
    items.iter().flat_map(|item| &values[item * each..][..each]).copied().collect()
}
