//! How requests were carried out of late, and what can be told from it.

mod effect;
mod insight;
mod quality;
mod recommendation;
mod record;
mod share;
mod trend;

use serde::{Deserialize, Serialize};

pub use self::effect::{Against, Effect};
pub use self::insight::Insight;
pub use self::quality::Quality;
pub use self::recommendation::Recommendation;
pub use self::record::Record;
pub use self::share::Share;
pub use self::trend::Trend;
use crate::error::{Result, SpecError};
use crate::orchestration::Dependencies;

/// The last so many [`Record`]s: a new one takes the place of the oldest.
///
/// # Examples
///
/// *Room for two of three.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::History;
/// use consilience::orchestration::history::Record;
/// use consilience::orchestration::selector::Arm;
///
/// let mut history = History::new(2)?;
/// for millis in [10, 20, 40] {
///     history.record(Record::new(0, Arm::Sequential, Duration::from_millis(millis)))?;
/// }
/// let found = history.diagnostics(None);
/// assert_eq!((found.records, found.overwritten), (2, 1));
/// assert_eq!(found.arms[0].latency, Duration::from_millis(30));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    capacity: usize,
    /// Record n at n mod capacity.
    records: Vec<Record>,
    /// Where the next goes, and how many there were.
    next: usize,
    recorded: u64,
}

/// What can be told from a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// The records it is told from.
    pub records: u64,
    /// Those before them, which are gone.
    pub overwritten: u64,
    /// How good estimates are; `None` where there were none.
    pub quality: Option<Quality>,
    /// How well each arm does that was taken, in the order of [`Arm::ALL`](crate::orchestration::selector::Arm::ALL).
    pub arms: Vec<Effect>,
    /// What is known of each class, in the order of their numbers.
    pub classes: Vec<Insight>,
    /// Whether latencies rise or fall, each class compared with itself.
    pub trend: Option<Trend>,
    /// What should be looked into.
    pub recommendations: Vec<Recommendation>,
}

impl History {
    /// The records that [`History::default`] has room for.
    pub const CAPACITY: usize = 10_000;

    /// Room for so many records, which is taken at once.
    ///
    /// # Errors
    ///
    /// Room for none, or for more than 2^24.
    pub fn new(capacity: usize) -> Result<Self> {
        let holds = (1..=1 << 24).contains(&capacity);
        SpecError::check("the capacity of the history", capacity as f64, "in [1, 2^24]", holds)?;
        Ok(Self { capacity, records: Vec::with_capacity(capacity), next: 0, recorded: 0 })
    }

    /// Takes in how a request was carried out; the answer is the record's number, from 0.
    ///
    /// # Errors
    ///
    /// More expired than missed, or an agreement or a correctness outside [0, 1]. Nothing is recorded then.
    pub fn record(&mut self, record: Record) -> Result<u64> {
        record.check()?;
        match self.records.get_mut(self.next) {
            Some(oldest) => *oldest = record,
            None => self.records.push(record),
        }
        self.next = if self.next + 1 == self.capacity { 0 } else { self.next + 1 };
        self.recorded += 1;
        Ok(self.recorded - 1)
    }

    /// Learns how right the answer of a record was; `false` where the record is no longer there, or not yet.
    ///
    /// # Errors
    ///
    /// A correctness outside [0, 1].
    pub fn learn(&mut self, number: u64, correctness: f32) -> Result<bool> {
        let holds = (0.0..=1.0).contains(&correctness);
        SpecError::check("the correctness", f64::from(correctness), "in [0, 1]", holds)?;
        let oldest = self.recorded - self.records.len() as u64;
        if !(oldest..self.recorded).contains(&number) {
            return Ok(false);
        }
        let record = &mut self.records[(number % self.capacity as u64) as usize];
        record.correctness = Some(correctness);
        Ok(true)
    }

    /// The records there are, the oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        // Until it is full, the next goes behind the last.
        let (newest, oldest) = self.records.split_at(self.next.min(self.records.len()));
        oldest.iter().chain(newest)
    }

    /// How many records there were, those that are gone among them.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    /// All that can be told, and of `sources` which of them err together.
    #[must_use]
    pub fn diagnostics(&self, sources: Option<&Dependencies>) -> Diagnostics {
        let records = self.records.len() as u64;
        let (classes, trend) = Insight::of(self.records());
        let mut found = Diagnostics {
            records,
            overwritten: self.recorded - records,
            quality: Quality::of(self.records()),
            arms: Effect::of(self.records()),
            classes,
            trend,
            recommendations: Vec::new(),
        };
        found.recommendations = Recommendation::of(&found, sources);
        found
    }
}

impl Default for History {
    /// Room for [`History::CAPACITY`] records.
    fn default() -> Self {
        let records = Vec::with_capacity(Self::CAPACITY);
        Self { capacity: Self::CAPACITY, records, next: 0, recorded: 0 }
    }
}
