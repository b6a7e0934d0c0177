//! What can be wrong with evidence.

use std::fmt;

/// Evidence that cannot be fused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// No source gave anything.
    #[error("evidence has no sources; give at least one plane of opinions")]
    NoSources,
    /// A class count of zero.
    #[error("evidence has no classes; an opinion needs at least one class")]
    NoClasses,
    /// More than the engine's indices hold.
    #[error("evidence of {sources} sources x {items} items x {classes} classes is too large: {limit}")]
    TooLarge {
        /// Number of sources.
        sources: usize,
        /// Number of items.
        items: usize,
        /// Number of classes.
        classes: usize,
        /// Which limit is exceeded.
        limit: &'static str,
    },
    /// A plane whose length is no whole number of rows.
    #[error("the plane of source {source_index} has {len} values, which is no multiple of {classes} classes")]
    RaggedPlane {
        /// Which source.
        source_index: usize,
        /// Its length in values.
        len: usize,
        /// Values a row should have.
        classes: usize,
    },
    /// A form that cannot hold so many classes.
    #[error("source {source_index} comes as {form}, which holds {most} classes, not {classes}; use a wider form")]
    Form {
        /// Which source.
        source_index: usize,
        /// Its form.
        form: String,
        /// Classes asked for.
        classes: usize,
        /// Classes the form holds.
        most: usize,
    },
    /// Something per source or per item that has another length than the evidence asks for.
    #[error("{what} has {right} entries where the evidence needs {left}")]
    ShapeMismatch {
        /// What was given.
        what: String,
        /// The length needed.
        left: usize,
        /// The length given.
        right: usize,
    },
    /// A chunk of a stream that is no piece of the evidence that the chunks before it are pieces of.
    #[error(
        "chunk {chunk} has {given} where those before it have {before}; the chunks of a stream differ in items only"
    )]
    ChunkShape {
        /// Which chunk, from 0.
        chunk: u64,
        /// What those before it have.
        before: String,
        /// What it has.
        given: String,
    },
    /// A chunk of a stream that takes more than its share of the memory.
    #[error(
        "chunk {chunk} takes {bytes} bytes with its answers, the stream allows {allowed}; make chunks smaller, or raise \
         `stream::Options::chunk_bytes`"
    )]
    ChunkTooLarge {
        /// Which chunk, from 0.
        chunk: u64,
        /// What it and its answers take.
        bytes: u64,
        /// What they may take.
        allowed: u64,
    },
    /// An opinion whose values are not what they are declared to be.
    #[error("{0}")]
    Invalid(InvalidOpinion),
    /// An opinion that is not valid, in a buffer that cannot be read.
    #[error("item {item} has an invalid opinion; give its buffer the usage `COPY_SRC` to be told which")]
    InvalidUnseen {
        /// Index of the item.
        item: usize,
    },
}

impl EvidenceError {
    /// Refuses something of another length than the one needed.
    pub(crate) fn check_len(what: impl fmt::Display, needed: usize, given: usize) -> Result<(), Self> {
        if given == needed {
            return Ok(());
        }
        Err(Self::ShapeMismatch { what: what.to_string(), left: needed, right: given })
    }

    pub(crate) fn invalid(&self) -> Option<&InvalidOpinion> {
        match self {
            Self::Invalid(opinion) => Some(opinion),
            _ => None,
        }
    }
}

/// One opinion that is not valid.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidOpinion {
    /// Index of the source.
    pub source: usize,
    /// Index of the item.
    pub item: usize,
    /// Index of the class, or `None` where the whole row is at fault.
    pub class: Option<usize>,
    /// The value at fault; for a row, its sum.
    pub value: f32,
    /// What is wrong with the value.
    pub reason: InvalidReason,
}

/// Why an opinion is not valid.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InvalidReason {
    /// Not a number.
    NotANumber,
    /// An infinity where a finite value is needed.
    Infinite,
    /// A probability, or a given confidence, below zero.
    Negative,
    /// A given confidence, or a binary opinion, above one.
    AboveOne,
    /// A label that is neither a class nor a code.
    NoSuchClass {
        /// How many classes there are.
        classes: usize,
    },
    /// Probabilities that do not sum to one within the tolerance.
    SumNotOne {
        /// How far from one is still accepted.
        tolerance: f32,
    },
}

impl InvalidOpinion {
    /// What is wrong with the value, without where it stands.
    #[must_use]
    pub fn fault(&self) -> String {
        let value = self.value;
        match self.reason {
            InvalidReason::NotANumber => format!("{value} is not a number"),
            InvalidReason::Infinite => format!("{value} is not finite"),
            InvalidReason::Negative => format!("{value} is negative; probabilities and confidences lie in [0, 1]"),
            InvalidReason::AboveOne => format!("{value} is above one; confidences lie in [0, 1]"),
            InvalidReason::NoSuchClass { classes } => {
                format!("label {value} is no class; classes are 0 to {}", classes - 1)
            }
            InvalidReason::SumNotOne { tolerance } => format!(
                "the probabilities sum to {value}, not to 1 within {tolerance}; normalise them, or fuse with \
                 `on_invalid` = `Renormalise` or `Missing`"
            ),
        }
    }
}

impl fmt::Display for InvalidOpinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, item, class, .. } = self;
        write!(f, "source {source}, item {item}")?;
        if let Some(class) = class {
            write!(f, ", class {class}")?;
        }
        write!(f, ": {}", self.fault())
    }
}
