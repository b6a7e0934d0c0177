//! State as text: two lines of JSON, a header with kind, version, length and checksum, then what was learned.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, FileError, Result, StateError};
use crate::methods::whole_file::WholeFile;

/// What the header says of itself.
const FORMAT: &str = "consilience state";

/// Where text comes from that is no file.
const TEXT: &str = "the text";

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
        let (path, text) = (path.as_ref(), self.to_text()?);
        let whole = WholeFile::create(path).map_err(FileError::io(path, "creating"))?;
        whole.file().write_all(text.as_bytes()).map_err(FileError::io(path, "writing"))?;
        Ok(whole.finish().map_err(FileError::io(path, "storing"))?)
    }

    /// Reads the file that [`State::save`] wrote.
    ///
    /// # Errors
    ///
    /// The system refuses, or as [`State::from_text`].
    fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(FileError::io(path, "reading"))?;
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
