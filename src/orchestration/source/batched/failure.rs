//! What keeps a batcher from answering, as an error of the source in front of it.

use std::time::Duration;

use crate::error::{Error, ErrorKind, RequestError, SourceError};

pub(super) fn failure(error: Error) -> SourceError {
    match error.kind() {
        ErrorKind::Request(RequestError::NoTime) => SourceError::TimedOut { after: Duration::ZERO },
        ErrorKind::Request(RequestError::Expired { waited }) => SourceError::TimedOut { after: *waited },
        ErrorKind::Request(RequestError::Full { retry_after, .. }) => {
            SourceError::Busy { retry_after: Some(*retry_after) }
        }
        ErrorKind::Request(RequestError::TooLarge { bytes, limit }) => {
            SourceError::TooLarge { what: "the question", bytes: *bytes, limit: *limit }
        }
        ErrorKind::Request(RequestError::Closed { .. }) => SourceError::Closed,
        ErrorKind::Request(RequestError::Panicked { message, .. }) => {
            SourceError::Panicked { message: message.clone() }
        }
        // One that gave another number of answers; its words say what would be right.
        _ => SourceError::caused_by(error),
    }
}
