//! What Arrow, Parquet and the system report, as this crate's errors.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use super::Format;
use crate::error::{Error, FileError};

/// A failure to read: the system's where a system error is underneath, else the file's.
pub(super) fn reading(path: &Path, format: Format, error: impl StdError + Send + Sync + 'static) -> Error {
    // An end of file too early and bytes that are no UTF-8 come as I/O errors, but it is the file that is at fault.
    let damaged = [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData];
    match system_error(&error).filter(|source| !damaged.contains(&source.kind())) {
        Some(source) => FileError::io(path, "reading")(source).into(),
        None => FileError::Format { path: path.to_owned(), format: format.name(), source: Box::new(error) }.into(),
    }
}

/// A failure to write: the system's in all cases but a fault of ours.
pub(super) fn writing(path: &Path, error: impl StdError + Send + Sync + 'static) -> Error {
    FileError::io(path, "writing")(system_error(&error).unwrap_or_else(|| io::Error::other(error))).into()
}

/// The first system error in the chain. It cannot be taken out of it, so it is made again from its number or its text.
fn system_error(error: &(dyn StdError + 'static)) -> Option<io::Error> {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(source) = error.downcast_ref::<io::Error>() {
            return Some(match source.raw_os_error() {
                Some(number) => io::Error::from_raw_os_error(number),
                None => io::Error::new(source.kind(), source.to_string()),
            });
        }
        link = error.source();
    }
    None
}
