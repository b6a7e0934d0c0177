//! What is made of one distribution, or of what becomes one.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float32Array, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Float32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};

use super::Scalar;
use crate::integrations::datafusion::failure::invalid;
use crate::integrations::datafusion::list::{ListType, Lists};
use crate::integrations::datafusion::spread::entropy;
use crate::methods::calibration::posterior::{check_row, decision};
use crate::methods::partial::{exp, ln};

/// Numbers of posteriors.
pub(super) fn measured(scalar: Scalar, posteriors: &ArrayRef) -> Result<ArrayRef> {
    let lists = Lists::of(posteriors, None, "the posterior")?;
    let each = |measure: fn(&[f32]) -> f32| {
        (0..posteriors.len())
            .map(|row| distribution(scalar.name(), &lists, row).map(|posterior| posterior.map(measure)))
            .collect::<Result<Float32Array>>()
    };
    Ok(match scalar {
        Scalar::Confidence => Arc::new(each(|row| row[decision(row)])?),
        Scalar::Margin => Arc::new(each(margin)?),
        Scalar::Entropy => Arc::new(each(|row| entropy(row.iter().map(|&p| p.into())) as f32)?),
        _ => {
            let decided = |row| {
                distribution(scalar.name(), &lists, row).map(|posterior| posterior.map(|row| decision(row) as u32))
            };
            Arc::new((0..posteriors.len()).map(decided).collect::<Result<UInt32Array>>()?)
        }
    })
}

/// The distribution in a row, if one is there.
fn distribution<'a>(function: &str, lists: &'a Lists, row: usize) -> Result<Option<&'a [f32]>> {
    let Some(list) = lists.row(row) else { return Ok(None) };
    check_row(list.len(), row, list).map_err(|error| invalid(function, error))?;
    Ok(Some(list))
}

fn margin(row: &[f32]) -> f32 {
    if row.len() == 1 {
        return 1.0;
    }
    let (mut first, mut second) = (0.0, 0.0);
    for &p in row {
        if p > first {
            (first, second) = (p, first);
        } else if p > second {
            second = p;
        }
    }
    first - second
}

/// Posteriors to the power of 1/T, normalised.
pub(super) fn tempered(posteriors: &ArrayRef, temperatures: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let lists = Lists::of(posteriors, None, "the posterior")?;
    let temperatures = temperatures.as_primitive::<Float32Type>();
    rows(posteriors.len(), lists.length, to, |row, answer| {
        let Some(posterior) = distribution("temper", &lists, row)? else { return Ok(false) };
        if !temperatures.is_valid(row) {
            return Ok(false);
        }
        let temperature = temperatures.value(row);
        if !(temperature > 0.0 && temperature.is_finite()) {
            return exec_err!("temper: row {row} of a batch has a temperature of {temperature}; it must be above 0");
        }
        // What is impossible stays so.
        let log =
            |&p: &f32| if p < f32::MIN_POSITIVE { f64::NEG_INFINITY } else { ln(p.into()) / f64::from(temperature) };
        normalised(posterior.iter().map(log), answer);
        Ok(true)
    })
}

/// Distributions of logits.
pub(super) fn softmax(logits: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let lists = Lists::of(logits, None, "the logits")?;
    rows(logits.len(), lists.length, to, |row, answer| {
        let Some(logits) = lists.row(row) else { return Ok(false) };
        if let Some(class) = logits.iter().position(|logit| !logit.is_finite()) {
            let logit = logits[class];
            return exec_err!(
                "softmax: row {row} of a batch has a logit of {logit} for class {class}; it must be finite"
            );
        }
        normalised(logits.iter().map(|&logit| logit.into()), answer);
        Ok(true)
    })
}

fn normalised(logs: impl Iterator<Item = f64> + Clone, answer: &mut [f32]) {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    let whole: f64 = logs.clone().map(|log| exp(log - most)).sum();
    answer.iter_mut().zip(logs).for_each(|(to, log)| *to = (exp(log - most) / whole) as f32);
}

/// How many classes a label is one of, by the second argument of `label_opinion`.
pub(super) fn classes(given: Option<&ScalarValue>) -> Result<usize> {
    const MOST: i64 = 1 << 20;
    match given.map(|given| given.cast_to(&DataType::Int64)).transpose()? {
        Some(ScalarValue::Int64(Some(classes @ 1..=MOST))) => Ok(classes as usize),
        Some(other) => plan_err!("the number of classes of label_opinion is {other}; it must be from 1 to {MOST}"),
        None => plan_err!("the number of classes of label_opinion must be a constant"),
    }
}

/// Labels as opinions.
pub(super) fn label_opinion(labels: &ArrayRef, confidences: Option<&ArrayRef>, to: &DataType) -> Result<ArrayRef> {
    let classes = ListType::of(to, "the opinion")?.0.unwrap_or_default();
    let labels = labels.as_primitive::<Int64Type>();
    let confidences = confidences.map(|array| array.as_primitive::<Float32Type>());
    rows(labels.len(), Some(classes), to, |row, answer| {
        if !labels.is_valid(row) {
            return Ok(false);
        }
        let label = labels.value(row);
        let Some(class) = usize::try_from(label).ok().filter(|&class| class < classes) else {
            return exec_err!(
                "label_opinion: row {row} of a batch has the label {label}, which is no class; classes are 0 to {}",
                classes - 1
            );
        };
        let given = confidences.filter(|confidences| confidences.is_valid(row)).map(|all| all.value(row));
        let confidence = if classes == 1 { 1.0 } else { given.unwrap_or(1.0) };
        if !(0.0..=1.0).contains(&confidence) {
            return exec_err!(
                "label_opinion: row {row} of a batch has a confidence of {confidence}; it must be in [0, 1]"
            );
        }
        answer.fill((1.0 - confidence) / (classes.max(2) - 1) as f32);
        answer[class] = confidence;
        Ok(true)
    })
}

/// The bucket of each key.
pub(super) fn buckets(keys: &ArrayRef, counts: &ArrayRef) -> Result<ArrayRef> {
    let counts = counts.as_primitive::<Int64Type>();
    let hash = |row: usize| match keys.as_string_opt::<i32>() {
        _ if keys.is_null(row) => 0,
        Some(texts) => crc32fast::hash(texts.value(row).as_bytes()),
        None => crc32fast::hash(&keys.as_primitive::<Int64Type>().value(row).to_le_bytes()),
    };
    let bucket = |row: usize| match counts.is_valid(row).then(|| counts.value(row)).and_then(|n| u32::try_from(n).ok())
    {
        // The upper bits of the product: a remainder would be that of the lower bits alone.
        Some(count @ 1..) => Ok(((u64::from(hash(row)) * u64::from(count)) >> 32) as u32),
        _ => exec_err!(
            "bucket: row {row} of a batch has a number of buckets that is none; it must be from 1 to 2^32 - 1"
        ),
    };
    Ok(Arc::new((0..keys.len()).map(bucket).collect::<Result<UInt32Array>>()?))
}

/// A column of lists, each written or, where it is answered that there is none, NULL.
fn rows(
    count: usize,
    length: Option<usize>,
    to: &DataType,
    mut write: impl FnMut(usize, &mut [f32]) -> Result<bool>,
) -> Result<ArrayRef> {
    let length = length.unwrap_or_default();
    let mut values = vec![0.0; count * length];
    let mut there = Vec::with_capacity(count);
    for row in 0..count {
        there.push(write(row, &mut values[row * length..][..length])?);
    }
    let nulls = there.contains(&false).then(|| there.into());
    ListType::of(to, "the answer")?.array::<Float32Type>(length, values, nulls, count)
}
