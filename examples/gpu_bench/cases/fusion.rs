//! `fusion/pool` and `fusion/pool_wide`: every rule over f32 rows, and the linear pool over every form.
//!
//! Operations are counted from the formulas, about: an addition, a product, a comparison or a division is one, an exponential
//! 16, a logarithm 20.

use consilience::kernel::Kernel;
use consilience::{BeliefFusion, Encoding, Engine, Evidence, Form, Fused, Fusion, Opinions, Output, Rule};
use half::{bf16, f16};

use super::super::rivals::Composed;
use super::{Case, Column, Composable, Held, Job, STEPS, spread};
use crate::Failure;

/// Sources.
const SOURCES: usize = 8;

/// Classes of `pool`, of `pool_wide`.
const CLASSES: [usize; 2] = [10, 300];

const EXP: f64 = 16.0;
const LN: f64 = 20.0;

/// Looks at every source that a median takes.
const LOOKS: f64 = 30.0;

pub fn cases() -> Vec<Case> {
    CLASSES.into_iter().flat_map(|classes| by_rule(classes).into_iter().chain(by_form(classes))).collect()
}

fn kernel(classes: usize) -> Kernel {
    if classes > 256 { Kernel::PoolWide } else { Kernel::Pool }
}

/// What each rule is called, its operations per value of evidence and per class of the posterior, and what another framework
/// composes it of.
fn rules(classes: usize) -> Vec<(String, [f64; 2], Option<Composed>, Rule)> {
    let c = classes as f64;
    // Of each row one entry is large; a row of a confusion matrix has one more, for what abstains.
    let row = |k: usize, len: usize, most: f32, rest: f32| (0..len).map(move |j| if j == k { most } else { rest });
    let of = |len: usize, most: f32, rest: f32| {
        (0..SOURCES * classes).flat_map(|place| row(place % classes, len, most, rest)).collect::<Vec<_>>()
    };
    let (matrices, weights) = (of(classes + 1, 0.7, 0.3 / classes as f32), of(classes, 0.2, 0.01));
    let counted = |rule: &Rule| match rule {
        Rule::Vote | Rule::MaxVote | Rule::BayesianAverage => [5.0, 2.0],
        Rule::LogPool | Rule::Extremised { .. } | Rule::Evidence { .. } => [LN + 4.0, EXP + 3.0],
        Rule::PowerMean { .. } => [LN + EXP + 4.0, LN + EXP + 3.0],
        Rule::Median | Rule::Trimmed { .. } => [LOOKS + 3.0, 2.0],
        Rule::DempsterShafer { .. } | Rule::Belief(_) => [LN + 6.0, EXP + 4.0],
        Rule::Confusion { .. } => [5.0, EXP + 3.0],
        Rule::Stacked { .. } => [LN + 3.0 + 2.0 * c, EXP + 3.0],
        Rule::Ensemble(_) => [9.0, 4.0],
        _ => [4.0, 1.0],
    };
    let composed = |rule: &Rule| match rule {
        Rule::Linear => Some(Composed::Linear),
        Rule::Vote => Some(Composed::Vote),
        Rule::BayesianAverage => Some(Composed::BayesianAverage),
        Rule::LogPool => Some(Composed::LogPool),
        Rule::Ensemble(_) => Some(Composed::Ensemble),
        _ => None,
    };
    let parametrised = [
        Rule::Belief(BeliefFusion::Averaging),
        Rule::Belief(BeliefFusion::Weighted),
        Rule::Confusion { matrices },
        Rule::Stacked { weights, bias: vec![0.0; classes] },
        Rule::Adaptive { learned: (1..=SOURCES).map(|n| n as f32 / SOURCES as f32).collect() },
        Rule::default(),
    ];
    Rule::SIMPLE
        .into_iter()
        .chain(parametrised)
        .map(|rule| (rule.to_string(), counted(&rule), composed(&rule), rule))
        .collect()
}

