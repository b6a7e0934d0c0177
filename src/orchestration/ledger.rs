//! What was answered and what was learned, kept in a file that survives crashes.

mod audit;
mod entry;
mod fault;
mod file;
mod meters;
mod options;
mod query;
mod recorder;
mod tables;

use std::fmt;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use redb::{Database, Durability, ReadTransaction, ReadableDatabase, ReadableTableMetadata, WriteTransaction};

use self::entry::Encoded;
pub use self::entry::{Entry, Record, SourceFate};
use self::fault::{Fault, guarded};
use self::meters::Meters;
pub use self::options::Options;
pub use self::query::{Order, Query, Records};
pub use self::recorder::Recorder;
use self::tables::{ENTRIES, STATES, Tables};
use crate::error::{LedgerError, Result};
use crate::methods::learning::State;

/// A file of results, with what was learned beside them.
///
/// Results at or above a confidence are kept, each under a number of its own and the time of its recording, and found
/// again by time, decision and confidence. Whatever a call has acknowledged is on the disk: a process killed at any moment
/// loses nothing of it, and neither does a machine that loses power, as far as its disk keeps what it says it has stored.
///
/// One ledger at a time has the file open; a second one, in this process or another, is refused. The calls here block for
/// as long as the disk takes; in async code [`Recorder`] writes, and reading belongs on a thread that may block.
///
/// # Examples
///
/// *One result kept, one too uncertain to be, and what is found.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::Cost;
/// use consilience::orchestration::ledger::{Entry, Ledger, Query, SourceFate};
///
/// let directory = tempfile::tempdir()?;
/// let ledger = Ledger::open(directory.path().join("results.redb"), Default::default())?;
/// let entry = Entry {
///     decision: 1,
///     confidence: 0.75,
///     posterior: vec![0.25, 0.75],
///     content: Some("a dog".to_owned()),
///     sources: vec![SourceFate { name: "model".to_owned(), fate: "answered".to_owned() }],
///     cost: Cost::CALL,
///     elapsed: Duration::from_millis(12),
/// };
/// let id = ledger.record(&entry)?.expect("0.75 is above the threshold of 0.6");
/// assert_eq!(ledger.record(&Entry { confidence: 0.5, ..entry.clone() })?, None);
///
/// let dogs: Vec<_> = ledger.query(&Query { decision: Some(1), ..Query::default() })?.collect::<Result<_, _>>()?;
/// assert_eq!(dogs.len(), 1);
/// assert_eq!((dogs[0].id, &dogs[0].entry), (id, &entry));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ledger {
    /// The file as errors name it.
    path: String,
    options: Options,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    meters: Meters,
    /// Holds the file's lock; `None` once it is closed, which dropping the ledger does.
    database: Option<Database>,
}

/// How many entries one commit removes at most, so that none takes long or much memory.
const REMOVED_AT_ONCE: u64 = 4096;

