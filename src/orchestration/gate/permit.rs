//! Room at an expert, and the permits that take it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The room of one expert; the gate and its permits hold it together.
#[derive(Debug)]
pub(super) struct Seat {
    name: String,
    at_once: usize,
    in_flight: AtomicUsize,
    /// How long permits are held, in nanoseconds, as an exponential average; 0 before the first is given back.
    held: AtomicU64,
}

/// How far the average of the time that permits are held moves: one part in so many.
const INERTIA: u64 = 10;

impl Seat {
    pub(super) fn new(name: String, at_once: usize) -> Self {
        Self { name, at_once, in_flight: AtomicUsize::new(0), held: AtomicU64::new(0) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A permit, if there is room.
    pub(super) fn enter(seat: &Arc<Self>) -> Option<Permit> {
        let one_more = |busy: usize| (busy < seat.at_once).then_some(busy + 1);
        // The count alone is shared; nothing else is published by it.
        seat.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Permit { seat: Arc::clone(seat), since: Instant::now() })
    }

    /// When a full seat is likely to have room: permits come back evenly spread over the time that one is held. `None` where
    /// none came back yet.
    pub(super) fn next_room(&self) -> Option<Duration> {
        let nanos = self.held.load(Ordering::Relaxed);
        (nanos > 0).then(|| Duration::from_nanos(nanos / self.at_once as u64).max(Duration::from_millis(1)))
    }
}

/// Room at an expert for one request; dropped, it is given back.
#[derive(Debug)]
pub struct Permit {
    seat: Arc<Seat>,
    since: Instant,
}

impl Permit {
    /// The expert.
    #[must_use]
    pub fn expert(&self) -> &str {
        &self.seat.name
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let nanos = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        let average = |held: u64| {
            Some(match held {
                0 => nanos,
                // No overflow: the average lies between its terms.
                _ if nanos >= held => held + (nanos - held) / INERTIA,
                _ => held - (held - nanos) / INERTIA,
            })
        };
        // The closure always has a value.
        let _ = self.seat.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, average);
        self.seat.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