fn by_rule(classes: usize) -> Vec<Case> {
    let case = |(name, [per_value, per_class], composed, rule): (String, [f64; 2], Option<Composed>, Rule)| {
        let operations = classes as f64 * (SOURCES as f64 * per_value + per_class);
        let is_quick = ["linear", "log_pool", "ensemble"].contains(&name.as_str());
        let make = move |items| Fuse::new(&[Form::F32(Encoding::Probabilities); SOURCES], rule.clone(), classes, items);
        let make = move |items| Ok(Fuse { composed, ..make(items)? });
        let case = Case::new(kernel(classes), name, make).operations(operations).start(65_536 / classes / 16 * 16);
        if is_quick { case.quick() } else { case }
    };
    rules(classes).into_iter().map(case).collect()
}

fn by_form(classes: usize) -> Vec<Case> {
    let forms = [
        Form::F32(Encoding::LogProbabilities),
        Form::F32(Encoding::Logits),
        Form::ProbabilitiesBf16,
        Form::LogitsBf16,
        Form::ProbabilitiesF16,
        Form::LogitsF16,
        Form::QuantisedU8,
        Form::LabelsU8,
        Form::LabelsU16,
        Form::Binary,
    ];
    let case = |(form, classes): (Form, usize)| {
        let to_probabilities = match form {
            Form::F32(_) | Form::LogitsBf16 | Form::LogitsF16 => EXP + 4.0,
            Form::QuantisedU8 => 2.0,
            _ => 0.0,
        };
        let operations = (classes * SOURCES) as f64 * (4.0 + to_probabilities) + classes as f64;
        let make = move |items| Fuse::new(&[form; SOURCES], Rule::Linear, classes, items);
        Case::new(kernel(classes), format!("linear of {form}"), make)
            .operations(operations)
            .start(65_536 / classes / 16 * 16)
    };
    // Probabilities of the first of two classes fit no others, and with two classes nothing is wide.
    let of_classes = |form| (form, if form == Form::Binary && classes == CLASSES[0] { 2 } else { classes });
    let fits = |(form, classes): &(Form, usize)| *classes <= form.most_classes();
    forms.into_iter().map(of_classes).filter(fits).map(case).collect()
}

/// A fusion of evidence in one form.
struct Fuse {
    classes: usize,
    planes: Vec<Plane>,
    fusion: Fusion,
    fused: Fused,
    composed: Option<Composed>,
}

/// What a source says, as it lies in memory.
enum Plane {
    F32(Form, Vec<f32>),
    Bf16(Form, Vec<bf16>),
    F16(Form, Vec<f16>),
    U8(Form, Vec<u8>),
    U16(Vec<u16>),
}

impl Fuse {
    fn new(forms: &[Form], rule: Rule, classes: usize, items: usize) -> Result<Self, Failure> {
        let asked = [Output::Posterior, Output::Decision, Output::Confidence, Output::Entropy];
        let asked = if matches!(rule, Rule::Ensemble(_)) { &asked[..] } else { &asked[..1] };
        let fusion = Fusion::new(rule).outputs(asked);
        let planes = forms.iter().enumerate().map(|(source, &form)| Plane::new(form, source, classes, items)).collect();
        Ok(Self { classes, planes, fusion, fused: Fused::default(), composed: None })
    }

    fn with<T>(&self, with: impl FnOnce(&Evidence<'_>) -> consilience::Result<T>) -> Result<T, Failure> {
        let opinions: Vec<Opinions<'_>> = self.planes.iter().map(Plane::opinions).collect();
        Ok(with(&Evidence::of(self.classes, &opinions)?)?)
    }

    /// How far devices may be apart beyond the usual: by logarithms that are added up and not divided by their number.
    fn slack(&self) -> f64 {
        match self.fusion.rule {
            Rule::Evidence { .. } | Rule::Confusion { .. } | Rule::Stacked { .. } => 2e-7 * 16.2 * SOURCES as f64,
            Rule::DempsterShafer { .. } | Rule::Belief(_) | Rule::Extremised { .. } => 2e-7 * 16.2 * SOURCES as f64,
            Rule::PowerMean { .. } => 4e-6,
            _ => 0.0,
        }
    }
}

impl Job for Fuse {
    fn run(&mut self, engine: &Engine) -> Result<(), Failure> {
        let mut fused = std::mem::take(&mut self.fused);
        self.with(|evidence| engine.fuse_into(&self.fusion, evidence, &mut fused))?;
        self.fused = fused;
        Ok(())
    }

