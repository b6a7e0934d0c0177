//! How a stream ends before its end.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Summary;
use crate::error::Error;

/// A stream that did not come to its end.
#[derive(Debug)]
pub struct Failure<E> {
    /// What ended it.
    pub fault: Fault<E>,
    /// What was delivered before, and where the time went.
    pub summary: Box<Summary>,
}

/// What ended a stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault<E> {
    /// The source failed with this.
    Source(E),
    /// A chunk could not be fused.
    Fusion(Error),
    /// The sink failed with this.
    Sink(E),
    /// A stage panicked.
    Panicked {
        /// Which.
        stage: Stage,
        /// The message of the panic.
        message: String,
    },
}

/// A stage of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Filling chunks.
    Source,
    /// Fusing them.
    Fusion,
    /// Taking what came out.
    Sink,
}

impl<E> Failure<E> {
    /// What failed as it came, where it does not matter who failed.
    #[must_use]
    pub fn into_boxed(self) -> Box<dyn StdError + Send + Sync>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        match self.fault {
            Fault::Source(error) | Fault::Sink(error) => error.into(),
            Fault::Fusion(error) => error.into(),
            Fault::Panicked { stage, message } => panicked(stage, &message).into(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Source(error) => write!(f, "the source failed: {error}")?,
            Fault::Fusion(error) => write!(f, "{error}")?,
            Fault::Sink(error) => write!(f, "the sink failed: {error}")?,
            Fault::Panicked { stage, message } => f.write_str(&panicked(*stage, message))?,
        }
        write!(f, " (after {} items that were delivered)", self.summary.items)
    }
}

impl<E: StdError + 'static> StdError for Failure<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.fault {
            Fault::Source(error) | Fault::Sink(error) => Some(error),
            Fault::Fusion(error) => Some(error),
            Fault::Panicked { .. } => None,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Fusion => "fusion",
            Self::Sink => "sink",
        })
    }
}

fn panicked(stage: Stage, message: &str) -> String {
    format!("the {stage} panicked: {message}")
}

/// Does a stage's work; what it leaves behind after a panic nobody looks at again.
pub(super) fn caught<T, E>(stage: Stage, work: impl FnOnce() -> Result<T, Fault<E>>) -> Result<T, Fault<E>> {
    let panicked = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Fault::Panicked { stage, message: text.unwrap_or("no message").to_owned() }
    };
    catch_unwind(AssertUnwindSafe(work)).map_err(panicked).flatten()
}
