//! What all requests share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{Semaphore, watch};

use super::Builder;
use super::buffers::Buffers;
use super::events::Telling;
use super::meters::Meters;
use super::options::Options;
use super::problem::Problem;
use super::steering::Steering;
use super::token::Token;
use super::window::Window;
use crate::engine::Engine;
use crate::error::{RequestError, Result};
use crate::orchestration::Service;
use crate::orchestration::lock::locked;
use crate::orchestration::service::Answer;
use crate::orchestration::telemetry::Exporter;

/// What all requests share.
pub(super) struct Shared {
    pub service: Arc<Service<str>>,
    pub engine: Arc<Engine>,
    /// The names of the classes; as many as there are, or none.
    pub labels: Vec<String>,
    pub options: Options,
    pub token: Option<Token>,
    pub exporter: Exporter,
    pub process: metrics_process::Collector,
    pub meters: Meters,
    pub window: Window,
    pub telling: Telling,
    pub steering: Steering,
    /// What bodies of batches are read into.
    pub buffers: Arc<Buffers>,
    /// One permit for each byte of a batch.
    pub batches: Arc<Semaphore>,
    rate: Option<DefaultDirectRateLimiter>,
    ready: AtomicBool,
    /// Whether what goes on for long is to end.
    pub ends: watch::Sender<bool>,
    next: AtomicU64,
    answers: Mutex<VecDeque<(u64, Arc<Answer>)>>,
    /// Whether something was learned that is not saved.
    pub learned: AtomicBool,
}

impl Shared {
    /// Out of what was put together.
    pub(super) fn new(builder: Builder) -> Result<Self> {
        let Builder { service, engine, labels, options, token, exporter, control, governed, forecaster, .. } = builder;
        let (process, meters, steering) = metrics::with_local_recorder(&exporter.recorder(), || {
            let process = metrics_process::Collector::default();
            process.describe();
            (process, Meters::new(), Steering::new(control, governed, forecaster, &service, &engine))
        });
        // They rise from one run to the next, so that nobody speaks of another's answer.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        Ok(Self {
            steering: steering?,
            service,
            engine,
            labels,
            token,
            exporter,
            process,
            meters,
            window: Window::new(),
            telling: Telling::new(options.most_told_a_second),
            buffers: Arc::new(Buffers::new(options.most_batch_bytes)),
            batches: Arc::new(Semaphore::new(options.most_batches_bytes)),
            rate: options.most_a_second.map(|most| RateLimiter::direct(Quota::per_second(most))),
            ready: AtomicBool::new(false),
            ends: watch::Sender::new(false),
            next: AtomicU64::new(u64::try_from(now).unwrap_or_default()),
            answers: Mutex::default(),
            learned: AtomicBool::new(false),
            options,
        })
    }

    /// The number of another request.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    pub(super) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
        self.meters.ready.set(f64::from(u8::from(ready)));
    }

    /// Lets a request in, unless some are turned away, or they come too often.
    fn admit(&self) -> Result<(), Problem> {
        if self.steering.turns_away() {
            let detail = "more requests come than are answered in time, so that a share of them is turned away";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(self.options.interval));
        }
        let Some(rate) = &self.rate else { return Ok(()) };
        rate.check().map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let most = self.options.most_a_second.map_or(0, std::num::NonZeroU32::get);
            let detail = format!("more requests come than the {most} in a second that are taken");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait)
        })
    }

    /// Keeps an answer until somebody says what would have been right, or many others came after it.
    pub(super) fn keep(&self, number: u64, answer: Arc<Answer>) {
        let mut answers = locked(&self.answers);
        if answers.len() >= self.options.kept_answers {
            answers.pop_front();
        }
        if self.options.kept_answers > 0 {
            answers.push_back((number, answer));
        }
    }

    /// Takes an answer that was kept, for which nobody else can say any more what would have been right.
    pub(super) fn kept(&self, number: u64) -> Result<Arc<Answer>> {
        let mut answers = locked(&self.answers);
        // Requests do not end in the order of their numbers.
        let place = answers.iter().rposition(|(kept, _)| *kept == number);
        let answer = place.and_then(|place| answers.remove(place)).map(|(_, answer)| answer);
        answer.ok_or_else(|| {
            let known = format!("the last {} whose truth nobody has told yet", answers.len());
            RequestError::UnknownName { what: "answer kept of a request", name: number.to_string(), known }.into()
        })
    }
}

/// A request for an answer or a fusion that was let in, before anything of its body was read.
pub(super) struct Admitted;

impl FromRequestParts<Arc<Shared>> for Admitted {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        shared.admit().map(|()| Self)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("service", &self.service).field("options", &self.options).finish_non_exhaustive()
    }
}
