//! Files that have their names only when they are whole. The examples use them too.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// A file under a temporary name in the directory of its final one; dropping it unfinished removes it.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl WholeFile {
    pub fn create(path: &Path) -> io::Result<Self> {
        let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
        let mut prefix = OsString::from(".");
        prefix.push(path.file_name().ok_or_else(no_name)?);
        prefix.push(".partial-");
        // Opened as any new file; one that tempfile opens is its owner's alone.
        let temporary = Builder::new().prefix(&prefix).make_in(directory(path), |path| File::create_new(path))?;
        Ok(Self { path: path.to_owned(), temporary })
    }

    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Waits until the system has stored the file and gives it its name; a file that had that name is replaced.
    pub fn finish(self) -> io::Result<()> {
        self.file().sync_all()?;
        self.temporary.persist(&self.path)?;
        // So that the name, too, outlives a loss of power. Not every system can open a directory, hence no error.
        let _ = File::open(directory(&self.path)).and_then(|directory| directory.sync_all());
        Ok(())
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
