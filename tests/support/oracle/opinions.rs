//! Step 1 and 2 of the contract: what a source says of one item, as probabilities.

use consilience::{Encoding, Evidence, Flags, Form, Fusion, OnInvalid, Opinions};

/// One valid opinion.
#[derive(Debug, Clone)]
pub struct Opinion {
    pub source: usize,
    pub p: Vec<f64>,
    pub vote: usize,
    pub given: Option<f64>,
    /// c_n.
    pub c: f64,
    /// Whether c_n is a number of the caller's, so that ties are ties.
    pub is_exact: bool,
    /// The raw weight of step 3.
    pub w: f64,
}

/// What all sources say of one item.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub opinions: Vec<Opinion>,
    pub abstained: Vec<usize>,
    pub flags: u32,
}

/// Reads one item; the source at fault if an opinion is invalid and not to be mended.
pub fn read(fusion: &Fusion, evidence: &Evidence<'_>, item: usize) -> Result<Said, usize> {
    let mut said = Said::default();
    for source in 0..evidence.sources() {
        if evidence.presence(source).is_some_and(|present| !present[item]) {
            continue;
        }
        let opinions = evidence.opinions(source).expect("a source");
        let label = match opinions {
            Opinions::LabelsU8(labels) => Some((usize::from(labels[item]), usize::from(u8::MAX))),
            Opinions::LabelsU16(labels) => Some((usize::from(labels[item]), usize::from(u16::MAX))),
            _ => None,
        };
        match label {
            Some((label, most)) if label == most => continue,
            Some((label, most)) if label == most - 1 => {
                said.abstained.push(source);
                said.flags |= Flags::ABSTAINED.0;
                continue;
            }
            _ => {}
        }
        match opinion(fusion, evidence, source, item, label.map(|(label, _)| label)) {
            Some((opinion, is_mended)) => {
                said.opinions.push(opinion);
                said.flags |= if is_mended { Flags::RENORMALISED.0 } else { 0 };
            }
            None if fusion.on_invalid == OnInvalid::Missing => said.flags |= Flags::INVALID_LEFT_OUT.0,
            None => return Err(source),
        }
    }
    Ok(said)
}

/// An opinion if it is valid, and whether it had to be mended.
fn opinion(
    fusion: &Fusion,
    evidence: &Evidence<'_>,
    source: usize,
    item: usize,
    label: Option<usize>,
) -> Option<(Opinion, bool)> {
    let classes = evidence.classes();
    let opinions = evidence.opinions(source)?;
    let given = evidence.confidence(source).map(|given| f64::from(given[item]));
    if given.is_some_and(|c| !(0.0..=1.0).contains(&c)) || label.is_some_and(|label| label >= classes) {
        return None;
    }
    let mut is_mended = false;
    let (mut p, vote) = if let Some(label) = label {
        let c = given.unwrap_or(1.0);
        let share = |k: usize| match (classes, k == label) {
            (1, _) => 1.0,
            (_, true) => c,
            (_, false) => (1.0 - c) / (classes as f64 - 1.0),
        };
        ((0..classes).map(share).collect(), label)
    } else {
        let x = row(opinions, item, classes);
        let (mut p, tolerance) = unnormalised(opinions.form(), &x)?;
        let sum: f64 = p.iter().sum();
        if sum <= 0.0 || (sum - 1.0).abs() > tolerance {
            is_mended = fusion.on_invalid == OnInvalid::Renormalise
                && (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&sum);
            if !is_mended {
                return None;
            }
        }
        if is_mended || opinions.form() != Form::F32(Encoding::Probabilities) {
            p.iter_mut().for_each(|p| *p /= sum);
        }
        (p, argmax(&x))
    };
    let temperature = fusion.source_temperatures.as_ref().map_or(1.0, |list| f64::from(list[source]));
    if temperature != 1.0 {
        p = tempered(&p, temperature);
    }
    let c = given.unwrap_or_else(|| p.iter().copied().fold(0.0, f64::max));
    let is_written = label.is_some() || opinions.form() == Form::F32(Encoding::Probabilities);
    let is_exact = given.is_some() || (is_written && temperature == 1.0 && !is_mended);
    Some((Opinion { source, p, vote, given, c, is_exact, w: 0.0 }, is_mended))
}

/// The numbers as they stand.
fn row(opinions: Opinions<'_>, item: usize, classes: usize) -> Vec<f64> {
    let of = item * classes..(item + 1) * classes;
    match opinions {
        Opinions::Probabilities(v) | Opinions::LogProbabilities(v) | Opinions::Logits(v) => {
            v[of].iter().map(|&x| f64::from(x)).collect()
        }
        Opinions::ProbabilitiesBf16(v) | Opinions::LogitsBf16(v) => v[of].iter().map(|&x| f64::from(x)).collect(),
        Opinions::ProbabilitiesF16(v) | Opinions::LogitsF16(v) => v[of].iter().map(|&x| f64::from(x)).collect(),
        Opinions::QuantisedU8(v) => v[of].iter().map(|&x| f64::from(x)).collect(),
        Opinions::Binary(v) => vec![f64::from(v[item]), 1.0 - f64::from(v[item])],
        other => panic!("no row: {other:?}"),
    }
}

/// The row as numbers in proportion to its probabilities, and how far their sum may be from one; `None` if a value cannot
/// stand in it.
fn unnormalised(form: Form, x: &[f64]) -> Option<(Vec<f64>, f64)> {
    if x.iter().any(|x| x.is_nan() || *x == f64::INFINITY) {
        return None;
    }
    let is_positive = x.iter().all(|x| *x >= 0.0);
    match form {
        Form::F32(Encoding::Probabilities) => is_positive.then(|| (x.to_vec(), 1e-3)),
        Form::ProbabilitiesBf16 => is_positive.then(|| (x.to_vec(), 1.0 / 256.0)),
        Form::ProbabilitiesF16 => is_positive.then(|| (x.to_vec(), 1.0 / 512.0)),
        Form::QuantisedU8 | Form::Binary => is_positive.then(|| (x.to_vec(), f64::INFINITY)),
        Form::F32(Encoding::LogProbabilities) => Some((x.iter().map(|x| x.exp()).collect(), 1e-3)),
        Form::F32(Encoding::Logits) | Form::LogitsBf16 | Form::LogitsF16 => {
            let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            most.is_finite().then(|| (x.iter().map(|x| (x - most).exp()).collect(), f64::INFINITY))
        }
        Form::LabelsU8 | Form::LabelsU16 => panic!("a label is no row"),
    }
}

/// p^(1/T), normalised.
pub fn tempered(p: &[f64], temperature: f64) -> Vec<f64> {
    let powers: Vec<f64> = p.iter().map(|p| p.powf(1.0 / temperature)).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// The lowest place of the largest value.
pub fn argmax(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, k| if values[k] > values[best] { k } else { best })
}
