//! Which answers are of the past because somebody said so.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The generation of each source. An answer belongs to the generations its key was made in and is kept only while they
/// last.
#[derive(Debug, Default)]
pub(super) struct Generations(RwLock<Now>);

#[derive(Debug, Default)]
struct Now {
    /// The newest generation of any source; numbers are never used twice.
    newest: u64,
    /// The generation of a source that has none of its own.
    of_all: u64,
    of: HashMap<Arc<str>, u64>,
}

/// One source in one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub source: Arc<str>,
    pub generation: u64,
}

impl Generations {
    /// The sources as they are now.
    pub fn stamps<'a>(&self, sources: impl IntoIterator<Item = &'a Arc<str>>) -> Arc<[Stamp]> {
        let now = self.read();
        let stamp = |source: &Arc<str>| Stamp { source: Arc::clone(source), generation: now.of(source) };
        sources.into_iter().map(stamp).collect()
    }

    /// Does something if no source has begun another generation, and lets none begin one until it is done; whether it did.
    pub fn while_current(&self, stamps: &[Stamp], act: impl FnOnce()) -> bool {
        let now = self.read();
        let current = stamps.iter().all(|stamp| stamp.generation == now.of(&stamp.source));
        if current {
            act();
        }
        current
    }

    /// Begins a generation of one source; its number.
    pub fn begin(&self, source: &str) -> u64 {
        let mut now = self.write();
        now.newest += 1;
        let newest = now.newest;
        now.of.insert(Arc::from(source), newest);
        newest
    }

    /// Begins a generation of every source; its number.
    pub fn begin_all(&self) -> u64 {
        let mut now = self.write();
        now.newest += 1;
        now.of_all = now.newest;
        now.of.clear();
        now.newest
    }

    /// Under the lock nothing panics but what a store would; what it guards is whole all the same.
    fn read(&self) -> RwLockReadGuard<'_, Now> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Now> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    fn of(&self, source: &str) -> u64 {
        self.of.get(source).copied().unwrap_or(self.of_all)
    }
}
