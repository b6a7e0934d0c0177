//! One of the sources that a hybrid executor asks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::orchestration::Source;
use crate::orchestration::cache::Version;

/// A source, what its answers are kept under, and how they count.
pub struct Member<I: ?Sized> {
    pub(super) source: Arc<dyn Source<I>>,
    pub(super) version: Version,
    pub(super) weight: f32,
    pub(super) half_life: Option<Duration>,
}

impl<I: ?Sized> Member<I> {
    /// A source, with the revision of its model and settings: answers of one are never given for another. It weighs 1, and its
    /// answers stay as good as new.
    pub fn new(source: Arc<dyn Source<I>>, revision: impl AsRef<[u8]>) -> Self {
        let version = Version::new(source.name(), revision);
        Self { source, version, weight: 1.0, half_life: None }
    }

    /// The same with another weight, from 0 to [`MOST_WEIGHT`](crate::partial::MOST_WEIGHT).
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// The same with answers that count half after so long.
    #[must_use]
    pub fn half_life(mut self, half_life: Duration) -> Self {
        self.half_life = Some(half_life);
        self
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.version.name
    }
}

impl<I: ?Sized> fmt::Debug for Member<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("version", &self.version)
            .field("weight", &self.weight)
            .field("half_life", &self.half_life)
            .finish_non_exhaustive()
    }
}
