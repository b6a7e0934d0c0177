//! What can be wrong with a ledger of results.

use std::error::Error as StdError;
use std::sync::Arc;

/// A ledger that cannot be opened, written or read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The store underneath refuses.
    #[error("{path}: {doing}: {cause}")]
    Store {
        /// The ledger's file.
        path: String,
        /// What was tried.
        doing: &'static str,
        /// What the store says.
        #[source]
        cause: Arc<dyn StdError + Send + Sync>,
    },
    /// A file that is no ledger of a kind this build reads.
    #[error("{path}: {why}")]
    NotALedger {
        /// The file.
        path: String,
        /// What it holds instead.
        why: String,
    },
    /// A file, or one of its entries, that cannot be read back.
    #[error("{path}: {what} is damaged: {why}; restore the ledger from a copy")]
    Damaged {
        /// The ledger's file.
        path: String,
        /// The file, or which entry of it.
        what: String,
        /// What does not fit.
        why: String,
    },
    /// An argument outside its range.
    #[error("{what} is {value}, which must be {must}")]
    OutOfRange {
        /// What was given.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What would be right.
        must: &'static str,
    },
}
