//! Evidence without its values.

use crate::tensor::Form;

/// What evidence looks like, wherever its values lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Number of items, B.
    pub items: usize,
    /// Number of classes, C.
    pub classes: usize,
    /// The form of each source's opinions.
    pub forms: Vec<Form>,
    /// Whether any source has a presence mask.
    pub presence: bool,
    /// Whether any source has given confidences.
    pub confidence: bool,
}

impl Outline {
    /// Number of sources, N.
    pub fn sources(&self) -> usize {
        self.forms.len()
    }
}
