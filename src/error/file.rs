//! What can be wrong with a file. Kinds carry plain values, so that this layer knows no file format.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

/// A file that cannot be read, understood or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused.
    #[error("{path}: {action} failed: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Not a file of the format that its name or its caller says, or a damaged one.
    #[error("{path}: not a readable {format} file: {source}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format expected.
        format: &'static str,
        /// What the reader said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A name whose ending says no known format.
    #[error("{path}: unknown file ending; known are .parquet and .csv", path = path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A column that should be there and is not.
    #[error("{path}: no column `{column}`; it has {found}", path = path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column looked for.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// Columns that do not make up evidence.
    #[error("{path}: {why}", path = path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        why: String,
    },
    /// A value that cannot stand where it stands.
    #[error("{path}: column `{column}`, row {row}: {why}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row, counted from 0, without a header.
        row: u64,
        /// What is wrong and what would be right.
        why: String,
    },
}

impl FileError {
    /// What the system refused while this was being done with a file.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), action, source }
    }
}
