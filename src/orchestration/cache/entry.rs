//! One answer that is kept.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Lifetime;
use super::generations::Stamp;
use super::key::Hash;
use crate::orchestration::fuse::Verdict;
use crate::orchestration::{Cost, Opinion, Reply};

/// What can be kept: it knows what it takes in memory.
pub trait Footprint: Send + Sync + 'static {
    /// The bytes it holds beside itself, on the heap; what others hold too is not counted.
    fn heap_bytes(&self) -> usize;
}

/// Until when an answer is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Expiry {
    /// Until when it is given as it is.
    pub fresh: Instant,
    /// Until when it is given while a new one is made; never before `fresh`.
    pub grace: Instant,
}

/// What an answer that is found saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Saved {
    /// What making it cost.
    pub cost: Cost,
    /// How long that took.
    pub latency: Duration,
}

/// An answer that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made<V> {
    /// The answer.
    pub value: V,
    /// What making it cost, the opinions it is made of included wherever they come from: what the next one to find it
    /// saves.
    pub cost: Cost,
    /// Until when it is good.
    pub expiry: Expiry,
}

/// An answer, and where it comes from.
#[derive(Debug)]
pub struct Cached<V> {
    /// The answer, shared with the cache.
    pub value: Arc<V>,
    /// Where it comes from.
    pub origin: Origin,
    /// How long ago it was made.
    pub age: Duration,
    /// Until when it is good.
    pub expiry: Expiry,
    /// What it would have taken to make it; nothing, where it was made for this request.
    pub saved: Saved,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// It was kept, and is fresh.
    Fresh,
    /// It was kept, and is past its lifetime but within its grace.
    Stale,
    /// It was being made for somebody else already.
    Joined,
    /// It was made for this request.
    Made,
}

/// An answer that is kept.
pub(super) struct Entry<V> {
    pub value: Arc<V>,
    pub made: Instant,
    pub expiry: Expiry,
    pub saved: Saved,
    /// Whose answers went into it.
    pub stamps: Arc<[Stamp]>,
    pub bytes: u64,
}

/// What a store holds for an entry beside it: the key twice, links, counts, the table's slot.
const BOOKKEEPING: usize = 256;

impl<V: Footprint> Entry<V> {
    pub fn new(value: V, expiry: Expiry, saved: Saved, stamps: Arc<[Stamp]>) -> Self {
        let shared = 2 * size_of::<usize>();
        let bytes = BOOKKEEPING
            + size_of::<Hash>()
            + (shared + size_of::<Self>())
            + (shared + size_of::<V>() + value.heap_bytes())
            + (shared + size_of_val(&*stamps));
        Self { value: Arc::new(value), made: Instant::now(), expiry, saved, stamps, bytes: bytes as u64 }
    }
}

impl<V> Entry<V> {
    pub fn give(&self, now: Instant, origin: Origin) -> Cached<V> {
        let saved = if origin == Origin::Made { Saved::default() } else { self.saved };
        let age = now.saturating_duration_since(self.made);
        Cached { value: Arc::clone(&self.value), origin, age, expiry: self.expiry, saved }
    }
}

impl Expiry {
    /// A lifetime that begins now.
    #[must_use]
    pub fn of(lifetime: Lifetime) -> Self {
        let fresh = later(Instant::now(), lifetime.fresh);
        Self { fresh, grace: later(fresh, lifetime.grace) }
    }

    /// What is made of both is good as long as both are.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self { fresh: self.fresh.min(other.fresh), grace: self.grace.min(other.grace) }
    }

    /// How an entry is given at a time; `None` once it is not given at all.
    pub(super) fn origin(self, now: Instant) -> Option<Origin> {
        if now < self.fresh { Some(Origin::Fresh) } else { (now < self.grace).then_some(Origin::Stale) }
    }
}

impl<V> Clone for Cached<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), ..*self }
    }
}

/// A time that no clock can tell is as far as thirty years.
fn later(from: Instant, by: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    from.checked_add(by).or_else(|| from.checked_add(FAR)).unwrap_or(from)
}

impl Footprint for Reply {
    fn heap_bytes(&self) -> usize {
        let values = match &self.opinion {
            Opinion::Probabilities(row) | Opinion::LogProbabilities(row) | Opinion::Logits(row) => row.capacity(),
            Opinion::Label { .. } | Opinion::Binary(_) | Opinion::Abstained => 0,
        };
        size_of::<f32>() * values + self.content.as_ref().map_or(0, String::capacity)
    }
}

impl Footprint for Verdict {
    fn heap_bytes(&self) -> usize {
        size_of::<f32>() * (self.posterior.capacity() + self.contributions.capacity())
    }
}
