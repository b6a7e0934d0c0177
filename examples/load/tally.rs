//! What became of requests.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

use crate::Failure;

/// The longest time that is told from longer ones.
const LONGEST: Duration = Duration::from_secs(3600);

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It was answered.
    Answered(u16),
    /// No connection came about.
    Connect,
    /// The connection ended before the answer did.
    Broken,
    /// The answer was not there in time.
    TimedOut,
    /// No connection was free in time.
    Unsent,
}

impl Ending {
    pub fn is_success(self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(status) => write!(f, "{status}"),
            Self::Connect => f.write_str("not connected"),
            Self::Broken => f.write_str("cut off"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Unsent => f.write_str("never sent"),
        }
    }
}

impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Times of one kind, in nanoseconds, to three digits.
#[derive(Debug, Clone)]
pub struct Times(Histogram<u64>);

impl Times {
    pub fn new() -> Result<Self, Failure> {
        let longest = u64::try_from(LONGEST.as_nanos())?;
        Ok(Self(Histogram::new_with_max(longest, 3)?))
    }

    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub fn add(&mut self, other: &Self) {
        // They are all made with the same bounds, so no value of one is beyond the other.
        let _ = self.0.add(&other.0);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// `None` where there are no times.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.value_at_quantile(q)))
    }

    /// How many were longer, within the three digits.
    #[cfg(test)]
    pub fn longer_than(&self, time: Duration) -> u64 {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1);
        self.0.count_between(nanos.saturating_add(1), u64::MAX)
    }
}

/// What became of requests.
#[derive(Debug, Clone)]
pub struct Tally {
    /// From when a request was due until the last byte of its answer, of those that succeeded.
    pub latency: Times,
    /// From when it was sent until the last byte of its answer, of all that were answered, with whatever status.
    pub service: Times,
    /// How late requests were sent for which a connection was free: the generator's own fault.
    pub late: Times,
    /// How late others were sent, for which none was free.
    pub queued: Times,
    pub endings: BTreeMap<Ending, u64>,
}

impl Tally {
    pub fn new() -> Result<Self, Failure> {
        let new = Times::new;
        Ok(Self { latency: new()?, service: new()?, late: new()?, queued: new()?, endings: BTreeMap::new() })
    }

    /// Counts a request: when it was due, when it was sent, when it ended, and how.
    pub fn count(&mut self, due: Duration, sent: Duration, ended: Duration, ending: Ending) {
        *self.endings.entry(ending).or_default() += 1;
        if ending.is_success() {
            self.latency.record(ended.saturating_sub(due));
        }
        if matches!(ending, Ending::Answered(_)) {
            self.service.record(ended.saturating_sub(sent));
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.latency.add(&other.latency);
        self.service.add(&other.service);
        self.late.add(&other.late);
        self.queued.add(&other.queued);
        for (&ending, count) in &other.endings {
            *self.endings.entry(ending).or_default() += count;
        }
    }

    pub fn clear(&mut self) {
        self.latency.clear();
        self.service.clear();
        self.late.clear();
        self.queued.clear();
        self.endings.clear();
    }

    pub fn requests(&self) -> u64 {
        self.endings.values().sum()
    }

    pub fn errors(&self) -> u64 {
        self.endings.iter().filter(|(ending, _)| !ending.is_success()).map(|(_, count)| count).sum()
    }
}
