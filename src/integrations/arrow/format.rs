//! The file formats known, by the ending of the name.

use std::fmt;
use std::path::Path;

use crate::error::{FileError, Result};

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Apache Parquet, `.parquet`.
    Parquet,
    /// Comma-separated values with a header line, `.csv`.
    Csv,
}

impl Format {
    /// The format that the name's ending says, whatever its case.
    ///
    /// # Errors
    ///
    /// Another ending, or none.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "parquet" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            _ => Err(FileError::UnknownFormat { path: path.to_owned() }.into()),
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
