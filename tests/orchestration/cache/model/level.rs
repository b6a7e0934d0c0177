//! One level, kept in a list.

use std::collections::BTreeMap;
use std::time::Duration;

use consilience::orchestration::Cost;
use consilience::orchestration::cache::{Eviction, Expiry, LevelStats, Origin};
use tokio::time::Instant;

use super::{Found, Place, WORTH};

/// One level as simply as it can be.
pub struct Model {
    pub eviction: Option<Eviction>,
    most_bytes: u64,
    pub entries: BTreeMap<Place, Entry>,
    stats: LevelStats,
    uses: u64,
    floor: f64,
}

pub struct Entry {
    pub number: u32,
    pub made: Instant,
    pub expiry: Expiry,
    pub cost: Cost,
    pub latency: Duration,
    pub bytes: u64,
    frequency: u64,
    used: u64,
    rank: f64,
}

impl Entry {
    pub fn new(number: u32, expiry: Expiry, cost: Cost, latency: Duration, bytes: u64) -> Self {
        Self { number, made: Instant::now(), expiry, cost, latency, bytes, frequency: 0, used: 0, rank: 0.0 }
    }
}

impl Model {
    pub fn new(eviction: Option<Eviction>, most_bytes: u64) -> Self {
        let (entries, stats) = (BTreeMap::new(), LevelStats::default());
        Self { eviction, most_bytes, entries, stats, uses: 0, floor: 0.0 }
    }

    fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.bytes).sum()
    }

    fn touch(&mut self, at: Place) {
        self.uses += 1;
        if let Some(entry) = self.entries.get_mut(&at) {
            entry.frequency += 1;
            entry.used = self.uses;
            let saved = WORTH.of(entry.latency, entry.cost);
            entry.rank = self.floor + entry.frequency as f64 * saved / entry.bytes as f64;
        }
    }

    pub fn insert(&mut self, at: Place, mut entry: Entry) {
        if entry.bytes > self.most_bytes {
            self.stats.too_large += 1;
            return;
        }
        self.stats.inserted += 1;
        if let Some(before) = self.entries.remove(&at) {
            self.stats.replaced += 1;
            entry.frequency = before.frequency - 1;
        }
        self.entries.insert(at, entry);
        self.touch(at);
        while self.bytes() > self.most_bytes {
            let next = match self.eviction.expect("room") {
                Eviction::Lru => self.entries.iter().min_by_key(|(_, entry)| entry.used),
                _ => self.entries.iter().min_by(|(_, a), (_, b)| a.rank.total_cmp(&b.rank).then(a.used.cmp(&b.used))),
            };
            let (at, rank) = next.map(|(at, entry)| (*at, entry.rank)).expect("an entry");
            self.entries.remove(&at);
            self.stats.evicted += 1;
            self.floor = rank;
        }
    }

    pub fn look_up(&mut self, at: Place) -> Option<Found> {
        self.touch(at);
        let now = Instant::now();
        let Some(entry) = self.entries.get(&at) else {
            self.stats.misses += 1;
            return None;
        };
        if now >= entry.expiry.grace {
            self.entries.remove(&at);
            self.stats.misses += 1;
            self.stats.expired += 1;
            return None;
        }
        let stale = now >= entry.expiry.fresh;
        self.stats.hits += 1;
        self.stats.stale_hits += u64::from(stale);
        self.stats.saved += entry.cost;
        self.stats.saved_latency += entry.latency;
        Some(Found {
            number: entry.number,
            origin: if stale { Origin::Stale } else { Origin::Fresh },
            age: now - entry.made,
            cost: entry.cost,
            latency: entry.latency,
        })
    }

    pub fn invalidate(&mut self, source: Option<&str>) -> u64 {
        let before = self.entries.len();
        self.entries.retain(|at, _| source.is_some_and(|source| !at.is_of(source)));
        let gone = (before - self.entries.len()) as u64;
        self.stats.invalidated += gone;
        gone
    }

    pub fn stats(&self) -> LevelStats {
        let mut stats = self.stats;
        (stats.entries, stats.bytes) = (self.entries.len() as u64, self.bytes());
        stats
    }
}
