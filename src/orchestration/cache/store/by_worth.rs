//! A store from which goes what is least worth its bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Entry, Hash};
use crate::orchestration::router::Worth;

/// Entries ranked as [`Eviction::ByWorth`](super::Eviction::ByWorth) says.
pub(super) struct ByWorth<V> {
    most_bytes: u64,
    worth: Worth,
    bytes: u64,
    /// L, which never falls.
    floor: f64,
    /// Gets and insertions so far.
    uses: u64,
    slots: HashMap<Hash, Slot<V>>,
    /// The same entries, the next to go first.
    ranks: BTreeMap<Rank, Hash>,
}

struct Slot<V> {
    entry: Arc<Entry<V>>,
    /// f.
    frequency: u64,
    rank: Rank,
}

/// No two entries have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// The bits of what is neither negative nor no number, which are in the order of the numbers.
    worth: u64,
    /// The use it was given at.
    used: u64,
}

/// What an insertion did to other entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Went {
    pub replaced: bool,
    pub evicted: u64,
}

impl<V> ByWorth<V> {
    pub fn new(most_bytes: u64, worth: Worth) -> Self {
        let (slots, ranks) = (HashMap::new(), BTreeMap::new());
        Self { most_bytes, worth, bytes: 0, floor: 0.0, uses: 0, slots, ranks }
    }

    pub fn get(&mut self, hash: &Hash) -> Option<Arc<Entry<V>>> {
        let slot = self.slots.get_mut(hash)?;
        slot.frequency += 1;
        self.uses += 1;
        self.ranks.remove(&slot.rank);
        slot.rank = rank(self.floor, self.worth, self.uses, slot.frequency, &slot.entry);
        self.ranks.insert(slot.rank, *hash);
        Some(Arc::clone(&slot.entry))
    }

    /// A newer answer goes on with the frequency of the one it replaces.
    pub fn insert(&mut self, hash: Hash, entry: Arc<Entry<V>>) -> Went {
        let before = self.take(&hash);
        let frequency = before.as_ref().map_or(1, |slot| slot.frequency);
        self.uses += 1;
        let rank = rank(self.floor, self.worth, self.uses, frequency, &entry);
        self.bytes += entry.bytes;
        self.ranks.insert(rank, hash);
        self.slots.insert(hash, Slot { entry, frequency, rank });
        Went { replaced: before.is_some(), evicted: self.make_room() }
    }

    pub fn remove_if(&mut self, hash: &Hash, goes: impl FnOnce(&Arc<Entry<V>>) -> bool) -> bool {
        let found = self.slots.get(hash).is_some_and(|slot| goes(&slot.entry));
        found && self.take(hash).is_some()
    }

    pub fn remove_all(&mut self, goes: impl Fn(&Entry<V>) -> bool) -> u64 {
        let going: Vec<Hash> = self.slots.iter().filter(|(_, slot)| goes(&slot.entry)).map(|(hash, _)| *hash).collect();
        going.iter().filter(|hash| self.take(hash).is_some()).count() as u64
    }

    /// Entries and bytes.
    pub fn size(&self) -> (u64, u64) {
        (self.slots.len() as u64, self.bytes)
    }

    fn make_room(&mut self) -> u64 {
        let mut evicted = 0;
        while self.bytes > self.most_bytes {
            let Some((rank, hash)) = self.ranks.pop_first() else { break };
            self.floor = f64::from_bits(rank.worth);
            self.take(&hash);
            evicted += 1;
        }
        evicted
    }

    fn take(&mut self, hash: &Hash) -> Option<Slot<V>> {
        let slot = self.slots.remove(hash)?;
        self.ranks.remove(&slot.rank);
        self.bytes -= slot.entry.bytes;
        Some(slot)
    }
}

fn rank<V>(floor: f64, worth: Worth, used: u64, frequency: u64, entry: &Entry<V>) -> Rank {
    let saved = worth.of(entry.saved.latency, entry.saved.cost);
    Rank { worth: (floor + frequency as f64 * saved / entry.bytes as f64).to_bits(), used }
}
