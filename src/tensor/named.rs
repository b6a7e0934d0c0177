//! What is known by a name in files and on the command line.

use crate::error::SpecError;

/// The one with this name; `what` is what the error calls them.
pub(crate) fn named<T: Copy>(
    what: &'static str,
    all: &[T],
    name_of: fn(T) -> &'static str,
    name: &str,
) -> Result<T, SpecError> {
    let known = || all.iter().copied().map(name_of).collect::<Vec<_>>().join(", ");
    let found = all.iter().copied().find(|&one| name_of(one) == name);
    found.ok_or_else(|| SpecError::Unknown { what, name: name.to_owned(), known: known() })
}
