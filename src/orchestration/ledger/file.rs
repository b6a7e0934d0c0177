//! The file of a ledger: made whole or not at all, and refused where it is something else.

use std::fs::File;
use std::io;
use std::path::Path;

use redb::{Database, ReadableDatabase, TableHandle};

use super::Options;
use super::fault::{Fault, guarded};
use super::tables::{LEDGER, Tables, VERSION, VERSION_ROW};
use crate::error::LedgerError;

/// Opens the ledger at `path`, which is made where there is no file.
pub(super) fn open(path: &Path, name: &str, options: &Options) -> Result<Database, LedgerError> {
    if !path.try_exists().map_err(|error| Fault::from(redb::Error::Io(error)).at(name, "opening"))? {
        guarded(name, "making", || make(path))?;
    }
    guarded(name, "opening", || {
        let mut builder = Database::builder();
        builder.set_check_integrity_on_open(options.verify).set_cache_size(options.cache_bytes);
        let database = builder.open(path)?;
        recognise(&database)?;
        Ok(database)
    })
}

/// Makes an empty ledger beside `path` and gives it its name when it is whole, unless somebody else did so first. redb
/// itself, stopped while it makes a file, leaves one that it refuses ever after.
fn make(path: &Path) -> Result<(), Fault> {
    let io = |error: io::Error| Fault::from(redb::Error::Io(error));
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Opened as any new file; one that tempfile opens is its owner's alone.
    let temporary = tempfile::Builder::new()
        .prefix(".ledger-")
        .make_in(directory, |path| File::create_new(path))
        .map_err(io)?
        .into_temp_path();
    let database = Database::create(&temporary)?;
    let transaction = database.begin_write()?;
    Tables::create(&transaction)?;
    transaction.commit()?;
    database.close()?;
    match temporary.persist_noclobber(path) {
        Ok(()) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io(error.error)),
    }
    // So that the name, too, outlives a loss of power. Not every system can open a directory, hence no error.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

fn recognise(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    let mut names: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if !names.iter().any(|name| name == LEDGER.name()) {
        names.sort_unstable();
        let why = format!("a redb file that is no ledger; its tables are [{}]", names.join(", "));
        return Err(Fault::NotALedger(why));
    }
    match transaction.open_table(LEDGER)?.get(VERSION_ROW)?.map(|version| version.value()) {
        Some(VERSION) => Ok(()),
        Some(other) => {
            Err(Fault::NotALedger(format!("a ledger of version {other}; this build reads version {VERSION}")))
        }
        None => Err(Fault::NotALedger("a ledger without a version".to_owned())),
    }
}
