//! What can be wrong with a request to live sources, or with those who are to answer it.

use std::error::Error as StdError;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::error::SourceError;

/// A request that was not answered, or sources that cannot be set up to answer any.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is nobody to ask.
    #[error("there are no sources; add at least one")]
    NoSources,
    /// Two sources, groups or experts of one name.
    #[error("there are two {what} named `{name}`; names must differ")]
    DuplicateName {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name that is not there.
    #[error("there is no {what} named `{name}`; there are {known}")]
    UnknownName {
        /// What is sought.
        what: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A setting that a source cannot be set up with.
    #[error("{setting} {is}; {must}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it, with its value where that is no secret.
        is: String,
        /// What would be right.
        must: String,
    },
    /// What a source needs of the system is not to be had.
    #[error("{what} cannot be set up: {cause}")]
    NotSetUp {
        /// What is missing.
        what: &'static str,
        /// Why.
        #[source]
        cause: Arc<dyn StdError + Send + Sync>,
    },
    /// What an answer depends on cannot be written down, so that no key can be made of it.
    #[error("{what} cannot be serialised, so that nothing can be kept under it: {cause}")]
    NoKey {
        /// What it was to be made of.
        what: &'static str,
        /// Why.
        #[source]
        cause: Arc<dyn StdError + Send + Sync>,
    },
    /// No time at all to answer.
    #[error("the deadline had passed when the request was made; give it time to be answered")]
    NoTime,
    /// The question is too large.
    #[error("the request has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Every source failed, or none answered in time.
    #[error("no source answered: {}", listed(.causes))]
    NothingArrived {
        /// The sources by name, each with what kept it.
        causes: Vec<(String, SourceError)>,
    },
    /// Too much is waiting already.
    #[error("{what} is full; try again in {retry_after:?}")]
    Full {
        /// What is full.
        what: &'static str,
        /// When there is likely to be room.
        retry_after: Duration,
    },
    /// The deadline came while the request was waiting for its turn.
    #[error("the deadline passed after {waited:?} of waiting; nothing was done")]
    Expired {
        /// How long it waited.
        waited: Duration,
    },
    /// Whoever answers requests is shutting down or gone.
    #[error("{what} is shut down and takes no more requests")]
    Closed {
        /// What is shut down.
        what: &'static str,
    },
    /// What was to answer many requests at once panicked.
    #[error("{what} panicked: {message}; the request was not answered")]
    Panicked {
        /// What panicked.
        what: &'static str,
        /// The message of the panic.
        message: String,
    },
    /// What was to answer many requests at once gave another number of answers.
    #[error("{what} gave {answers} answers to {requests} requests, so that none could be used; it must give each one")]
    WrongCount {
        /// What answered.
        what: &'static str,
        /// How many requests it was given.
        requests: usize,
        /// How many answers came back.
        answers: usize,
    },
    /// A stop rule that is not exact for the fusion at hand.
    #[error(
        "no opinion can be spared under {what}: the outstanding ones may always turn the decision; ask for no lock"
    )]
    NoLock {
        /// The rule or weighting.
        what: String,
    },
}

impl RequestError {
    /// Whether time ran out, and nothing else.
    pub(crate) fn is_deadline(&self) -> bool {
        match self {
            Self::NoTime | Self::Expired { .. } => true,
            Self::NothingArrived { causes } => {
                causes.iter().all(|(_, cause)| matches!(cause, SourceError::TimedOut { .. }))
            }
            _ => false,
        }
    }

    /// How long to wait before the same request may be taken.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Full { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

fn listed(causes: &[(String, SourceError)]) -> String {
    let mut line = String::new();
    for (index, (name, cause)) in causes.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        // Writing to a string does not fail.
        let _ = write!(line, "{separator}`{name}`: {cause}");
    }
    line
}
