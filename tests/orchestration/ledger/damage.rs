//! Files that are no ledger, or no longer a whole one.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use consilience::orchestration::ledger::{Ledger, Options, Query};
use consilience::{Error, ErrorKind, LedgerError};
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};

use super::{all, entry, open, place};

fn why(path: &PathBuf) -> String {
    let error: Error = Ledger::open(path, Options::default()).unwrap_err();
    assert!(error.is_io(), "{error}");
    match error.kind() {
        ErrorKind::Ledger(LedgerError::NotALedger { path: named, why }) => {
            assert_eq!(*named, path.display().to_string());
            why.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_ledger_is_refused_and_left_as_it_is() {
    let (_directory, path) = place();
    for text in ["", "x", "a text file, long enough to be anything\n".repeat(2000).as_str()] {
        fs::write(&path, text).unwrap();
        let why = why(&path);
        assert!(why.contains(if text.is_empty() { "empty" } else { "magic number mismatch" }), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::remove_file(&path).unwrap();
    let other = Database::create(&path).unwrap();
    let write = other.begin_write().unwrap();
    write.open_table(TableDefinition::<u64, u64>::new("accounts")).unwrap();
    write.commit().unwrap();
    drop(other);
    assert_eq!(why(&path), "a redb file that is no ledger; its tables are [accounts]");
}

#[test]
fn a_newer_version_is_refused() {
    let (_directory, path) = place();
    drop(open(&path));
    let store = Database::open(&path).unwrap();
    let write = store.begin_write().unwrap();
    write.open_table(TableDefinition::<&str, u64>::new("consilience ledger")).unwrap().insert("version", 2).unwrap();
    write.commit().unwrap();
    drop(store);
    assert_eq!(why(&path), "a ledger of version 2; this build reads version 1");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let (directory, _) = place();
    let path = directory.path().join("nowhere").join("results.redb");
    let error = Ledger::open(&path, Options::default()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Ledger(LedgerError::Store { doing: "making", .. })), "{error:?}");
}

/// The bytes of a ledger of 200 entries, closed.
fn written() -> Vec<u8> {
    let (_directory, path) = place();
    let ledger = open(&path);
    ledger.record_all(&(0..200).map(entry).collect::<Vec<_>>()).unwrap();
    drop(ledger);
    fs::read(&path).unwrap()
}

/// Opens altered bytes and reads everything: either an error, or all that was written.
fn error_or_whole(bytes: &[u8], what: &str) -> Option<Error> {
    let (_directory, path) = place();
    fs::write(&path, bytes).unwrap();
    let read = catch_unwind(|| -> Result<_, Error> {
        let ledger = Ledger::open(&path, Options::default())?;
        ledger.audit()?;
        ledger.query(&Query::default())?.collect::<Result<Vec<_>, _>>()
    });
    match read.unwrap_or_else(|_| panic!("it panicked at {what}")) {
        Err(error) => Some(error),
        Ok(records) => {
            assert_eq!(records.len(), 200, "{what}");
            for record in records {
                assert_eq!(record.entry, entry(record.id as u32), "{what}");
            }
            None
        }
    }
}

#[test]
fn a_file_cut_short_is_an_error() {
    let whole = written();
    assert!(error_or_whole(&whole, "nothing").is_none());
    let mut rng = SplitMix64::seed_from_u64(1);
    // Redb grows its file ahead of need; what is cut off the unused end is not missed.
    let used = whole.iter().rposition(|&byte| byte != 0).unwrap();
    for _ in 0..40 {
        let len = rng.random_range(1..used);
        let error = error_or_whole(&whole[..len], &format!("{len} bytes"));
        assert!(error.is_some_and(|error| error.is_io()), "cut to {len} of {} bytes", whole.len());
    }
}

#[test]
fn a_flipped_bit_is_an_error_or_does_no_harm() {
    let whole = written();
    let used = whole.iter().rposition(|&byte| byte != 0).unwrap();
    let mut rng = SplitMix64::seed_from_u64(2);
    let mut found = 0;
    for _ in 0..300 {
        let (at, bit) = (rng.random_range(0..=used), rng.random_range(0..8));
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        found += u32::from(error_or_whole(&bytes, &format!("bit {bit} of byte {at}")).is_some());
    }
    assert!(found > 100, "only {found} of 300 flipped bits were found");
}

#[test]
fn a_value_altered_behind_the_store_is_named() {
    let (_directory, path) = place();
    let ledger = open(&path);
    ledger.record_all(&[entry(0), entry(1), entry(2)]).unwrap();
    drop(ledger);
    let store = Database::open(&path).unwrap();
    let write = store.begin_write().unwrap();
    {
        let mut entries = write.open_table(TableDefinition::<u64, &[u8]>::new("entries")).unwrap();
        // Whole, but under another number.
        let other = entries.get(0).unwrap().unwrap().value().to_vec();
        entries.insert(1, other.as_slice()).unwrap();
    }
    write.commit().unwrap();
    drop(store);
    let ledger = open(&path);
    let damaged = |error: Error| match error.kind() {
        ErrorKind::Ledger(LedgerError::Damaged { what, why, .. }) => (what.clone(), why.clone()),
        other => panic!("{other:?}"),
    };
    for error in [ledger.get(1).unwrap_err(), ledger.audit().unwrap_err()] {
        let (what, why) = damaged(error);
        assert_eq!(what, "entry 1");
        assert!(why.starts_with("its checksum is "), "{why}");
    }
    // The iterator gives what comes before, then the error, then nothing.
    let mut records = ledger.query(&Query::default()).unwrap();
    assert_eq!(records.next().unwrap().unwrap().entry, entry(2));
    assert_eq!(damaged(records.next().unwrap().unwrap_err()).0, "entry 1");
    assert!(records.next().is_none());
    assert_eq!(all(&ledger, &Query { decision: Some(2), ..Query::default() }).len(), 1);
}

/// What an audit says, and how an index was altered before.
type Altered = (&'static str, fn(&WriteTransaction));

#[test]
fn an_index_altered_behind_the_store_is_found() {
    let alter: [Altered; 4] = [
        ("does not name it under 1", |write| {
            let table = TableDefinition::<(u32, u64), u32>::new("decisions");
            write.open_table(table).unwrap().remove((1, 1)).unwrap();
        }),
        ("the index of decisions has 4 rows where 3 are right", |write| {
            let table = TableDefinition::<(u32, u64), u32>::new("decisions");
            write.open_table(table).unwrap().insert((1, 77), 1).unwrap();
        }),
        ("the index of confidences does not name it", |write| {
            let table = TableDefinition::<(u8, u64), u32>::new("confidences");
            write.open_table(table).unwrap().pop_first().unwrap();
        }),
        ("the index of times gives None", |write| {
            let table = TableDefinition::<u64, u64>::new("times");
            write.open_table(table).unwrap().pop_first().unwrap();
        }),
    ];
    for (says, alter) in alter {
        let (_directory, path) = place();
        let ledger = open(&path);
        ledger.record_all(&[entry(0), entry(1), entry(2)]).unwrap();
        drop(ledger);
        let store = Database::open(&path).unwrap();
        let write = store.begin_write().unwrap();
        alter(&write);
        write.commit().unwrap();
        drop(store);
        let error = open(&path).audit().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
