//! Where entries are held within their bytes: by recency or frequency in moka, by worth in a store of our own, for moka's
//! policies know no costs.

mod by_worth;

use std::sync::{Arc, Mutex};

use moka::notification::RemovalCause;
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;

use self::by_worth::ByWorth;
use super::entry::Entry;
use super::key::Hash;
use super::stats::Counts;
use super::{Eviction, Room};
use crate::orchestration::lock::locked;

/// Entries by the hash of their key. It counts what is inserted, replaced and evicted; what is removed counts whoever
/// removes it.
pub(super) struct Store<V> {
    held: Held<V>,
    counts: Arc<Counts>,
}

enum Held<V> {
    /// moka does not expire anything here: its clock is the machine's, and lifetimes are by tokio's.
    Moka(moka::sync::Cache<Hash, Arc<Entry<V>>>),
    ByWorth(Mutex<ByWorth<V>>),
}

impl<V: Send + Sync + 'static> Store<V> {
    pub fn new(room: Room, counts: Arc<Counts>) -> Self {
        let held = match room.eviction {
            Eviction::Lru => Held::Moka(moka(room.bytes, EvictionPolicy::lru(), &counts)),
            Eviction::TinyLfu => Held::Moka(moka(room.bytes, EvictionPolicy::tiny_lfu(), &counts)),
            Eviction::ByWorth(worth) => Held::ByWorth(Mutex::new(ByWorth::new(room.bytes, worth))),
        };
        Self { held, counts }
    }

    /// An entry, which counts as used.
    pub fn get(&self, hash: &Hash) -> Option<Arc<Entry<V>>> {
        match &self.held {
            Held::Moka(moka) => moka.get(hash),
            Held::ByWorth(held) => locked(held).get(hash),
        }
    }

    /// Holds an entry, in place of another of the same key, and lets others go for it, or itself.
    pub fn insert(&self, hash: Hash, entry: Arc<Entry<V>>) {
        self.counts.inserted.one();
        match &self.held {
            Held::Moka(moka) => {
                // As `remove` does, so that neither comes between what the other sees and what it does.
                moka.entry(hash).and_compute_with(|_| Op::Put(entry));
            }
            Held::ByWorth(held) => {
                let by_worth::Went { replaced, evicted } = locked(held).insert(hash, entry);
                self.counts.replaced.add(u64::from(replaced));
                self.counts.evicted.add(evicted);
            }
        }
    }

    /// Removes this entry; whether it was still there, and not a newer one.
    pub fn remove(&self, hash: &Hash, entry: &Arc<Entry<V>>) -> bool {
        match &self.held {
            Held::Moka(moka) => {
                let removed = moka.entry_by_ref(hash).and_compute_with(|found| {
                    let same = found.is_some_and(|found| Arc::ptr_eq(found.value(), entry));
                    if same { Op::Remove } else { Op::Nop }
                });
                matches!(removed, CompResult::Removed(_))
            }
            Held::ByWorth(held) => locked(held).remove_if(hash, |found| Arc::ptr_eq(found, entry)),
        }
    }

    /// Removes all entries of a kind; how many there were.
    pub fn remove_all(&self, is_of_kind: impl Fn(&Entry<V>) -> bool) -> u64 {
        match &self.held {
            Held::Moka(moka) => {
                let of_kind = moka.iter().filter(|(_, entry)| is_of_kind(entry));
                of_kind.filter(|(hash, entry)| self.remove(hash, entry)).count() as u64
            }
            Held::ByWorth(held) => locked(held).remove_all(is_of_kind),
        }
    }

    /// Does what was put off, and says how many entries are held and what they take in bytes.
    pub fn settle(&self) -> (u64, u64) {
        match &self.held {
            Held::Moka(moka) => {
                let mut before = None;
                loop {
                    // It works off its log piece by piece.
                    moka.run_pending_tasks();
                    let now = (moka.entry_count(), moka.weighted_size());
                    if before == Some(now) {
                        return now;
                    }
                    before = Some(now);
                }
            }
            Held::ByWorth(held) => locked(held).size(),
        }
    }
}

fn moka<V: Send + Sync + 'static>(
    bytes: u64,
    policy: EvictionPolicy,
    counts: &Arc<Counts>,
) -> moka::sync::Cache<Hash, Arc<Entry<V>>> {
    let counts = Arc::clone(counts);
    moka::sync::Cache::builder()
        .max_capacity(bytes)
        .eviction_policy(policy)
        // What would not fit into 32 bits is not inserted.
        .weigher(|_, entry: &Arc<Entry<V>>| u32::try_from(entry.bytes).unwrap_or(u32::MAX))
        .eviction_listener(move |_, _, cause| match cause {
            RemovalCause::Replaced => counts.replaced.one(),
            RemovalCause::Size => counts.evicted.one(),
            RemovalCause::Explicit | RemovalCause::Expired => {}
        })
        .build()
}
