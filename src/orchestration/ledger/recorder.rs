//! Recording from async code: many writers, few commits.

use std::sync::Arc;
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::Ledger;
use super::entry::{Encoded, Entry};
use super::fault::Fault;
use crate::error::{LedgerError, RequestError, Result};

/// Records results from async code on a thread of its own, which writes all that is waiting with one commit: while the
/// disk is busy with one, the next gathers. Nothing is acknowledged before its commit.
///
/// The thread ends when the recorder is shut down or dropped, after it has written what was waiting.
///
/// # Examples
///
/// *Recorded, and the file free again.*
///
/// ```
/// use std::sync::Arc;
///
/// use consilience::orchestration::Cost;
/// use consilience::orchestration::ledger::{Entry, Ledger, Recorder};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("results.redb");
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let recorder = Recorder::start(Arc::new(Ledger::open(&path, Default::default())?))?;
/// let entry = Entry {
///     decision: 0,
///     confidence: 0.9,
///     posterior: vec![0.9, 0.1],
///     content: None,
///     sources: vec![],
///     cost: Cost::default(),
///     elapsed: Default::default(),
/// };
/// assert_eq!(recorder.record(&entry).await?, Some(0));
/// recorder.shutdown().await;
/// assert!(recorder.record(&entry).await.unwrap_err().is_request());
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recorder {
    ledger: Arc<Ledger>,
    jobs: mpsc::Sender<Job>,
    /// One permit for each byte that may wait.
    room: Arc<Semaphore>,
    /// Closed when the thread has ended and let go of the ledger.
    ended: watch::Receiver<()>,
}

#[derive(Debug)]
enum Job {
    Record(Waiting),
    Stop,
}

#[derive(Debug)]
struct Waiting {
    encoded: Encoded,
    recorded: oneshot::Sender<Result<u64, LedgerError>>,
    /// Given back when the entry is written.
    _room: OwnedSemaphorePermit,
}

/// What a recorder is called in errors.
const NAME: &str = "the recorder of the ledger";

/// The most entries that wait, and that one commit takes.
const MOST_WAITING: usize = 1024;

/// The most bytes of entries that wait; a larger entry waits alone.
const MOST_WAITING_BYTES: usize = 32 << 20;

impl Recorder {
    /// Starts recording into a ledger, which may be read and written meanwhile.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(ledger: Arc<Ledger>) -> Result<Self> {
        let (jobs, waiting) = mpsc::channel(MOST_WAITING);
        let (ending, ended) = watch::channel(());
        let own = Arc::clone(&ledger);
        thread::Builder::new()
            .name("consilience-ledger".to_owned())
            .spawn(move || {
                write(&own, waiting);
                drop(own);
                drop(ending);
            })
            .map_err(|error| Fault::from(redb::Error::Io(error)).at(&ledger.path, "starting its thread"))?;
        Ok(Self { ledger, jobs, room: Arc::new(Semaphore::new(MOST_WAITING_BYTES)), ended })
    }

    /// The ledger that is recorded into.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Records a result; its number, once it is on the disk, or `None` where it lies below the threshold. It waits where
    /// too much is waiting already.
    ///
    /// Dropped before it is done, it leaves open whether the result is recorded.
    ///
    /// # Errors
    ///
    /// As [`Ledger::record`], or the recorder is shut down.
    pub async fn record(&self, entry: &Entry) -> Result<Option<u64>> {
        let Some(encoded) = Encoded::new(entry, &self.ledger.options, &self.ledger.path)? else {
            self.ledger.meters.below(1);
            return Ok(None);
        };
        let closed = || RequestError::Closed { what: NAME };
        let bytes = u32::try_from(encoded.bytes().min(MOST_WAITING_BYTES)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| closed())?;
        let (recorded, id) = oneshot::channel();
        self.jobs.send(Job::Record(Waiting { encoded, recorded, _room: room })).await.map_err(|_| closed())?;
        Ok(Some(id.await.map_err(|_| closed())??))
    }

    /// Takes no more results, writes those that are waiting, and ends the thread. Every call of [`Recorder::record`] that
    /// is under way is answered: with its number, or that the recorder is shut down.
    pub async fn shutdown(&self) {
        // Where it is not taken, the thread has ended, or is about to.
        let _ = self.jobs.send(Job::Stop).await;
        // Nothing is ever sent: a change is the end.
        let _ = self.ended.clone().changed().await;
    }
}

/// Writes what comes until there is nobody left to send anything.
fn write(ledger: &Ledger, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    while let Some(job) = jobs.blocking_recv() {
        let mut next = Some(job);
        while let Some(job) = next {
            match job {
                Job::Record(waiting) => batch.push(waiting),
                Job::Stop => jobs.close(),
            }
            next = if batch.len() < MOST_WAITING { jobs.try_recv().ok() } else { None };
        }
        let written = ledger.append(batch.iter().map(|waiting: &Waiting| &waiting.encoded));
        match written {
            // Whoever waited may have gone; then nobody is to be told.
            Ok(ids) => batch.drain(..).zip(ids).for_each(|(waiting, id)| drop(waiting.recorded.send(Ok(id)))),
            Err(error) => batch.drain(..).for_each(|waiting| drop(waiting.recorded.send(Err(error.clone())))),
        }
    }
}
