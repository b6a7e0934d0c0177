//! Finding entries: by time, decision and confidence, always along an index and in the order of time.

use std::fmt;
use std::iter::Peekable;
use std::ops::{Range, RangeInclusive};

use redb::{ReadOnlyTable, ReadTransaction};

use super::entry::Record;
use super::fault::{Fault, guarded};
use super::tables::{CONFIDENCES, DECISIONS, ENTRIES, TIMES, hundredth};
use crate::error::{LedgerError, Result};

/// Which entries are sought; the default is all, the newest first.
///
/// # Examples
///
/// *The ten newest sure answers of one class within an hour.*
///
/// ```
/// use consilience::orchestration::ledger::Query;
///
/// let (now_ms, hour_ms) = (1_700_000_000_000, 3_600_000);
/// let query = Query {
///     time_ms: now_ms - hour_ms..now_ms,
///     decision: Some(3),
///     confidence: 0.9..=1.0,
///     limit: Some(10),
///     ..Query::default()
/// };
/// assert_eq!(query.time_ms.start, 1_699_996_400_000);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// When it was recorded, in milliseconds since the Unix epoch.
    pub time_ms: Range<u64>,
    /// The class decided for; any where there is none.
    pub decision: Option<u32>,
    /// The confidence. With a decision, the rows of that decision are walked; without, those of confidences in the range.
    pub confidence: RangeInclusive<f32>,
    /// Which come first.
    pub order: Order,
    /// How many are given at most.
    pub limit: Option<usize>,
}

/// Which entries come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest.
    #[default]
    NewestFirst,
    /// The oldest.
    OldestFirst,
}

impl Default for Query {
    fn default() -> Self {
        Self { time_ms: 0..u64::MAX, decision: None, confidence: 0.0..=1.0, order: Order::NewestFirst, limit: None }
    }
}

impl Query {
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        let wrong = |what, value, must| Err(LedgerError::OutOfRange { what, value, must });
        let (start, end) = (*self.confidence.start(), *self.confidence.end());
        if start.is_nan() || end.is_nan() {
            return wrong("an end of the range of confidence", f64::NAN, "a number");
        }
        if start > end {
            return wrong("the end of the range of confidence", end.into(), "at least its start");
        }
        if self.time_ms.start > self.time_ms.end {
            return wrong("the end of the range of time", self.time_ms.end as f64, "at least its start");
        }
        Ok(())
    }

    /// Whether it leaves nothing out, but for its limit.
    pub(super) fn is_for_all(&self) -> bool {
        self.time_ms == (0..u64::MAX) && self.decision.is_none() && self.any_confidence()
    }

    fn any_confidence(&self) -> bool {
        *self.confidence.start() <= 0.0 && *self.confidence.end() >= 1.0
    }
}

type Ids = Box<dyn Iterator<Item = Result<u64, Fault>> + Send>;

/// The ids of what a query is for, in its order, without its limit.
pub(super) fn ids(transaction: &ReadTransaction, query: &Query) -> Result<Ids, Fault> {
    let time = ids_of_time(transaction, &query.time_ms)?;
    let wanted = query.confidence.clone();
    let row = move |row: Result<(u64, u32), redb::StorageError>| match row {
        Ok((id, bits)) => wanted.contains(&f32::from_bits(bits)).then_some(Ok(id)),
        Err(error) => Some(Err(error.into())),
    };
    if let Some(decision) = query.decision {
        let rows = transaction.open_table(DECISIONS)?.range_owned((decision, time.start)..(decision, time.end))?;
        return Ok(ordered(
            rows.map(|row| row.map(|(key, bits)| (key.value().1, bits.value()))).filter_map(row),
            query,
        ));
    }
    if query.any_confidence() {
        let rows = transaction.open_table(ENTRIES)?.range_owned(time)?;
        return Ok(ordered(rows.map(|row| Ok(row?.0.value())), query));
    }
    let table = transaction.open_table(CONFIDENCES)?;
    let (from, to) = (query.confidence.start().clamp(0.0, 1.0), query.confidence.end().clamp(0.0, 1.0));
    let mut streams = Vec::new();
    for hundredth in hundredth(from)..=hundredth(to) {
        let rows = table.range_owned((hundredth, time.start)..(hundredth, time.end))?;
        let rows = rows.map(|row| row.map(|(key, bits)| (key.value().1, bits.value()))).filter_map(row.clone());
        streams.push(ordered(rows, query).peekable());
    }
    Ok(Box::new(Merged { streams, order: query.order }))
}

/// The ids recorded within a time.
fn ids_of_time(transaction: &ReadTransaction, time_ms: &Range<u64>) -> Result<Range<u64>, Fault> {
    let times = transaction.open_table(TIMES)?;
    let first_from = |at_ms: u64| -> Result<u64, Fault> {
        match times.range(at_ms..)?.next() {
            Some(row) => Ok(row?.1.value()),
            None => Ok(u64::MAX),
        }
    };
    Ok(first_from(time_ms.start)?..first_from(time_ms.end)?)
}

fn ordered(
    ids: impl DoubleEndedIterator<Item = Result<u64, Fault>> + Send + 'static,
    query: &Query,
) -> Box<dyn Iterator<Item = Result<u64, Fault>> + Send> {
    match query.order {
        Order::NewestFirst => Box::new(ids.rev()),
        Order::OldestFirst => Box::new(ids),
    }
}

/// Streams of ids, each in order, as one. There are at most 101, so the first of their heads is found by looking at all.
struct Merged {
    streams: Vec<Peekable<Ids>>,
    order: Order,
}

impl Iterator for Merged {
    type Item = Result<u64, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut first: Option<(usize, u64)> = None;
        for (index, stream) in self.streams.iter_mut().enumerate() {
            match stream.peek() {
                Some(Ok(id)) => {
                    let sooner = first.is_none_or(|(_, best)| match self.order {
                        Order::NewestFirst => *id > best,
                        Order::OldestFirst => *id < best,
                    });
                    if sooner {
                        first = Some((index, *id));
                    }
                }
                Some(Err(_)) => return stream.next(),
                None => {}
            }
        }
        first.and_then(|(index, _)| self.streams.get_mut(index)?.next())
    }
}

/// The entries a query is for; see [`Ledger::query`](super::Ledger::query).
pub struct Records {
    path: String,
    ids: Ids,
    /// Holds the snapshot.
    entries: ReadOnlyTable<u64, &'static [u8]>,
    left: usize,
}

impl Records {
    pub(super) fn new(transaction: &ReadTransaction, path: &str, query: &Query) -> Result<Self, Fault> {
        let (ids, entries) = (ids(transaction, query)?, transaction.open_table(ENTRIES)?);
        Ok(Self { path: path.to_owned(), ids, entries, left: query.limit.unwrap_or(usize::MAX) })
    }
}

impl Iterator for Records {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let Self { path, ids, entries, .. } = self;
        let record = guarded(path, "reading an entry", || {
            let Some(id) = ids.next().transpose()? else { return Ok(None) };
            match entries.get(id)? {
                Some(value) => Record::decode(id, value.value()).map(Some).map_err(|why| Fault::damaged(id, why)),
                None => Err(Fault::damaged(id, "an index names it, but it is not there".to_owned())),
            }
        });
        if !matches!(record, Ok(Some(_))) {
            self.left = 0;
        }
        record.map_err(Into::into).transpose()
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("path", &self.path).field("left", &self.left).finish_non_exhaustive()
    }
}
