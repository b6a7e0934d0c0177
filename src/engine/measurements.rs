//! What was measured, in a file: only for the machine that it was measured on, and only if it is whole.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::plan::cost::Model;

/// The environment variable that says where measurements are kept; empty, they are not kept.
const DIRECTORY_VARIABLE: &str = "CONSILIENCE_CACHE_DIR";

/// The format of the file.
const FORMAT: u32 = 2;

/// More bytes than any file of measurements has.
const MOST_BYTES: u64 = 1 << 20;

/// What measurements hold for. Where anything of it differs they are another machine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Machine {
    /// This crate's version: kernels change.
    pub version: String,
    /// The GPU, its driver and what it allows.
    pub gpu: String,
    /// The processor.
    pub processor: String,
    /// The CPU executor: SIMD and threads.
    pub cpu: String,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    consilience_costs: u32,
    /// Of the machine and the model, written one after the other.
    crc32: String,
    machine: Machine,
    model: Model,
}

/// Where one machine's measurements are kept.
#[derive(Debug)]
pub(super) struct Store {
    pub path: PathBuf,
    machine: Machine,
}

impl Machine {
    pub(super) fn new(gpu: String, cpu: String) -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), gpu, processor: processor(), cpu }
    }
}

impl Store {
    /// The file for a machine in the directory given, or else in that of the environment or the system; `None`: nowhere.
    pub(super) fn new(directory: Option<&Path>, machine: Machine) -> Option<Self> {
        let directory =
            directory.map_or_else(|| default_directory(|name| env::var_os(name)), |d| Some(d.to_owned()))?;
        let number = crc32fast::hash(format!("{machine:?}").as_bytes());
        Some(Self { path: directory.join(format!("costs-{number:08x}.json")), machine })
    }

