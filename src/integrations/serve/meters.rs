//! Requests counted and timed as they pass.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Gauge, Histogram, Unit};
use tokio::time::Instant;

use super::shared::Shared;
use crate::orchestration::telemetry::{Label, Metric, PerVariant, counter, gauge, histogram};

/// Requests over HTTP that have ended, by [`Status`].
pub const HTTP_REQUESTS: Metric =
    counter("consilience_http_requests_total", Unit::Count, "Requests over HTTP that have ended, by their status");

/// How long answers took, by [`Route`].
pub const HTTP_SECONDS: Metric = histogram(
    "consilience_http_seconds",
    Unit::Seconds,
    "Time from the head of a request over HTTP to the head of its answer, by route",
);

/// Requests over HTTP that have begun and not ended.
pub const HTTP_IN_FLIGHT: Metric =
    gauge("consilience_http_in_flight", Unit::Count, "Requests over HTTP that have begun and not ended");

/// Whether requests are taken: 1, or 0 before and after that.
pub const READY: Metric = gauge("consilience_ready", Unit::Count, "Whether requests are taken: 1 or 0");

/// How a request over HTTP ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// As it should.
    Ok,
    /// By a fault of whoever sent it.
    Client,
    /// It came too often: status 429.
    TooMany,
    /// There was no room, or it was shed: status 503.
    Unavailable,
    /// By any other fault of the server, or of the sources.
    Server,
}

impl Status {
    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            _ if status.is_server_error() => Self::Server,
            _ if status.is_client_error() => Self::Client,
            _ => Self::Ok,
        }
    }
}

impl Label for Status {
    const KEY: &'static str = "status";
    const ALL: &'static [Self] = &[Self::Ok, Self::Client, Self::TooMany, Self::Unavailable, Self::Server];

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "2xx",
            Self::Client => "4xx",
            Self::TooMany => "429",
            Self::Unavailable => "503",
            Self::Server => "5xx",
        }
    }
}

/// What a request over HTTP is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are named after the paths")]
pub enum Route {
    Process,
    Feedback,
    Fuse,
    Strategy,
    Control,
    Metrics,
    Events,
    Health,
    Scrape,
    Page,
    Openapi,
    /// A path that there is not.
    Other,
}

impl Route {
    fn of(request: &Request) -> Self {
        match request.extensions().get::<MatchedPath>().map(MatchedPath::as_str) {
            Some("/api/v1/unified/process") => Self::Process,
            Some("/api/v1/unified/feedback") => Self::Feedback,
            Some("/api/v1/fuse") => Self::Fuse,
            Some("/api/v1/unified/strategy") => Self::Strategy,
            Some("/api/v1/unified/control") => Self::Control,
            Some("/api/v1/unified/metrics") => Self::Metrics,
            Some("/api/v1/events") => Self::Events,
            Some("/health" | "/health/live" | "/health/ready") => Self::Health,
            Some("/metrics") => Self::Scrape,
            Some("/") => Self::Page,
            Some("/openapi.json") => Self::Openapi,
            _ => Self::Other,
        }
    }
}

impl Label for Route {
    const KEY: &'static str = "route";
    const ALL: &'static [Self] = &[
        Self::Process,
        Self::Feedback,
        Self::Fuse,
        Self::Strategy,
        Self::Control,
        Self::Metrics,
        Self::Events,
        Self::Health,
        Self::Scrape,
        Self::Page,
        Self::Openapi,
        Self::Other,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Feedback => "feedback",
            Self::Fuse => "fuse",
            Self::Strategy => "strategy",
            Self::Control => "control",
            Self::Metrics => "metrics",
            Self::Events => "events",
            Self::Health => "health",
            Self::Scrape => "scrape",
            Self::Page => "page",
            Self::Openapi => "openapi",
            Self::Other => "other",
        }
    }
}

/// One handle per series.
#[derive(Debug)]
pub(super) struct Meters {
    requests: PerVariant<Status>,
    seconds: Vec<Histogram>,
    in_flight: Gauge,
    pub(super) ready: Gauge,
}

impl Meters {
    /// Registers every series with the current recorder.
    pub(super) fn new() -> Self {
        Self {
            requests: PerVariant::new(&HTTP_REQUESTS),
            seconds: Route::ALL.iter().map(|&route| HTTP_SECONDS.histogram_of(route)).collect(),
            in_flight: HTTP_IN_FLIGHT.gauge(),
            ready: READY.gauge(),
        }
    }
}

/// A request in flight; it has left when this is dropped, however that comes about.
struct InFlight<'a>(&'a Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts and times a request. One whose client goes away is in flight no more, and counted nowhere else.
pub(super) async fn measure(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let route = Route::of(&request);
    let began = Instant::now();
    let meters = &shared.meters;
    meters.in_flight.increment(1.0);
    let _in_flight = InFlight(&meters.in_flight);
    if route == Route::Process {
        shared.window.arrived();
    }
    let response = next.run(request).await;
    let (took, status) = (began.elapsed(), Status::of(response.status()));
    meters.requests.count(status);
    if let Some(seconds) = meters.seconds.get(route as usize) {
        seconds.record(took);
    }
    if route == Route::Process {
        shared.window.count(status, took);
    }
    response
}
