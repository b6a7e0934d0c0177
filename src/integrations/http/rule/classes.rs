//! The names of the classes, as answers are compared with them.

use std::fmt;

use super::super::setting::wrong;
use crate::error::Result;

/// The names of the classes.
#[derive(Debug, Clone)]
pub struct Classes {
    names: Vec<String>,
    folded: Vec<String>,
}

impl Classes {
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(|name| name.into().trim().to_owned()).collect();
        if !(1..usize::from(u16::MAX)).contains(&names.len()) {
            return Err(wrong("the list of classes", format!("has {} names", names.len()), "name 1 to 65,534"));
        }
        let folded: Vec<String> = names.iter().map(|name| fold(name)).collect();
        for (index, name) in folded.iter().enumerate() {
            if name.is_empty() {
                return Err(wrong("the list of classes", format!("has no name for class {index}"), "name each"));
            }
            if let Some(other) = folded[..index].iter().position(|before| before == name) {
                let is = format!("names both {other} and {index} `{}` but for capitals", names[index]);
                return Err(wrong("the list of classes", is, "names must differ"));
            }
        }
        Ok(Self { names, folded })
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The name of a class, empty where there is no such class.
    pub fn name(&self, class: usize) -> &str {
        self.names.get(class).map_or("", String::as_str)
    }

    /// The names as answers are compared with them.
    pub fn folded(&self) -> &[String] {
        &self.folded
    }

    /// The class of exactly this name.
    pub fn named(&self, name: &str) -> Option<u16> {
        let name = fold(name.trim());
        let class = self.folded.iter().position(|folded| *folded == name)?;
        u16::try_from(class).ok()
    }
}

impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))
    }
}

/// The text in lower case, character by character, so that the whole is its parts in a row: the sigma that ends a Greek
/// word becomes that inside one.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// Whether a character belongs to a word: letters, digits, `_` and accents that follow their letter.
pub fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36f}').contains(&c)
}
