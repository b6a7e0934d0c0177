//! Where annotations come from, so that it can be pointed at.

use std::path::PathBuf;

use crate::error::{Error, FileError, TruthError};

/// A file, or arrays of the caller's.
#[derive(Debug)]
pub(super) enum Origin {
    File(PathBuf),
    Arrays,
}

impl Origin {
    /// What is wrong with a value.
    pub fn value(&self, column: &str, row: u64, why: String) -> Error {
        let column = column.to_owned();
        match self {
            Self::File(path) => FileError::Value { path: path.clone(), column, row, why }.into(),
            Self::Arrays => TruthError::Value { column, row, why }.into(),
        }
    }

    /// What is wrong with a column.
    pub fn column(&self, column: &str, why: &str) -> Error {
        match self {
            Self::File(path) => {
                FileError::Layout { path: path.clone(), why: format!("column `{column}`: {why}") }.into()
            }
            Self::Arrays => TruthError::Column { column: column.to_owned(), why: why.to_owned() }.into(),
        }
    }
}
