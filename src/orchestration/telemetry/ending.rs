//! How a request ends.

use super::label::Label;
use crate::error::{Error, ErrorKind, RequestError};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With an answer.
    Answered,
    /// No source answered.
    NothingArrived,
    /// Its deadline passed before anything was done.
    Expired,
    /// It was not taken: too much was waiting, it was too large, or nobody takes requests any more.
    Rejected,
    /// With any other error.
    Failed,
    /// Whoever made it waited no longer.
    Cancelled,
}

impl Ending {
    /// How a request ended that came to this.
    #[must_use]
    pub fn of<T>(result: &Result<T, Error>) -> Self {
        match result.as_ref().map_err(Error::kind) {
            Ok(_) => Self::Answered,
            Err(ErrorKind::Request(error)) => match error {
                RequestError::NothingArrived { .. } => Self::NothingArrived,
                RequestError::NoTime | RequestError::Expired { .. } => Self::Expired,
                RequestError::Full { .. } | RequestError::TooLarge { .. } | RequestError::Closed { .. } => {
                    Self::Rejected
                }
                _ => Self::Failed,
            },
            Err(_) => Self::Failed,
        }
    }
}

impl Label for Ending {
    const KEY: &'static str = "ending";
    const ALL: &'static [Self] =
        &[Self::Answered, Self::NothingArrived, Self::Expired, Self::Rejected, Self::Failed, Self::Cancelled];

    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NothingArrived => "nothing_arrived",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}
