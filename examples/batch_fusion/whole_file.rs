//! Files that have their names only when they are whole.

use std::fs::File;
use std::io;
use std::path::Path;

use self::library::WholeFile;
use crate::Failure;

#[path = "../../src/methods/whole_file.rs"]
mod library;

/// Writes a file under a temporary name beside its own, stores it, and gives it its name.
pub fn write(path: &Path, content: impl FnOnce(&File) -> Result<(), Failure>) -> Result<(), Failure> {
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let whole = WholeFile::create(path).map_err(named)?;
    content(whole.file())?;
    Ok(whole.finish().map_err(named)?)
}
