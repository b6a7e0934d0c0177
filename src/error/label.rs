//! What can be wrong with a label.

/// A label that names no class, wherever labels are given: to learn from, to fit to, to score on, to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the label of item {item} is {label}, which is no class; classes are 0 to {last}", last = .classes.saturating_sub(1))]
pub struct LabelError {
    /// Index of the item.
    pub item: usize,
    /// The label given.
    pub label: u32,
    /// Number of classes.
    pub classes: usize,
}

impl LabelError {
    /// Refuses a label that is not below the number of classes.
    pub(crate) fn check(classes: usize, item: usize, label: u32) -> Result<(), Self> {
        if (label as usize) < classes { Ok(()) } else { Err(Self { item, label, classes }) }
    }
}
