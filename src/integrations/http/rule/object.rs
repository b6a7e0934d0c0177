//! An object in an answer that says what it says.

use serde_json::{Deserializer, Map, Value};

use super::classes::Classes;
use super::no_class;
use crate::error::SourceError;
use crate::orchestration::Opinion;

/// The braces that are tried: reading from each of very many could take long.
const TRIED: usize = 64;

/// How far probabilities may sum from one: models round what they write.
const SUM_TOLERANCE: f64 = 0.05;

pub fn read(classes: &Classes, answer: &str) -> Result<Option<Opinion>, SourceError> {
    let Some(object) = first_object(answer) else { return Ok(None) };
    if let Some(probabilities) = object.get("probabilities") {
        return distribution(classes, probabilities).map(Some);
    }
    let class = match object.get("class") {
        Some(Value::Null) | None => return Ok(Some(Opinion::Abstained)),
        Some(Value::String(name)) => classes.named(name).ok_or_else(|| no_class(classes, answer))?,
        Some(_) => return Err(no_class(classes, answer)),
    };
    let confidence = match object.get("confidence") {
        Some(Value::Null) | None => None,
        Some(given) => {
            let within = given.as_f64().filter(|c| (0.0..=1.0).contains(c));
            Some(
                within
                    .ok_or_else(|| invalid(format!("the confidence is {given}, which must be a number from 0 to 1")))?,
            )
        }
    };
    Ok(Some(Opinion::Label { class, confidence: confidence.map(|c| c as f32) }))
}

/// The first object with one of the keys.
fn first_object(answer: &str) -> Option<Map<String, Value>> {
    answer.match_indices('{').take(TRIED).find_map(|(start, _)| {
        let object = Deserializer::from_str(&answer[start..]).into_iter::<Map<String, Value>>().next()?.ok()?;
        (object.contains_key("class") || object.contains_key("probabilities")).then_some(object)
    })
}

fn distribution(classes: &Classes, given: &Value) -> Result<Opinion, SourceError> {
    let Some(given) = given.as_object() else {
        return Err(invalid(format!("`probabilities` is {given}, which must be an object with the classes as keys")));
    };
    let mut row = vec![None; classes.len()];
    for (name, value) in given {
        let Some(class) = classes.named(name) else {
            return Err(invalid(format!("there is no class `{name}` to have a probability; classes are {classes}")));
        };
        let Some(p) = value.as_f64().filter(|p| *p >= 0.0) else {
            return Err(invalid(format!("the probability of `{name}` is {value}, which must be a number from 0 to 1")));
        };
        if row[usize::from(class)].replace(p).is_some() {
            return Err(invalid(format!("`{name}` has two probabilities")));
        }
    }
    let sum: f64 = row.iter().flatten().sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(invalid(format!("the probabilities sum to {sum}, which must be 1 within {SUM_TOLERANCE}")));
    }
    Ok(Opinion::Probabilities(row.iter().map(|p| (p.unwrap_or(0.0) / sum) as f32).collect()))
}

fn invalid(why: String) -> SourceError {
    SourceError::Invalid { why }
}
