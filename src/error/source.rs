//! What keeps a live source from giving an opinion.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

/// Why one source gave no opinion on one request.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It says itself that it failed.
    #[error("{message}")]
    Failed {
        /// What it says.
        message: String,
        /// The cause underneath, where there is one.
        #[source]
        cause: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// It answered with what is no opinion over the classes asked for.
    #[error("its opinion is not valid: {why}")]
    Invalid {
        /// Which value is wrong, and what would be right.
        why: String,
    },
    /// It declined to say anything.
    #[error("it abstained")]
    Abstained,
    /// It panicked.
    #[error("it panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// It had not answered when the deadline came.
    #[error("no answer within {after:?}")]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// It ended without an answer.
    #[error("it closed without an answer")]
    Closed,
    /// It takes no more requests at the moment.
    #[error("it takes no more requests for now{}", .retry_after.map(|wait| format!("; try again in {wait:?}")).unwrap_or_default())]
    Busy {
        /// How long to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// A service answered with a status that is no success.
    #[error("the service answered with status {status}: {body}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        body: String,
    },
    /// An answer in words that names no class.
    #[error("no class is named in its answer `{answer}`; classes are {known}")]
    NoClass {
        /// The beginning of the answer.
        answer: String,
        /// The names of the classes.
        known: String,
    },
    /// More was asked or answered than is allowed.
    #[error("{what} has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The question or the answer.
        what: &'static str,
        /// Its size, as far as it was read.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
}

impl SourceError {
    /// A failure in the source's own words.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), cause: None }
    }

    /// A failure with the error that caused it.
    pub fn caused_by(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self::Failed { message: cause.to_string(), cause: Some(Arc::new(cause)) }
    }
}