impl Ledger {
    /// Opens the ledger at `path`, or makes an empty one where there is no file. A process killed while it makes one leaves
    /// none, and perhaps a file beside it whose name begins with `.ledger-`, which may be removed.
    ///
    /// # Errors
    ///
    /// An option outside its range; the system refuses; another ledger has the file open; the file is something else, of
    /// a newer version, or damaged.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        Self::open_with_clock(path, options, SystemTime::now)
    }

    /// [`Ledger::open`] with another clock than the system's. However the clock goes, the times of entries never fall.
    ///
    /// # Errors
    ///
    /// As [`Ledger::open`].
    pub fn open_with_clock(
        path: impl AsRef<Path>,
        options: Options,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self> {
        options.check()?;
        let name = path.as_ref().display().to_string();
        let database = file::open(path.as_ref(), &name, &options)?;
        Ok(Self { path: name, options, clock: Box::new(clock), meters: Meters::new(), database: Some(database) })
    }

    /// What it keeps, and how much.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Records a result; its number, once it is on the disk, or `None` where it lies below the threshold.
    ///
    /// Every call waits for a commit of its own; [`Ledger::record_all`] and [`Recorder`] write many results with one.
    ///
    /// # Errors
    ///
    /// A value of the entry is outside its range, the entry is too large, or the store refuses. The entry is not recorded
    /// then, except where the disk failed in the middle of a commit: whether it is, the next opening decides.
    pub fn record(&self, entry: &Entry) -> Result<Option<u64>> {
        Ok(self.record_all(std::slice::from_ref(entry))?.pop().flatten())
    }

    /// Records results in this order with one commit: all of them or, on an error, none.
    ///
    /// # Errors
    ///
    /// As [`Ledger::record`].
    pub fn record_all(&self, entries: &[Entry]) -> Result<Vec<Option<u64>>> {
        let encoded: Vec<Option<Encoded>> =
            entries.iter().map(|entry| Encoded::new(entry, &self.options, &self.path)).collect::<Result<_>>()?;
        self.meters.below(encoded.iter().filter(|kept| kept.is_none()).count());
        let mut ids = self.append(encoded.iter().flatten())?.into_iter();
        Ok(encoded.iter().map(|kept| kept.as_ref().and_then(|_| ids.next())).collect())
    }

    fn append<'e>(&self, entries: impl Iterator<Item = &'e Encoded> + Clone) -> Result<Vec<u64>, LedgerError> {
        let results = entries.clone().count();
        if results == 0 {
            return Ok(Vec::new());
        }
        let ids = self.write("recording", |transaction| {
            let mut tables = Tables::open(transaction)?;
            let now = self.now_ms();
            let ids = entries.map(|encoded| tables.append(now, encoded)).collect::<Result<_, _>>()?;
            tables.keep_within(self.options.most_entries, self.options.most_bytes)?;
            Ok(ids)
        });
        self.meters.written(results, ids.is_ok());
        ids
    }

    /// The entry of a number; `None` where there is none, or no longer.
    ///
    /// # Errors
    ///
    /// The store refuses, or the entry is damaged.
    pub fn get(&self, id: u64) -> Result<Option<Record>> {
        let found = self.read("reading an entry", |transaction| {
            let Some(value) = transaction.open_table(ENTRIES)?.get_owned(id)? else { return Ok(None) };
            Record::decode(id, value.value()).map(Some).map_err(|why| Fault::damaged(id, why))
        })?;
        Ok(found)
    }

    /// The entries a query is for, one by one, as they are now: later changes are not seen. While the iterator lives, the
    /// room of entries removed meanwhile is not used again.
    ///
    /// # Errors
    ///
    /// The query asks for a range that is none, or the store refuses.
    pub fn query(&self, query: &Query) -> Result<Records> {
        query.check()?;
        Ok(self.read("querying", |transaction| Records::new(transaction, &self.path, query))?)
    }

    /// How many entries a query is for, whatever its limit; no entry is read.
    ///
    /// # Errors
    ///
    /// As [`Ledger::query`].
    pub fn count(&self, query: &Query) -> Result<u64> {
        query.check()?;
        Ok(self.read("counting", |transaction| {
            if query.is_for_all() {
                return Ok(transaction.open_table(ENTRIES)?.len()?);
            }
            query::ids(transaction, query)?.try_fold(0, |count, id| id.map(|_| count + 1))
        })?)
    }

    /// Removes the entries recorded before a time, in milliseconds since the Unix epoch; how many there were.
    ///
    /// # Errors
    ///
    /// The store refuses, or an entry is damaged. Some of the entries may be gone then, the oldest first.
    pub fn forget_before(&self, at_ms: u64) -> Result<u64> {
        let mut all = 0;
        loop {
            let removed = self
                .write("forgetting", |transaction| Tables::open(transaction)?.remove_before(at_ms, REMOVED_AT_ONCE))?;
            all += removed;
            if removed < REMOVED_AT_ONCE {
                return Ok(all);
            }
        }
    }

    /// Saves what was learned under a name, in place of what was saved under it before; it is on the disk when this
    /// returns.
    ///
    /// # Errors
    ///
    /// `Serialize` fails, or the store refuses.
    pub fn save_state(&self, name: &str, state: &impl State) -> Result<()> {
        let text = state.to_text()?;
        self.write("saving state", |transaction| {
            transaction.open_table(STATES)?.insert(name, text.as_str())?;
            Ok(())
        })?;
        Ok(())
    }

    /// What was saved under a name; `None` where nothing was.
    ///
    /// # Errors
    ///
    /// The store refuses, or what was saved is of another kind or version, or damaged.
    pub fn load_state<S: State>(&self, name: &str) -> Result<Option<S>> {
        let text = self.read("loading state", |transaction| {
            Ok(transaction.open_table(STATES)?.get_owned(name)?.map(|text| text.value().to_owned()))
        })?;
        text.map(|text| S::from_text(&text)).transpose()
    }

    /// Reads everything and checks that checksums hold and that every index names every entry and nothing else.
    ///
    /// # Errors
    ///
    /// The store refuses, or the first entry, or row of an index, that does not fit.
    pub fn audit(&self) -> Result<()> {
        Ok(self.read("auditing", audit::audit)?)
    }

    fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        guarded(&self.path, doing, || work(&self.database()?.begin_read()?))
    }

    fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        guarded(&self.path, doing, || {
            let mut transaction = self.database()?.begin_write()?;
            let began = Instant::now();
            // A commit returns when the disk has it. One sync is enough: every page has a checksum, and a commit that is
            // found torn gives way to the one before it.
            transaction.set_durability(Durability::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            self.meters.committed(began.elapsed());
            Ok(done)
        })
    }

    fn database(&self) -> Result<&Database, Fault> {
        self.database.as_ref().ok_or(Fault::Store(redb::Error::DatabaseClosed))
    }

    /// The time in milliseconds since the Unix epoch; zero before it.
    fn now_ms(&self) -> u64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Ledger {
    /// Closes the file. Everything acknowledged is on the disk already: where closing fails, or panics on an altered file,
    /// only the next opening takes longer.
    fn drop(&mut self) {
        let Some(database) = self.database.take() else { return };
        if let Err(error) = guarded(&self.path, "closing", || Ok(database.close()?)) {
            tracing::warn!(%error, "the ledger was not closed cleanly");
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).field("options", &self.options).finish_non_exhaustive()
    }
}
