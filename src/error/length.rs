//! Arrays that belong together and differ in length.

use std::borrow::Cow;

/// An array of another length than its operation needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {given} entries where {needed} are needed")]
pub struct LengthError {
    /// What was given.
    pub what: Cow<'static, str>,
    /// The length given.
    pub given: usize,
    /// The length needed.
    pub needed: usize,
}

impl LengthError {
    /// Refuses something of another length than the one needed.
    pub(crate) fn check(what: impl Into<Cow<'static, str>>, needed: usize, given: usize) -> Result<(), Self> {
        if given == needed { Ok(()) } else { Err(Self { what: what.into(), given, needed }) }
    }
}
