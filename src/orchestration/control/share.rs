//! A share of what comes, evenly spread.

use std::sync::atomic::{AtomicU64, Ordering};

/// A share that may be changed at any time, and who is in it.
#[derive(Debug)]
pub(crate) struct Share {
    /// Its bits. The number alone is shared; nothing else is published by it.
    share: AtomicU64,
    /// How many have come so far.
    came: AtomicU64,
}

impl Share {
    /// A share in [0, 1].
    pub(crate) fn new(share: f64) -> Self {
        Self { share: AtomicU64::new(share.to_bits()), came: AtomicU64::new(0) }
    }

    pub(crate) fn get(&self) -> f64 {
        f64::from_bits(self.share.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, share: f64) {
        self.share.store(share.to_bits(), Ordering::Relaxed);
    }

    /// Whether the next that comes is in it. Of any run so many are, to the next whole number.
    pub(crate) fn takes(&self) -> bool {
        let share = self.get();
        let before = self.came.fetch_add(1, Ordering::Relaxed) as f64;
        ((before + 1.0) * share).floor() > (before * share).floor()
    }
}
