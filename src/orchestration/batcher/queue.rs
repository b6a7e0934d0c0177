//! What waits, and in which order it is taken.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tokio::time::Instant;

use super::lists::{List, Lists, Place};
use super::submission::{Priority, Submission};

/// What waits: a lane for each caller of a priority, first come first served; lanes of one priority take turns; priorities
/// take turns by their weights. Every operation takes constant time.
pub(super) struct Queue<T> {
    requests: Lists<Request<T>>,
    lanes: Lists<Lane>,
    /// One for each priority.
    levels: [Level; Priority::ALL.len()],
    len: usize,
    bytes: usize,
}

struct Request<T> {
    lane: Place,
    bytes: usize,
    deadline: Option<Instant>,
    value: T,
}

/// What one caller has waiting at one priority; it is there only while there is anything.
struct Lane {
    level: usize,
    caller: u64,
    requests: List,
}

struct Level {
    /// In the order of their turns.
    lanes: List,
    by_caller: HashMap<u64, Place>,
    /// How many requests it may still give in this round.
    credits: u32,
}

/// How much may be taken at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub requests: usize,
    pub bytes: usize,
}

impl<T> Queue<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn push(&mut self, how: Submission, bytes: usize, value: T) -> Place {
        let level_index = how.priority as usize;
        let level = &mut self.levels[level_index];
        let lane = match level.by_caller.entry(how.caller) {
            Entry::Occupied(lane) => *lane.get(),
            Entry::Vacant(free) => {
                let lane = Lane { level: level_index, caller: how.caller, requests: List::EMPTY };
                *free.insert(self.lanes.push(&mut level.lanes, lane))
            }
        };
        let request = Request { lane, bytes, deadline: how.deadline, value };
        // A lane that is named is there.
        let mut unlisted = List::EMPTY;
        let list = self.lanes.get_mut(lane).map_or(&mut unlisted, |lane| &mut lane.requests);
        self.len += 1;
        self.bytes += bytes;
        self.requests.push(list, request)
    }

    /// Takes one request out, if it still waits.
    pub fn remove(&mut self, place: Place) -> Option<T> {
        let at = self.requests.get(place)?.lane;
        let lane = self.lanes.get_mut(at)?;
        let request = self.requests.remove(&mut lane.requests, place)?;
        if lane.requests.is_empty() {
            let level = &mut self.levels[lane.level];
            level.by_caller.remove(&lane.caller);
            self.lanes.remove(&mut level.lanes, at);
        }
        self.len -= 1;
        self.bytes -= request.bytes;
        Some(request.value)
    }

    /// Takes what is next, until there is nothing more or the next one does not fit beside the others. What has passed its
    /// deadline goes to `expired` and counts for nothing.
    pub fn take(&mut self, most: Most, now: Instant, batch: &mut Vec<T>, expired: &mut Vec<T>) {
        let mut room = most.bytes;
        while batch.len() < most.requests {
            let Some((place, level)) = self.next() else { break };
            let Some(request) = self.requests.get(place) else { break };
            if request.deadline.is_some_and(|deadline| deadline <= now) {
                expired.extend(self.remove(place));
                continue;
            }
            if request.bytes > room && !batch.is_empty() {
                break;
            }
            room = room.saturating_sub(request.bytes);
            let level = &mut self.levels[level];
            level.credits -= 1;
            self.lanes.rotate(&mut level.lanes);
            batch.extend(self.remove(place));
        }
    }

    /// The request that is next, and its level, which has a credit left.
    fn next(&mut self) -> Option<(Place, usize)> {
        let waits = |level: &Level| !level.lanes.is_empty();
        let index = match self.levels.iter().position(|level| waits(level) && level.credits > 0) {
            Some(index) => index,
            None => {
                let index = self.levels.iter().position(waits)?;
                self.begin_round();
                index
            }
        };
        let lane = self.lanes.get(self.lanes.first(&self.levels[index].lanes)?)?;
        Some((self.requests.first(&lane.requests)?, index))
    }

    fn begin_round(&mut self) {
        for (level, priority) in self.levels.iter_mut().zip(Priority::ALL) {
            level.credits = priority.weight();
        }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let level =
            |priority: Priority| Level { lanes: List::EMPTY, by_caller: HashMap::new(), credits: priority.weight() };
        Self { requests: Lists::new(), lanes: Lists::new(), levels: Priority::ALL.map(level), len: 0, bytes: 0 }
    }
}
