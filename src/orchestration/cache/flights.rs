//! Answers that are being made, so that nobody else makes them meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::OnceCell;

use super::entry::Entry;
use super::key::Hash;
use crate::orchestration::lock::locked;

/// The answers that are being made, by the hash of their key.
pub(super) struct Flights<V, E>(Mutex<HashMap<Hash, Flight<V, E>>>);

/// An answer, or the failure that all get who waited for it. Whoever is first to wait makes it; if he goes, the next does.
pub(super) type Landing<V, E> = OnceCell<Result<Arc<Entry<V>>, E>>;

struct Flight<V, E> {
    seats: usize,
    landing: Arc<Landing<V, E>>,
}

/// A part in the making of an answer; the last to leave closes it.
pub(super) struct Seat<V, E> {
    flights: Arc<Flights<V, E>>,
    hash: Hash,
    pub landing: Arc<Landing<V, E>>,
}

impl<V, E> Flights<V, E> {
    pub fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Joins those who wait for an answer, or begins to make it.
    pub fn join(self: &Arc<Self>, hash: Hash) -> Seat<V, E> {
        self.take_seat(&mut self.all(), hash)
    }

    /// Begins to make an answer unless somebody does.
    pub fn begin(self: &Arc<Self>, hash: Hash) -> Option<Seat<V, E>> {
        let mut all = self.all();
        let free = all.get(&hash).is_none_or(|flight| flight.landing.initialized());
        free.then(|| self.take_seat(&mut all, hash))
    }

    /// Whether an answer is being made.
    pub fn is_under_way(&self, hash: &Hash) -> bool {
        self.all().get(hash).is_some_and(|flight| !flight.landing.initialized())
    }

    fn take_seat(self: &Arc<Self>, all: &mut HashMap<Hash, Flight<V, E>>, hash: Hash) -> Seat<V, E> {
        let flight = all.entry(hash).or_insert_with(Flight::begin);
        if flight.landing.initialized() {
            // Those who waited are about to leave; nothing that has landed, no failure least of all, is for later ones.
            *flight = Flight::begin();
        }
        flight.seats += 1;
        Seat { flights: Arc::clone(self), hash, landing: Arc::clone(&flight.landing) }
    }

    fn leave(&self, hash: &Hash, landing: &Arc<Landing<V, E>>) {
        let mut all = self.all();
        let Some(flight) = all.get_mut(hash).filter(|flight| Arc::ptr_eq(&flight.landing, landing)) else { return };
        flight.seats -= 1;
        if flight.seats == 0 {
            all.remove(hash);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Hash, Flight<V, E>>> {
        locked(&self.0)
    }
}

impl<V, E> Flight<V, E> {
    fn begin() -> Self {
        Self { seats: 0, landing: Arc::new(OnceCell::new()) }
    }
}

impl<V, E> Drop for Seat<V, E> {
    fn drop(&mut self) {
        self.flights.leave(&self.hash, &self.landing);
    }
}