    /// What is kept, if anything is.
    ///
    /// # Errors
    ///
    /// Why what is there cannot be used.
    pub(super) fn load(&self) -> Result<Option<Model>, String> {
        let bytes = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(metadata) if metadata.len() > MOST_BYTES => return Err(format!("it has {} bytes", metadata.len())),
            _ => fs::read(&self.path).map_err(|error| error.to_string())?,
        };
        let content: Content = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let Content { consilience_costs, crc32, machine, model } = content;
        if consilience_costs != FORMAT {
            return Err(format!("it is of format {consilience_costs}, not {FORMAT}"));
        }
        if machine != self.machine {
            return Err(format!("it is of another machine: {machine:?}"));
        }
        if sum(&machine, &model).map_err(|error| error.to_string())? != crc32 {
            return Err("its checksum is another".to_owned());
        }
        if !model.is_sound() {
            return Err("a number in it cannot have been measured".to_owned());
        }
        Ok(Some(model))
    }

    /// Keeps the measurements; the file gets its name when it is whole.
    pub(super) fn save(&self, model: &Model) -> io::Result<()> {
        let crc32 = sum(&self.machine, model)?;
        let (machine, model) = (self.machine.clone(), model.clone());
        let text = serde_json::to_string_pretty(&Content { consilience_costs: FORMAT, crc32, machine, model })?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut file = NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// The checksum.
fn sum(machine: &Machine, model: &Model) -> serde_json::Result<String> {
    let text = [serde_json::to_string(machine)?, serde_json::to_string(model)?].concat();
    Ok(format!("{:08x}", crc32fast::hash(text.as_bytes())))
}

/// Where caches lie on this system.
fn default_directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(directory) = variable(DIRECTORY_VARIABLE) {
        return (!directory.is_empty()).then(|| directory.into());
    }
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = if cfg!(target_os = "windows") {
        absolute("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        absolute("HOME")?.join("Library/Caches")
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?
    };
    Some(caches.join("consilience"))
}

/// The processor's name, where the system tells it in a file or a variable; else its kind.
fn processor() -> String {
    let listed = fs::read_to_string("/proc/cpuinfo").ok();
    let name = listed.as_deref().and_then(|text| text.lines().find(|line| line.starts_with("model name")));
    let name = name.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.or_else(|| env::var("PROCESSOR_IDENTIFIER").ok()).unwrap_or_else(|| env::consts::ARCH.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine::new("a GPU, driver 1".to_owned(), "avx2, 8 threads".to_owned())
    }

    fn store(directory: &Path) -> Store {
        Store::new(Some(directory), machine()).unwrap()
    }

    fn model() -> Model {
        Model::new(1.25e-6, 7e-5, 1.0 / 3e9, 1.0 / 7e9)
    }

    #[test]
    fn what_is_saved_comes_back_with_its_bits() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory.path().join("made/as needed"));
        assert_eq!(store.load(), Ok(None));
        store.save(&model()).unwrap();
        assert_eq!(store.load(), Ok(Some(model())));
        let other = Model::new(1.0, 2.0, 3.0, 4.0);
        store.save(&other).unwrap();
        assert_eq!(store.load(), Ok(Some(other)));
        let files = fs::read_dir(store.path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "a temporary file was left");
    }

    #[test]
    fn another_machine_has_another_file_and_a_copy_of_it_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let own = store(directory.path());
        own.save(&model()).unwrap();
        let changed: [fn(&mut Machine); 4] = [
            |machine| machine.version = "0.0.1".to_owned(),
            |machine| machine.gpu = "a GPU, driver 2".to_owned(),
            |machine| machine.processor = "another".to_owned(),
            |machine| machine.cpu = "avx2, 7 threads".to_owned(),
        ];
        for change in changed {
            let mut machine = machine();
            change(&mut machine);
            let other = Store::new(Some(directory.path()), machine).unwrap();
            assert_eq!(other.load(), Ok(None));
            fs::copy(&own.path, &other.path).unwrap();
            assert!(other.load().is_err_and(|why| why.starts_with("it is of another machine")));
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        store.save(&model()).unwrap();
        let text = fs::read_to_string(&store.path).unwrap();
        let refused = |text: &[u8]| {
            fs::write(&store.path, text).unwrap();
            store.load().unwrap_err()
        };
        for bytes in 0..text.len() {
            refused(&text.as_bytes()[..bytes]);
        }
        assert_eq!(refused(text.replace("1.25e-6", "1.75e-6").as_bytes()), "its checksum is another");
        assert_eq!(
            refused(text.replace("\"consilience_costs\": 2", "\"consilience_costs\": 1").as_bytes()),
            "it is of format 1, not 2"
        );
        assert!(refused(text.replace("1.25e-6", "null").as_bytes()).contains("null"));
        assert!(refused(text.replace("1.25e-6", "NaN").as_bytes()).contains("expected"));
        assert!(refused(text.replace("\"upload\"", "\"download\"").as_bytes()).contains("download"));
        assert!(refused(&[0xff, 0xfe, 0]).contains("expected value"));
        assert!(refused(&vec![b' '; 2 << 20]).contains("2097152 bytes"));
        // Whole, with a sum that fits, and no measurement.
        let mut negative = model();
        negative.upload = -1.0;
        store.save(&negative).unwrap();
        assert_eq!(store.load(), Err("a number in it cannot have been measured".to_owned()));
        // A directory in the place of the file.
        fs::remove_file(&store.path).unwrap();
        fs::create_dir(&store.path).unwrap();
        assert!(store.load().is_err() && store.save(&model()).is_err());
    }

    #[test]
    fn the_variable_goes_before_the_systems_place() {
        let given = |pairs: &'static [(&str, &str)]| {
            default_directory(|name| pairs.iter().find(|(given, _)| *given == name).map(|(_, value)| value.into()))
        };
        assert_eq!(given(&[("CONSILIENCE_CACHE_DIR", "/x/y"), ("HOME", "/home/a")]), Some("/x/y".into()));
        assert_eq!(given(&[("CONSILIENCE_CACHE_DIR", ""), ("HOME", "/home/a")]), None);
        assert_eq!(given(&[]), None);
        if cfg!(target_os = "linux") {
            assert_eq!(given(&[("HOME", "/home/a")]), Some("/home/a/.cache/consilience".into()));
            let both = &[("XDG_CACHE_HOME", "/c"), ("HOME", "/home/a")];
            assert_eq!(given(both), Some("/c/consilience".into()));
            let relative = &[("XDG_CACHE_HOME", "c"), ("HOME", "/home/a")];
            assert_eq!(given(relative), Some("/home/a/.cache/consilience".into()));
        }
    }
}
