//! Whether all of a ledger fits together.

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};

use super::entry::Record;
use super::fault::Fault;
use super::tables::{CONFIDENCES, DECISIONS, ENTRIES, TIMES, hundredth};

/// Walks the entries and looks each up in every index. With as many rows in an index as are right, no row of it can
/// then name anything else.
pub(super) fn audit(transaction: &ReadTransaction) -> Result<(), Fault> {
    let entries = transaction.open_table(ENTRIES)?;
    let (times, decisions) = (transaction.open_table(TIMES)?, transaction.open_table(DECISIONS)?);
    let confidences = transaction.open_table(CONFIDENCES)?;
    let (mut last_ms, mut different_ms) = (None, 0);
    for row in entries.iter()? {
        let (id, value) = row?;
        let id = id.value();
        let wrong = |why: String| Err(Fault::damaged(id, why));
        let Record { at_ms, entry, .. } = match Record::decode(id, value.value()) {
            Ok(record) => record,
            Err(why) => return wrong(why),
        };
        let bits = Some((entry.confidence + 0.0).to_bits());
        if decisions.get((entry.decision, id))?.map(|bits| bits.value()) != bits {
            return wrong(format!("the index of decisions does not name it under {}", entry.decision));
        }
        if confidences.get((hundredth(entry.confidence), id))?.map(|bits| bits.value()) != bits {
            return wrong(format!("the index of confidences does not name it under {}", entry.confidence));
        }
        // The first entry of a time begins it; the time of the oldest one may have begun with an entry that is gone.
        let begins = times.get(at_ms)?.map(|first| first.value());
        let fits = match last_ms {
            None => begins.is_some_and(|first| first <= id),
            Some(last) if last == at_ms => begins.is_some_and(|first| first < id),
            Some(last) => last < at_ms && begins == Some(id),
        };
        if !fits {
            return wrong(format!("the index of times gives {begins:?} as the first entry of its time, {at_ms}"));
        }
        different_ms += u64::from(last_ms != Some(at_ms));
        last_ms = Some(at_ms);
    }
    let all = entries.len()?;
    let indexes = [
        ("decisions", decisions.len()?, all),
        ("confidences", confidences.len()?, all),
        ("times", times.len()?, different_ms),
    ];
    for (index, rows, right) in indexes {
        if rows != right {
            let why = format!("the index of {index} has {rows} rows where {right} are right");
            return Err(Fault::Damaged { what: "the file".to_owned(), why });
        }
    }
    Ok(())
}
