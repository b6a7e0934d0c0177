//! Files that have their names only when they are whole.

use std::fs::{self, File};
use std::path::Path;

use crate::Failure;

/// Writes a file under a temporary name beside its own, stores it, and gives it its name.
pub fn write(path: &Path, content: impl FnOnce(&File) -> Result<(), Failure>) -> Result<(), Failure> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let name = path.file_name().ok_or_else(|| format!("{}: no file name", path.display()))?;
    let temporary = path.with_file_name(format!(".{}.partial-{}", name.to_string_lossy(), std::process::id()));
    let file = File::create(&temporary).map_err(named)?;
    let written = content(&file)
        .and_then(|()| Ok(file.sync_all().map_err(named)?))
        .and_then(|()| Ok(fs::rename(&temporary, path).map_err(named)?));
    if written.is_err() {
        // What failed is reported; that its remains cannot be removed either would only hide it.
        let _ = fs::remove_file(&temporary);
    }
    written
}
