//! One level of a cache: answers of one kind, found, kept, made.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Room;
use super::entry::{Cached, Entry, Footprint, Made, Origin, Saved};
use super::flights::{Flights, Seat};
use super::generations::{Generations, Stamp};
use super::key::{Hash, Key};
use super::stats::{Counts, LevelStats};
use super::store::Store;
use crate::orchestration::tasks::Tasks;

/// Answers of one kind; `E` is what keeps one from being made.
pub(super) struct Level<V, E> {
    most_bytes: u64,
    store: Store<V>,
    flights: Arc<Flights<V, E>>,
    generations: Arc<Generations>,
    counts: Arc<Counts>,
    /// Whether a failure says nothing to others who wait for the same answer.
    concerns_one: fn(&E) -> bool,
}

/// What a lookup found.
pub(in crate::orchestration) enum Found<V> {
    Hit(Cached<V>),
    /// There was one that is too old.
    Expired,
    Nothing,
}

impl<V> Found<V> {
    pub fn hit(self) -> Option<Cached<V>> {
        match self {
            Self::Hit(hit) => Some(hit),
            Self::Expired | Self::Nothing => None,
        }
    }
}

impl<V: Footprint, E: Clone + Send + Sync + 'static> Level<V, E> {
    pub fn new(room: Room, generations: Arc<Generations>, concerns_one: fn(&E) -> bool) -> Self {
        let counts = Arc::new(Counts::default());
        Self {
            // What a store takes in one entry is counted in 32 bits.
            most_bytes: room.bytes.min(u64::from(u32::MAX)),
            store: Store::new(room, Arc::clone(&counts)),
            flights: Arc::new(Flights::new()),
            generations,
            counts,
            concerns_one,
        }
    }

    /// One lookup.
    pub fn look_up(&self, key: &Key) -> Found<V> {
        let now = Instant::now();
        let Some(entry) = self.store.get(&key.hash) else {
            self.counts.misses.one();
            return Found::Nothing;
        };
        let Some(origin) = entry.expiry.origin(now) else {
            self.counts.misses.one();
            if self.store.remove(&key.hash, &entry) {
                self.counts.expired.one();
            }
            return Found::Expired;
        };
        let hit = entry.give(now, origin);
        self.counts.hit(hit.saved, origin == Origin::Stale);
        Found::Hit(hit)
    }

    /// Keeps an answer, if it may be kept.
    pub fn keep(&self, key: &Key, made: Made<V>, latency: Duration) -> Arc<Entry<V>> {
        let Made { value, cost, expiry } = made;
        let entry = Arc::new(Entry::new(value, expiry, Saved { cost, latency }, Arc::clone(&key.stamps)));
        if entry.expiry.origin(entry.made) != Some(Origin::Fresh) {
            self.counts.short_lived.one();
        } else if entry.bytes > self.most_bytes {
            self.counts.too_large.one();
        } else {
            let insert = || self.store.insert(key.hash, Arc::clone(&entry));
            if !self.generations.while_current(&key.stamps, insert) {
                self.counts.outdated.one();
            }
        }
        entry
    }

    /// A lookup, and what it does not find made, once for all who want it; what it finds stale made anew in the background.
    pub async fn get_or_make<F, A>(self: &Arc<Self>, key: &Key, refreshes: &Tasks, make: F) -> Result<Cached<V>, E>
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = Result<Made<V>, E>> + Send + 'static,
    {
        match self.look_up(key).hit() {
            Some(hit) => {
                if hit.origin == Origin::Stale {
                    self.refresh(key, refreshes, make);
                }
                Ok(hit)
            }
            None => self.take_part(&self.flights.join(key.hash), key, make).await,
        }
    }

    /// Has an answer made in the background, unless somebody makes it; whether that began.
    pub fn refresh<F, A>(self: &Arc<Self>, key: &Key, refreshes: &Tasks, make: F) -> bool
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = Result<Made<V>, E>> + Send + 'static,
    {
        let Some(seat) = self.flights.begin(key.hash) else { return false };
        let (level, key) = (Arc::clone(self), key.clone());
        let begun = refreshes.begin(async move {
            // It failed for itself: the stale answer stays for as long as it may.
            let _ = level.take_part(&seat, &key, make).await;
        });
        if begun {
            self.counts.refreshes.one()
        } else {
            self.counts.refreshes_refused.one()
        }
        begun
    }

    /// Whether somebody makes the answer.
    pub fn is_coming(&self, key: &Key) -> bool {
        self.flights.is_under_way(&key.hash)
    }

    /// Waits for the answer that is being made, or makes it.
    async fn take_part<F, A>(&self, seat: &Seat<V, E>, key: &Key, make: F) -> Result<Cached<V>, E>
    where
        F: FnOnce() -> A + Send,
        A: Future<Output = Result<Made<V>, E>> + Send,
    {
        let mut origin = Origin::Joined;
        let makes = &mut origin;
        let landed = seat.landing.get_or_try_init(|| async move {
            // Between this lookup and this flight another may have landed.
            if let Some(entry) = self.fresh(&key.hash) {
                return Ok(Ok(entry));
            }
            *makes = Origin::Made;
            self.make(key, make).await
        });
        let landed = landed.await?;
        if origin == Origin::Joined {
            self.counts.joined.one();
        }
        landed.as_ref().map(|entry| entry.give(Instant::now(), origin)).map_err(E::clone)
    }

    /// An answer, or what went wrong: for all who wait, or within an error of its own for one.
    async fn make<F, A>(&self, key: &Key, make: F) -> Result<Result<Arc<Entry<V>>, E>, E>
    where
        F: FnOnce() -> A,
        A: Future<Output = Result<Made<V>, E>>,
    {
        let began = Instant::now();
        let made = make().await;
        self.counts.made.one();
        match made {
            Ok(made) => Ok(Ok(self.keep(key, made, began.elapsed()))),
            Err(error) => {
                self.counts.failed.one();
                if (self.concerns_one)(&error) { Err(error) } else { Ok(Err(error)) }
            }
        }
    }

    fn fresh(&self, hash: &Hash) -> Option<Arc<Entry<V>>> {
        self.store.get(hash).filter(|entry| entry.expiry.origin(Instant::now()) == Some(Origin::Fresh))
    }

    /// Removes what went into a generation before this one, of one source or of any; how many entries.
    pub fn invalidate(&self, source: Option<&str>, generation: u64) -> u64 {
        let is_past =
            |stamp: &Stamp| stamp.generation < generation && source.is_none_or(|source| *stamp.source == *source);
        let removed = self.store.remove_all(|entry| entry.stamps.iter().any(is_past));
        self.counts.invalidated.add(removed);
        removed
    }

    pub fn stats(&self) -> LevelStats {
        let (entries, bytes) = self.store.settle();
        self.counts.stats(entries, bytes)
    }
}
