//! What is counted and timed while live sources are asked, and how it gets out.
//!
//! Every metric is named in [`METRICS`] with its kind, unit and help; every label is a variant of an enum ([`Label`]), so
//! that no name a caller chooses makes a new series. Names of sources and numbers of requests are fields of `tracing` spans
//! instead.
//!
//! Requests and calls are counted where a [`Telemetry`] is given; a gate, a batcher and a ledger count for themselves. Each
//! registers all its series, at zero, when it is made, with the recorder that is current then: the global one, or in a test
//! one of `metrics::with_local_recorder`. Several of a kind share their series.

mod buckets;
mod ending;
mod exporter;
mod label;
mod metric;
mod series;
mod underway;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, Histogram};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::info_span;

pub use self::buckets::{POWERS, SECONDS};
pub use self::ending::Ending;
pub use self::exporter::Exporter;
pub use self::label::{Label, PerVariant};
pub use self::metric::{
    BATCH_REQUESTS, BATCH_SECONDS, BATCHER_QUEUED, BATCHER_QUEUED_SECONDS, BATCHER_REQUESTS, GATE_DECISIONS, Kind,
    LEDGER_COMMIT_SECONDS, LEDGER_RESULTS, METRICS, Metric, REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT,
    REQUESTS_ROUTED, REQUESTS_STOPPED, SOURCE_CALLS, SOURCE_CALLS_IN_FLIGHT, SOURCE_SECONDS, SPENT_MICROS, TOKENS_IN,
    TOKENS_OUT, counter, gauge, histogram,
};
pub use self::underway::{Request, SourceCall};

use crate::orchestration::Stopped;
use crate::orchestration::router::Way;

/// Counts and times requests and the calls of sources they make; `F` is what becomes of a call.
///
/// # Examples
///
/// *One request that asks one source.*
///
/// ```
/// use consilience::orchestration::telemetry::{Ending, Exporter, Label, Telemetry};
///
/// #[derive(Clone, Copy, PartialEq)]
/// enum Fate {
///     Answered,
///     Cancelled,
/// }
///
/// impl Label for Fate {
///     const KEY: &'static str = "fate";
///     const ALL: &'static [Self] = &[Self::Answered, Self::Cancelled];
///
///     fn name(self) -> &'static str {
///         match self {
///             Self::Answered => "answered",
///             Self::Cancelled => "cancelled",
///         }
///     }
/// }
///
/// let exporter = Exporter::new();
/// let telemetry = metrics::with_local_recorder(&exporter.recorder(), || Telemetry::new(Fate::Cancelled));
/// let request = telemetry.begin();
/// request.ask("model").finish(Fate::Answered);
/// request.finish(Ending::Answered);
///
/// let text = exporter.render();
/// assert!(text.contains("consilience_requests_total{ending=\"answered\"} 1\n"));
/// assert!(text.contains("consilience_source_calls_total{fate=\"answered\"} 1\n"));
/// assert!(text.contains("consilience_source_calls_total{fate=\"cancelled\"} 0\n"));
/// ```
#[derive(Debug)]
pub struct Telemetry<F> {
    handles: Arc<Handles<F>>,
    /// The number of the next request.
    next: AtomicU64,
}

/// One handle per metric and label.
#[derive(Debug)]
struct Handles<F> {
    requests: PerVariant<Ending>,
    requests_in_flight: Gauge,
    request_seconds: Histogram,
    routed: PerVariant<Way>,
    stopped: PerVariant<Stopped>,
    calls: PerVariant<F>,
    calls_in_flight: Gauge,
    call_seconds: Histogram,
    tokens_in: Counter,
    tokens_out: Counter,
    spent_micros: Counter,
    /// What a call counts as that is dropped unfinished.
    dropped: F,
}

impl<F: Label> Telemetry<F> {
    /// Registers every series with the current recorder. A call that is dropped unfinished counts as `dropped`.
    #[must_use]
    pub fn new(dropped: F) -> Self {
        let handles = Handles {
            requests: PerVariant::new(&REQUESTS),
            requests_in_flight: REQUESTS_IN_FLIGHT.gauge(),
            request_seconds: REQUEST_SECONDS.histogram(),
            routed: PerVariant::new(&REQUESTS_ROUTED),
            stopped: PerVariant::new(&REQUESTS_STOPPED),
            calls: PerVariant::new(&SOURCE_CALLS),
            calls_in_flight: SOURCE_CALLS_IN_FLIGHT.gauge(),
            call_seconds: SOURCE_SECONDS.histogram(),
            tokens_in: TOKENS_IN.counter(),
            tokens_out: TOKENS_OUT.counter(),
            spent_micros: SPENT_MICROS.counter(),
            dropped,
        };
        Self { handles: Arc::new(handles), next: AtomicU64::new(0) }
    }

    /// A request begins: it is in flight until it is finished or dropped, and has a number and a span.
    pub fn begin(&self) -> Request<F> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let span = info_span!("request", id, ending = Empty);
        self.handles.requests_in_flight.increment(1.0);
        Request { handles: Arc::clone(&self.handles), id, span, began: Instant::now(), ending: Ending::Cancelled }
    }
}
