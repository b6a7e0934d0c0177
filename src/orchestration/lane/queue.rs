//! What waits, and in which order it is taken.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use tokio::time::Instant;

use crate::orchestration::batcher::Priority;

/// What waits, first come first served within its level; a level for each priority, whose jobs rise as they wait.
pub(super) struct Queue<T> {
    ageing: Duration,
    /// One for each priority, by the order of arrival.
    levels: [BTreeMap<u64, Waiting<T>>; Priority::ALL.len()],
    /// The next arrival.
    serial: u64,
}

/// What waits, and since when.
pub(super) struct Waiting<T> {
    pub since: Instant,
    pub value: T,
}

/// Where something waits, for as long as it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    priority: Priority,
    serial: u64,
}

impl<T> Queue<T> {
    pub fn new(ageing: Duration) -> Self {
        Self { ageing, levels: Default::default(), serial: 0 }
    }

    pub fn len(&self) -> usize {
        self.levels.iter().map(BTreeMap::len).sum()
    }

    /// How much came in with each priority.
    pub fn len_of_each(&self) -> [usize; Priority::ALL.len()] {
        self.levels.each_ref().map(BTreeMap::len)
    }

    pub fn push(&mut self, priority: Priority, since: Instant, value: T) -> Place {
        let place = Place { priority, serial: self.serial };
        self.serial += 1;
        self.levels[priority as usize].insert(place.serial, Waiting { since, value });
        place
    }

    /// Takes out what waits there, if it still does.
    pub fn remove(&mut self, place: Place) -> Option<T> {
        self.levels[place.priority as usize].remove(&place.serial).map(|waiting| waiting.value)
    }

    /// Takes out all that waits.
    pub fn drain(&mut self) -> Vec<T> {
        self.levels.iter_mut().flat_map(mem::take).map(|(_, waiting)| waiting.value).collect()
    }

    /// Takes what is next: of the highest level risen to, what came first. Of one priority that is always the first, so
    /// that only those compete.
    pub fn take(&mut self, now: Instant) -> Option<Waiting<T>> {
        let first = |(level, waiting): (usize, &BTreeMap<u64, Waiting<T>>)| {
            let (&serial, waiting) = waiting.first_key_value()?;
            Some((level.saturating_sub(self.risen(now, waiting.since)), serial, level))
        };
        let (_, _, level) = self.levels.iter().enumerate().filter_map(first).min()?;
        self.levels[level].pop_first().map(|(_, waiting)| waiting)
    }

    /// How many levels whatever has waited since then has risen.
    fn risen(&self, now: Instant, since: Instant) -> usize {
        let times = now.saturating_duration_since(since).as_nanos() / self.ageing.as_nanos().max(1);
        usize::try_from(times).unwrap_or(usize::MAX)
    }
}
