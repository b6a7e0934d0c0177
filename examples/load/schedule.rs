//! When requests are due.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::args::Arrivals;
use crate::random;

/// A request that is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// How many there were before it.
    pub number: u64,
    /// When, from the beginning.
    pub at: Duration,
}

/// Hands out arrivals, each once, to whoever is free to send the next.
#[derive(Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    /// A second.
    rate: f64,
    length: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    number: u64,
    /// Poisson's last, in seconds.
    at: f64,
    random: SplitMix64,
    stopped: bool,
}

impl Schedule {
    pub fn new(arrivals: Arrivals, rate: f64, length: Duration, seed: u64) -> Self {
        let state = State { number: 0, at: 0.0, random: SplitMix64::seed_from_u64(seed), stopped: false };
        Self { arrivals, rate, length, state: Mutex::new(state) }
    }

    /// The next; `None` once all are handed out.
    pub fn next(&self) -> Option<Arrival> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.number;
        let at = match self.arrivals {
            // From its number, not from the one before: a sum would drift.
            Arrivals::Constant => number as f64 / self.rate,
            Arrivals::Poisson => state.at - (1.0 - random::unit(&mut state.random)).ln() / self.rate,
        };
        let at_time = Duration::from_secs_f64(at);
        if state.stopped || at_time >= self.length {
            state.stopped = true;
            return None;
        }
        state.at = at;
        state.number += 1;
        Some(Arrival { number, at: at_time })
    }

    /// Hands out no more.
    pub fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
    }

    /// How many were handed out.
    pub fn handed_out(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).number
    }
}
