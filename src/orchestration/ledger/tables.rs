//! The tables of a ledger, and how an entry stands in them.
//!
//! Ids and times rise together, so a range of times is a range of ids, and every index ends in the id: whatever a query
//! asks for, it walks index rows in the order of time, within the range of time.

use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};

use super::entry::{Encoded, Record};
use super::fault::Fault;

/// Numbers about the ledger itself. The name of the table is what makes a redb file a ledger.
pub(super) const LEDGER: TableDefinition<&str, u64> = TableDefinition::new("consilience ledger");
/// The entries, by id.
pub(super) const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("entries");
/// For each millisecond at which something was recorded, the first id of it.
pub(super) const TIMES: TableDefinition<u64, u64> = TableDefinition::new("times");
/// For each decision and id, the bits of the confidence.
pub(super) const DECISIONS: TableDefinition<(u32, u64), u32> = TableDefinition::new("decisions");
/// For each hundredth of confidence and id, the bits of the confidence.
pub(super) const CONFIDENCES: TableDefinition<(u8, u64), u32> = TableDefinition::new("confidences");
/// Saved states as text, by name.
pub(super) const STATES: TableDefinition<&str, &str> = TableDefinition::new("states");

/// The format written, and the newest that can be read.
pub(super) const VERSION: u64 = 1;

/// Rows of [`LEDGER`].
pub(super) const VERSION_ROW: &str = "version";
const NEXT_ID: &str = "next id";
const LAST_MS: &str = "last ms";
const BYTES: &str = "bytes";

/// The hundredth of a confidence, from 0 to 100; it never falls where the confidence rises.
pub(super) fn hundredth(confidence: f32) -> u8 {
    (confidence * 100.0) as u8
}

/// The tables, open for writing.
pub(super) struct Tables<'t> {
    ledger: Table<'t, &'static str, u64>,
    entries: Table<'t, u64, &'static [u8]>,
    times: Table<'t, u64, u64>,
    decisions: Table<'t, (u32, u64), u32>,
    confidences: Table<'t, (u8, u64), u32>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            ledger: transaction.open_table(LEDGER)?,
            entries: transaction.open_table(ENTRIES)?,
            times: transaction.open_table(TIMES)?,
            decisions: transaction.open_table(DECISIONS)?,
            confidences: transaction.open_table(CONFIDENCES)?,
        })
    }

    /// Makes the tables of a new ledger.
    pub(super) fn create(transaction: &'t WriteTransaction) -> Result<(), Fault> {
        transaction.open_table(STATES)?;
        Self::open(transaction)?.put(VERSION_ROW, VERSION)
    }

    /// Adds an entry at the time given, or at that of the entry before it if the clock has gone backwards; its id.
    pub(super) fn append(&mut self, now_ms: u64, encoded: &Encoded) -> Result<u64, Fault> {
        let (id, last_ms) = (self.number(NEXT_ID)?, self.number(LAST_MS)?);
        let at_ms = now_ms.max(last_ms);
        let value = encoded.value(id, at_ms);
        self.entries.insert(id, value.as_slice())?;
        if self.times.get(at_ms)?.is_none() {
            self.times.insert(at_ms, id)?;
        }
        let bits = encoded.confidence.to_bits();
        self.decisions.insert((encoded.decision, id), bits)?;
        self.confidences.insert((hundredth(encoded.confidence), id), bits)?;
        self.put(NEXT_ID, id + 1)?;
        self.put(LAST_MS, at_ms)?;
        self.put(BYTES, self.number(BYTES)? + value.len() as u64)?;
        Ok(id)
    }

    /// Removes the oldest entries until they keep to the bounds, but never the newest.
    pub(super) fn keep_within(&mut self, entries: Option<u64>, bytes: Option<u64>) -> Result<(), Fault> {
        let (entries, bytes) = (entries.unwrap_or(u64::MAX), bytes.unwrap_or(u64::MAX));
        let mut removed = false;
        while self.entries.len()? > 1 && (self.entries.len()? > entries || self.number(BYTES)? > bytes) {
            self.remove_oldest()?;
            removed = true;
        }
        if removed { self.forget_times() } else { Ok(()) }
    }

    /// Removes entries from before the time, `most` of them at most; how many it removed.
    pub(super) fn remove_before(&mut self, at_ms: u64, most: u64) -> Result<u64, Fault> {
        let end = match self.times.range(at_ms..)?.next() {
            Some(row) => row?.1.value(),
            None => u64::MAX,
        };
        let mut removed = 0;
        while removed < most && self.entries.first()?.is_some_and(|(id, _)| id.value() < end) {
            self.remove_oldest()?;
            removed += 1;
        }
        self.forget_times()?;
        Ok(removed)
    }

    fn remove_oldest(&mut self) -> Result<(), Fault> {
        let (id, record, bytes) = match self.entries.pop_first()? {
            Some((id, value)) => (id.value(), Record::decode(id.value(), value.value()), value.value().len() as u64),
            None => return Ok(()),
        };
        let entry = record.map_err(|why| Fault::damaged(id, why))?.entry;
        let indexed = [
            self.decisions.remove((entry.decision, id))?.is_some(),
            self.confidences.remove((hundredth(entry.confidence), id))?.is_some(),
        ];
        if indexed.contains(&false) {
            return Err(Fault::damaged(id, "an index does not name it".to_owned()));
        }
        self.put(BYTES, self.number(BYTES)?.saturating_sub(bytes))
    }

    /// Removes the times before the oldest entry. The time of that entry may go on naming an id that is gone: what counts
    /// is that no entry before it is of a later time.
    fn forget_times(&mut self) -> Result<(), Fault> {
        let oldest = match self.entries.first()? {
            Some((id, value)) => {
                Record::decode(id.value(), value.value()).map_err(|why| Fault::damaged(id.value(), why))?.at_ms
            }
            None => u64::MAX,
        };
        Ok(self.times.retain_in(..oldest, |_, _| false)?)
    }

    fn number(&self, row: &str) -> Result<u64, Fault> {
        Ok(self.ledger.get(row)?.map_or(0, |number| number.value()))
    }

    fn put(&mut self, row: &str, number: u64) -> Result<(), Fault> {
        self.ledger.insert(row, number)?;
        Ok(())
    }
}
