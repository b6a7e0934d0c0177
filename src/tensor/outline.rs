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
    /// The same of some of the sources.
    pub fn select(&self, sources: &[usize]) -> Self {
        Self { forms: sources.iter().filter_map(|&source| self.forms.get(source).copied()).collect(), ..self.clone() }
    }

    /// Number of sources, N.
    pub fn sources(&self) -> usize {
        self.forms.len()
    }

    /// What it takes in a caller's memory, in bytes, if every source has a mask or confidences where one has.
    pub fn bytes(&self) -> u64 {
        let opinions: usize = self.forms.iter().map(|form| form.bytes_per_item(self.classes)).sum();
        let (presence, confidence) = (usize::from(self.presence), 4 * usize::from(self.confidence));
        (self.items * (opinions + self.sources() * (presence + confidence))) as u64
    }
}
