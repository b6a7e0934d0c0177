//! How annotations are read.

use crate::methods::truth::Duplicates;

/// How annotations are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedAnnotationsOptions {
    /// The column of item ids; `None`: the first of `item`, `item_id`, `id` and `task` that there is.
    pub item: Option<String>,
    /// The column of sources; `None`: the first of `source`, `worker`, `annotator` and `rater` that there is.
    pub source: Option<String>,
    /// The column of labels; `None`: the first of `label`, `answer` and `class` that there is.
    pub label: Option<String>,
    /// The classes, in the order of their indices, by the labels that name them; integers in decimal. `None`: the labels that
    /// occur, sorted: by number if all are integers, else as text. So a class has the same index whatever the order of rows.
    pub classes: Option<Vec<String>>,
    /// What a null label is, or one of nothing but blanks.
    pub empty: EmptyLabel,
    /// Labels that say that a source abstained, such as `-1` or `skip`; they are no classes.
    pub abstained: Vec<String>,
    /// What becomes of a source's second label for an item.
    pub duplicates: Duplicates,
}

/// What a label is that is null, or nothing but blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EmptyLabel {
    /// The source was asked and abstained.
    #[default]
    Abstained,
    /// The source was not asked: it is no annotation. Item and source are there none the less.
    Missing,
    /// It is an error.
    Reject,
}

impl NamedAnnotationsOptions {
    /// The same for labels that are class indices, 0 to `classes` - 1, whether all of them occur or not.
    #[must_use]
    pub fn indices(mut self, classes: usize) -> Self {
        self.classes = Some((0..classes).map(|class| class.to_string()).collect());
        self
    }
}
