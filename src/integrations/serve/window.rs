//! What was measured of late: the interval that runs, and those before it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::meters::Status;
use crate::orchestration::lock::locked;
use crate::orchestration::{Cost, Track};

/// Intervals that are remembered: an hour of ten seconds each.
const REMEMBERED: usize = 360;

/// What was measured of the requests for answers that ended within an interval.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct Interval {
    /// When it ended, in seconds since the server began.
    pub at_s: f64,
    /// How long it was.
    pub seconds: f64,
    /// Requests that ended, whatever became of them, in a second.
    pub rate: f64,
    /// Requests that ended.
    pub requests: u64,
    /// Those that failed, by the sources or the server.
    pub errors: u64,
    /// Those that were not let in.
    pub refused: u64,
    /// The share of those let in that failed.
    pub error_rate: f64,
    /// The share of all that were not let in.
    pub shed: f64,
    /// Quantiles of the time that those let in took, in milliseconds, within 1 %; none where there were none.
    pub p50_ms: Option<f64>,
    /// As `p50_ms`.
    pub p95_ms: Option<f64>,
    /// As `p50_ms`.
    pub p99_ms: Option<f64>,
}

/// The same as the controller reads it.
pub(super) struct Turned {
    pub requests: u64,
    pub length: Duration,
    pub arrivals: u64,
    pub refused: u64,
    /// Of those let in; a success is an answer, or a refusal for which the client is to blame.
    pub track: Track,
}

#[derive(Debug)]
pub(super) struct Window {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    since: Instant,
    /// Of those let in; a success is an answer, or a refusal for which the client is to blame.
    track: Track,
    arrivals: u64,
    refused: u64,
    past: VecDeque<Interval>,
}

impl Window {
    pub(super) fn new() -> Self {
        let began = Instant::now();
        let state = State { since: began, track: Track::default(), arrivals: 0, refused: 0, past: VecDeque::new() };
        Self { began, state: Mutex::new(state) }
    }

    pub(super) fn uptime(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn arrived(&self) {
        locked(&self.state).arrivals += 1;
    }

    pub(super) fn count(&self, status: Status, took: Duration) {
        let mut state = locked(&self.state);
        match status {
            Status::TooMany | Status::Unavailable => state.refused += 1,
            _ => state.track.observe(status != Status::Server, took, Cost::default()),
        }
    }

    /// Ends the interval that runs, and begins another.
    pub(super) fn turn(&self) -> Turned {
        let now = Instant::now();
        let mut state = locked(&self.state);
        let (track, refused) = (std::mem::take(&mut state.track), std::mem::take(&mut state.refused));
        let (arrivals, length) = (std::mem::take(&mut state.arrivals), now - std::mem::replace(&mut state.since, now));
        let seconds = length.as_secs_f64();
        let let_in = track.observations();
        let (requests, errors) = (let_in + refused, let_in - track.successes());
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        let quantile = |q| track.quantile(q).map(|latency| latency.as_secs_f64() * 1e3);
        let interval = Interval {
            at_s: (now - self.began).as_secs_f64(),
            seconds,
            rate: if seconds > 0.0 { requests as f64 / seconds } else { 0.0 },
            requests,
            errors,
            refused,
            error_rate: share(errors, let_in),
            shed: share(refused, requests),
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
        };
        if state.past.len() == REMEMBERED {
            state.past.pop_front();
        }
        state.past.push_back(interval);
        Turned { requests, length, arrivals, refused, track }
    }

    /// The intervals that ended, the oldest first.
    pub(super) fn past(&self) -> Vec<Interval> {
        locked(&self.state).past.iter().cloned().collect()
    }
}
