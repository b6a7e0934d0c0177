//! What can be wrong with annotations and with what is inferred from them.

/// Annotations, or options, from which no truth can be inferred.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TruthError {
    /// No annotation.
    #[error("there are no annotations; at least one is needed")]
    NoAnnotations,
    /// More than can be counted in 32 bits.
    #[error("{given} {what} are too many; at most {at_most} are possible")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        given: u64,
        /// How many there may be.
        at_most: u64,
    },
    /// An index that is not below the number that was declared.
    #[error("annotation {annotation}: the {what} {index} is not below their number, {count}")]
    Index {
        /// The annotation's place.
        annotation: usize,
        /// `item` or `source`.
        what: &'static str,
        /// The index given.
        index: u32,
        /// How many there are.
        count: usize,
    },
    /// An index so far past the last that memory for all between would be a mistake.
    #[error(
        "the {what} {index} is {reach} or more past the {count} there are; make room for it first, by `Online::grow`"
    )]
    TooFar {
        /// `item` or `source`.
        what: &'static str,
        /// The index given.
        index: u32,
        /// How many there are.
        count: usize,
        /// How many past them an index may be, at most.
        reach: usize,
    },
    /// An index that so few annotations can hardly mean: everything below it would take memory.
    #[error(
        "annotation {annotation}: the {what} {index} is far past what {annotations} annotations number from 0 on; say in the \
         options how many there are, or number those that there are"
    )]
    FarIndex {
        /// The annotation's place.
        annotation: usize,
        /// `item` or `source`.
        what: &'static str,
        /// The index given.
        index: u32,
        /// How many annotations there are.
        annotations: usize,
    },
    /// A label that is neither a class nor an abstention.
    #[error(
        "annotation {annotation}: {label} is no class; classes are 0 to {last}, and `ABSTAINED` stands for no answer",
        last = .classes.saturating_sub(1)
    )]
    Label {
        /// The annotation's place.
        annotation: usize,
        /// The label given.
        label: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// One source on one item twice, where that is refused.
    #[error("annotations {first} and {second} are both by source {source_index} on item {item}; keep all, or the last")]
    Duplicate {
        /// The place of the first.
        first: usize,
        /// The place of the second.
        second: usize,
        /// Who.
        source_index: u32,
        /// On what.
        item: u32,
    },
    /// Two known classes of one item.
    #[error("item {item} is known to be of class {} and of class {}; it can be of one", .classes[0], .classes[1])]
    Contradiction {
        /// Which item.
        item: u32,
        /// What is said to be known.
        classes: [u32; 2],
    },
    /// A name of no method.
    #[error("there is no method `{name}`; there are {names}")]
    NoMethod {
        /// The name given.
        name: String,
        /// Those that there are.
        names: String,
    },
    /// A fit cannot begin with what another method found.
    #[error("the earlier fit found no confusion of its sources; begin with one of the same method")]
    OtherMethod,
    /// An array from which no annotations can be taken.
    #[error("column `{column}`: {why}")]
    Column {
        /// The column.
        column: String,
        /// What is wrong and what would be right.
        why: String,
    },
    /// A value that cannot stand where it stands in an array.
    #[error("column `{column}`, row {row}: {why}")]
    Value {
        /// The column.
        column: String,
        /// The row, counted from 0 over all arrays given.
        row: u64,
        /// What is wrong and what would be right.
        why: String,
    },
    /// An option out of its range.
    #[error("{what} is {value}; it must be {must}")]
    Option {
        /// Which.
        what: &'static str,
        /// The value given.
        value: f64,
        /// What it must be.
        must: &'static str,
    },
}

impl TruthError {
    /// Refuses an option whose value is not as it must be.
    pub(crate) fn check_option(
        what: &'static str,
        value: impl Into<f64>,
        is_valid: bool,
        must: &'static str,
    ) -> Result<(), Self> {
        if is_valid { Ok(()) } else { Err(Self::Option { what, value: value.into(), must }) }
    }
}
