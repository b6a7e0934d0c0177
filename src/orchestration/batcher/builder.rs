//! How a batcher is set up.

use std::sync::{Arc, Mutex};
use std::thread;

use super::queue::Most;
use super::shared::{Limits, Shared};
use super::slot::Slot;
use super::{Batcher, Owner, Process};
use crate::error::{DeviceError, Result, SpecError};

/// How a [`Batcher`] is set up; from [`Batcher::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder<P> {
    process: P,
    limits: Limits,
}

impl<P: Process> Builder<P> {
    pub(super) fn new(process: P) -> Self {
        let batch = Most { requests: 1024, bytes: 16 << 20 };
        let queue = Most { requests: 16_384, bytes: 64 << 20 };
        Self { process, limits: Limits { name: "batcher", slots: 1, batch, queue } }
    }

    /// What it is called in errors, and by its threads; "batcher" unless said.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.limits.name = name;
        self
    }

    /// How many batches are processed at a time, each on a thread of its own; 1 unless said.
    pub const fn slots(mut self, slots: usize) -> Self {
        self.limits.slots = slots;
        self
    }

    /// The most requests in a batch; 1,024 unless said.
    pub const fn batch_requests(mut self, requests: usize) -> Self {
        self.limits.batch.requests = requests;
        self
    }

    /// The most bytes in a batch; 16 MiB unless said. No request may be larger.
    pub const fn batch_bytes(mut self, bytes: usize) -> Self {
        self.limits.batch.bytes = bytes;
        self
    }

    /// The most requests that wait at a time; 16,384 unless said.
    pub const fn queue_requests(mut self, requests: usize) -> Self {
        self.limits.queue.requests = requests;
        self
    }

    /// The most bytes that wait at a time; 64 MiB unless said.
    pub const fn queue_bytes(mut self, bytes: usize) -> Self {
        self.limits.queue.bytes = bytes;
        self
    }

    /// Starts the batcher's threads.
    ///
    /// # Errors
    ///
    /// A limit that is zero or too large, or the system gives no threads.
    pub fn build(self) -> Result<Batcher<P>> {
        let Limits { name, slots, batch, queue } = self.limits;
        within("the number of slots", slots, 1 << 10, "in [1, 2^10]")?;
        within("the most requests of a batch", batch.requests, 1 << 31, "in [1, 2^31]")?;
        within("the most requests of the queue", queue.requests, 1 << 31, "in [1, 2^31]")?;
        within("the most bytes of a batch", batch.bytes, usize::MAX, "at least 1")?;
        within("the most bytes of the queue", queue.bytes, usize::MAX, "at least 1")?;
        let shared = Arc::new(Shared::new(self.process, self.limits));
        // Dropped, as when a thread cannot be started, it ends those that were.
        let mut owner = Owner { shared, threads: Mutex::default() };
        let mut threads = Vec::with_capacity(slots);
        for index in 0..slots {
            let slot = Slot::new(Arc::clone(&owner.shared));
            // A thread's name ends at a zero byte.
            let thread = thread::Builder::new().name(format!("{}-{index}", name.replace('\0', "")));
            let spawned = thread.spawn(move || slot.serve());
            threads.push(spawned.map_err(|error| DeviceError::Threads { message: error.to_string() })?);
        }
        owner.threads = Mutex::new(threads);
        Ok(Batcher(Arc::new(owner)))
    }
}

/// Refuses a limit that is not from 1 to `most`.
pub(in crate::orchestration) fn within(what: &str, value: usize, most: usize, must: &'static str) -> Result<()> {
    Ok(SpecError::check(what, value as f64, must, (1..=most).contains(&value))?)
}
