//! A file that has its name only when it is whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{FileError, Result};
use crate::integrations::arrow::failure;

/// Tells apart the files that one process writes at a time.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// A file written under a temporary name in the directory of its final one; dropping it unfinished removes it.
#[derive(Debug)]
pub(super) struct PartialFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    finished: bool,
}

impl PartialFile {
    pub fn create(path: &Path) -> Result<Self> {
        let no_file = || FileError::UnknownFormat { path: path.to_owned() };
        let mut name = OsString::from(".");
        name.push(path.file_name().ok_or_else(no_file)?);
        name.push(format!(".partial-{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed)));
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary).map_err(failure::io(path, "creating"))?;
        Ok(Self { path: path.to_owned(), temporary, file, finished: false })
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn finish(mut self) -> Result<()> {
        self.file.sync_all().map_err(failure::io(&self.path, "storing"))?;
        fs::rename(&self.temporary, &self.path).map_err(failure::io(&self.path, "naming"))?;
        self.finished = true;
        // So that the name, too, outlives a loss of power. Not every system can open a directory, hence no error.
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.finished {
            // It has no name that anyone would take for a result; there is nobody left to tell.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
