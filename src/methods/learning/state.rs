//! State as text: two lines of JSON, a header with kind, version, length and checksum, then what was learned.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, FileError, Result, StateError};

/// What the header says of itself.
const FORMAT: &str = "consilience state";

/// Where text comes from that is no file.
const TEXT: &str = "the text";

/// Tells apart the files that one process writes at a time.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// What is learned, saved and loaded.
///
/// The text is two lines of JSON. The first is the header: format, kind, version, and length in bytes and CRC-32 of the
/// second, which is the state by its own `Serialize`. Numbers come back with the bits they had; they must be finite, for
/// JSON has no others. A type's `Deserialize` must refuse values that no state has, so that a file edited by hand is an
/// error and never a panic later.
///
/// # Examples
///
/// *Saved, loaded, and refused where something else was meant.*
///
/// ```
/// use consilience::learning::{Confusion, Reliability, State};
///
/// let learner = Reliability::new(3, Default::default())?;
/// let path = tempfile::tempdir()?.keep().join("trust.json");
/// learner.save(&path)?;
/// assert_eq!(Reliability::load(&path)?, learner);
/// assert!(Confusion::load(&path).unwrap_err().to_string().contains("kind `reliability`, where `confusion` is needed"));
/// # std::fs::remove_dir_all(path.parent().unwrap())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait State: Serialize + DeserializeOwned {
    /// What it is called in the header.
    const KIND: &'static str;
    /// The version written, and the one that can be read.
    const VERSION: u32;

    /// The state as text.
    ///
    /// # Errors
    ///
    /// `Serialize` fails.
    fn to_text(&self) -> Result<String> {
        let invalid = |error: serde_json::Error| -> Error {
            StateError::Invalid { origin: TEXT.to_owned(), kind: Self::KIND, why: error.to_string() }.into()
        };
        let state = serde_json::to_string(self).map_err(invalid)?;
        let header = Header {
            format: FORMAT.to_owned(),
            kind: Self::KIND.to_owned(),
            version: Self::VERSION,
            bytes: state.len(),
            crc32: format!("{:08x}", crc32fast::hash(state.as_bytes())),
        };
        Ok(format!("{}\n{state}\n", serde_json::to_string(&header).map_err(invalid)?))
    }

    /// The state that [`State::to_text`] made the text of.
    ///
    /// # Errors
    ///
    /// Other text, another kind or version, text cut short or altered, or values that no state has.
    fn from_text(text: &str) -> Result<Self> {
        parse(text, TEXT)
    }

    /// Writes the text to a file, which has its name only when it is whole: a file of that name is replaced at once.
    ///
    /// # Errors
    ///
    /// The system refuses, or `Serialize` fails.
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), &self.to_text()?)
    }

    /// Reads the file that [`State::save`] wrote.
    ///
    /// # Errors
    ///
    /// The system refuses, or as [`State::from_text`].
    fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(io(path, "reading"))?;
        let origin = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(text) => parse(&text, &origin),
            Err(error) => Err(StateError::NotState { origin, why: error.utf8_error().to_string() }.into()),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    kind: String,
    version: u32,
    bytes: usize,
    crc32: String,
}

fn parse<T: State>(text: &str, origin: &str) -> Result<T> {
    let origin = || origin.to_owned();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let header: Header = serde_json::from_str(first)
        .map_err(|error| StateError::NotState { origin: origin(), why: format!("no header: {error}") })?;
    if header.format != FORMAT {
        let why = format!("the format is `{}`, not `{FORMAT}`", header.format);
        return Err(StateError::NotState { origin: origin(), why }.into());
    }
    if header.kind != T::KIND {
        return Err(StateError::OtherKind { origin: origin(), found: header.kind, wanted: T::KIND }.into());
    }
    if header.version != T::VERSION {
        let (found, known) = (header.version, T::VERSION);
        return Err(StateError::UnknownVersion { origin: origin(), kind: T::KIND, found, known }.into());
    }
    let state = rest.strip_suffix('\n').unwrap_or(rest);
    if state.len() != header.bytes {
        let why = format!("the state is {} bytes long, the header says {}", state.len(), header.bytes);
        return Err(StateError::Damaged { origin: origin(), why }.into());
    }
    let crc32 = format!("{:08x}", crc32fast::hash(state.as_bytes()));
    if crc32 != header.crc32 {
        let why = format!("its checksum is {crc32}, the header says {}", header.crc32);
        return Err(StateError::Damaged { origin: origin(), why }.into());
    }
    serde_json::from_str(state)
        .map_err(|error| StateError::Invalid { origin: origin(), kind: T::KIND, why: error.to_string() }.into())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or_else(no_name).map_err(io(path, "creating"))?);
    name.push(format!(".partial-{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed)));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // It has no name that anyone would take for state; the error returned is the one that counts.
        let _ = fs::remove_file(&temporary);
        return Err(io(path, "writing")(error));
    }
    // So that the name, too, outlives a loss of power. Not every system can open a directory, hence no error.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| FileError::Io { path: path.to_owned(), action, source }.into()
}

/// `Serialize` as derived, and `Deserialize` as derived followed by the type's own `check`; the type derives both with
/// `#[serde(remote = "Self")]`.
macro_rules! checked {
    ($state:ty) => {
        impl serde::Serialize for $state {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $state {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let state = Self::deserialize(deserializer)?;
                state.check().map_err(serde::de::Error::custom)?;
                Ok(state)
            }
        }
    };
}

pub(super) use checked;
