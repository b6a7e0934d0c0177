//! Which class a label names.

use std::collections::HashMap;

use arrow_array::ArrayRef;

use super::options::NamedAnnotationsOptions;
use super::origin::Origin;
use crate::error::Result;
use crate::integrations::arrow::ids::{IdRef, Ids};
use crate::methods::truth::ABSTAINED;

/// The classes, and of each distinct label the class, or [`ABSTAINED`].
#[derive(Debug)]
pub(super) struct Classes {
    pub names: Vec<String>,
    pub of_label: Vec<u32>,
}

/// Checks the classes given.
pub(super) fn check(options: &NamedAnnotationsOptions, origin: &Origin, column: &str) -> Result<()> {
    let Some(names) = &options.classes else { return Ok(()) };
    if names.is_empty() {
        return Err(origin.column(column, "an empty list of classes was given; at least one is needed"));
    }
    let mut seen = HashMap::new();
    for (class, name) in names.iter().enumerate() {
        if let Some(earlier) = seen.insert(name, class) {
            let why = format!("classes {earlier} and {class} are both called `{name}`; each needs a name of its own");
            return Err(origin.column(column, &why));
        }
        if options.abstained.contains(name) {
            let why = format!("`{name}` is given both as class {class} and as what is said by abstaining");
            return Err(origin.column(column, &why));
        }
    }
    Ok(())
}

impl Classes {
    /// Of distinct labels, each with the row it was first seen in.
    pub fn of(
        labels: &ArrayRef,
        first_rows: &[u64],
        options: &NamedAnnotationsOptions,
        origin: &Origin,
        column: &str,
    ) -> Result<Self> {
        let texts: Vec<String> = match Ids::of(labels) {
            Some(ids) => (0..ids.len()).map(|label| ids.get(label).to_string()).collect(),
            None => Vec::new(),
        };
        let names = match &options.classes {
            Some(names) => names.clone(),
            None => found(&texts, first_rows, options, origin, column)?,
        };
        let places: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let class = |(label, text): (usize, &String)| {
            if options.abstained.contains(text) {
                return Ok(ABSTAINED);
            }
            places.get(text.as_str()).copied().ok_or_else(|| {
                let why = format!("label `{text}` is none of the classes, {}", listed(&names));
                origin.value(column, first_rows[label], why)
            })
        };
        let of_label = texts.iter().enumerate().map(class).collect::<Result<_>>()?;
        Ok(Self { names, of_label })
    }
}

/// The labels that occur and are no abstentions, sorted.
fn found(
    texts: &[String],
    first_rows: &[u64],
    options: &NamedAnnotationsOptions,
    origin: &Origin,
    column: &str,
) -> Result<Vec<String>> {
    let mut numbers = Vec::with_capacity(texts.len());
    let mut names = Vec::with_capacity(texts.len());
    for (label, text) in texts.iter().enumerate().filter(|(_, text)| !options.abstained.contains(text)) {
        match text.parse::<i128>() {
            Ok(number) if number.to_string() == *text => numbers.push((number, text)),
            // `1.0` beside `1`, or a float that is no number: most likely no class of its own.
            Err(_) if text.trim().parse::<f64>().is_ok() => {
                let why = format!(
                    "label `{text}` is a number and no integer; labels are integers or strings (where classes are called so, \
                     or it stands for no answer, say so in the options)"
                );
                return Err(origin.value(column, first_rows[label], why));
            }
            _ => {}
        }
        names.push(text.clone());
    }
    if names.is_empty() {
        return Err(origin.column(column, "nobody gave a label; name the classes in the options"));
    }
    if numbers.len() == names.len() {
        numbers.sort_unstable();
        return Ok(numbers.into_iter().map(|(_, text)| text.clone()).collect());
    }
    names.sort_unstable();
    Ok(names)
}

/// A few names, and how many more there are.
pub(in crate::integrations::arrow) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

/// Whether a label is none.
pub(in crate::integrations::arrow) fn is_empty(label: IdRef<'_>) -> bool {
    matches!(label, IdRef::Text(text) if text.trim().is_empty())
}
