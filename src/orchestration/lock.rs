//! Locks under which no code of a caller runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is behind a lock. Were it poisoned all the same, its contents are whole.
pub(crate) fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
