//! What goes wrong in the store, and whose words it becomes.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::LedgerError;
use crate::orchestration::source::panic_message;

/// What went wrong, before it is known in which file.
#[derive(Debug)]
pub(super) enum Fault {
    /// redb refuses.
    Store(redb::Error),
    /// What redb gives cannot be what was written.
    Damaged { what: String, why: String },
    /// The file is no ledger.
    NotALedger(String),
}

impl Fault {
    pub(super) fn damaged(id: u64, why: String) -> Self {
        Self::Damaged { what: format!("entry {id}"), why }
    }

    /// The error, of the file at `path` while `doing` something.
    pub(super) fn at(self, path: &str, doing: &'static str) -> LedgerError {
        let path = path.to_owned();
        match self {
            Self::Store(redb::Error::Corrupted(why)) => damaged(path, why),
            Self::Store(redb::Error::Io(error))
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                LedgerError::NotALedger { path, why: error.to_string() }
            }
            Self::Store(redb::Error::UpgradeRequired(version)) => {
                LedgerError::NotALedger { path, why: format!("it is a redb file of the old format {version}") }
            }
            Self::Store(error) => LedgerError::Store { path, doing, cause: Arc::new(error) },
            Self::Damaged { what, why } => LedgerError::Damaged { path, what, why },
            Self::NotALedger(why) => LedgerError::NotALedger { path, why },
        }
    }
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

/// Runs what uses the store. redb panics on some files that were altered from outside; here that becomes an error. What
/// aborts the process cannot be caught: a second panic in a destructor of redb while the first unwinds, which was seen where
/// an altered file that had not been verified was written or closed; a stack overflow, a failed allocation, a build that
/// aborts on panic.
pub(super) fn guarded<T>(
    path: &str,
    doing: &'static str,
    work: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, LedgerError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|fault| fault.at(path, doing)),
        Err(panic) => {
            let why = format!("{doing}: the store panicked: {}", panic_message(&*panic));
            Err(damaged(path.to_owned(), why))
        }
    }
}

fn damaged(path: String, why: String) -> LedgerError {
    LedgerError::Damaged { path, what: "the file".to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_of_the_store_is_an_error() {
        let broken: Vec<u8> = Vec::new();
        let error =
            guarded("results.redb", "opening", || Ok(broken[usize::from(!broken.is_empty())..][0])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "results.redb: the file is damaged: opening: the store panicked: index out of bounds: the len is 0 but the \
             index is 0; restore the ledger from a copy"
        );
        assert_eq!(guarded("results.redb", "opening", || Ok(7)).unwrap(), 7);
    }
}