    fn answer(&self) -> Vec<Column> {
        use consilience::kernel::fusion::pool::{ABSOLUTE, RELATIVE};
        let absolute = f64::from(ABSOLUTE) + self.slack();
        let close = |name, values: &[f32]| Column::close(name, values, absolute, f64::from(RELATIVE));
        let mut columns = vec![close("posterior", self.fused.posterior())];
        if self.fusion.outputs.contains(Output::Decision) {
            // Of a decision inside the tolerance the devices may be of two minds.
            columns.push(Column::but_for("decision", self.fused.decision(), 1e-3));
            columns.push(close("confidence", self.fused.confidence()));
            columns.push(close("entropy", self.fused.entropy()));
        }
        columns
    }

    fn held<'a>(&'a mut self, engine: &'a Engine) -> Result<Option<Held<'a>>, Failure> {
        let resident = self.with(|evidence| engine.upload(evidence))?;
        Ok(Some(Box::new(move || {
            engine.fuse_into(&self.fusion, &resident, &mut self.fused)?;
            Ok(())
        })))
    }

    fn composable(&self) -> Option<Composable<'_>> {
        let plane = |plane: &Plane| match plane {
            Plane::F32(_, values) => Some(values.clone()),
            _ => None,
        };
        let stacked = self.planes.iter().map(plane).collect::<Option<Vec<_>>>()?.concat();
        let shape = [self.planes.len(), self.fused.items(), self.classes];
        Some(Composable { what: self.composed?, stacked, shape, ours: self.fused.posterior() })
    }
}

impl Plane {
    fn new(form: Form, source: usize, classes: usize, items: usize) -> Self {
        let start = source as f64 / SOURCES as f64;
        let values = spread(items * classes, STEPS[source % STEPS.len()]);
        let mut rows: Vec<f32> = values.into_iter().map(|x| 0.01 + ((x + start).fract() as f32)).collect();
        for row in rows.chunks_mut(classes) {
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        }
        let largest = |row: &[f32]| (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        match form {
            Form::F32(Encoding::Probabilities) => Self::F32(form, rows),
            Form::F32(_) => Self::F32(form, rows.iter().map(|p| p.ln()).collect()),
            Form::Binary => Self::F32(form, rows.chunks(classes).map(|row| row[0]).collect()),
            Form::ProbabilitiesBf16 => Self::Bf16(form, rows.iter().map(|&p| bf16::from_f32(p)).collect()),
            Form::LogitsBf16 => Self::Bf16(form, rows.iter().map(|&p| bf16::from_f32(p.ln())).collect()),
            Form::ProbabilitiesF16 => Self::F16(form, rows.iter().map(|&p| f16::from_f32(p)).collect()),
            Form::LogitsF16 => Self::F16(form, rows.iter().map(|&p| f16::from_f32(p.ln())).collect()),
            Form::QuantisedU8 => {
                let quantised = |row: &[f32]| {
                    let most = row[largest(row)];
                    row.iter().map(|p| (255.0 * p / most).round() as u8).collect::<Vec<_>>()
                };
                Self::U8(form, rows.chunks(classes).flat_map(quantised).collect())
            }
            Form::LabelsU8 => Self::U8(form, rows.chunks(classes).map(|row| largest(row) as u8).collect()),
            Form::LabelsU16 => Self::U16(rows.chunks(classes).map(|row| largest(row) as u16).collect()),
        }
    }

    fn opinions(&self) -> Opinions<'_> {
        match self {
            Self::F32(Form::F32(encoding), values) => Opinions::encoded(*encoding, values),
            Self::F32(_, values) => Opinions::Binary(values),
            Self::Bf16(Form::LogitsBf16, values) => Opinions::LogitsBf16(values),
            Self::Bf16(_, values) => Opinions::ProbabilitiesBf16(values),
            Self::F16(Form::LogitsF16, values) => Opinions::LogitsF16(values),
            Self::F16(_, values) => Opinions::ProbabilitiesF16(values),
            Self::U8(Form::QuantisedU8, values) => Opinions::QuantisedU8(values),
            Self::U8(_, values) => Opinions::LabelsU8(values),
            Self::U16(values) => Opinions::LabelsU16(values),
        }
    }
}
