//! The metrics, by name.

use metrics::{Counter, Gauge, Histogram, Unit};

use super::label::Label;

/// One metric: its name, what it is, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with its unit at the end as Prometheus has it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it counts or measures.
    pub unit: Unit,
    /// What it means, for whoever reads it on a dashboard.
    pub help: &'static str,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that only rises.
    Counter,
    /// A number that rises and falls.
    Gauge,
    /// How often values fell between bounds.
    Histogram,
}

impl Kind {
    /// What Prometheus calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Requests that have ended, by [`Ending`](super::Ending).
pub const REQUESTS: Metric = counter("consilience_requests_total", Unit::Count, "Requests that have ended, by how");

/// Requests that have begun and not ended.
pub const REQUESTS_IN_FLIGHT: Metric =
    gauge("consilience_requests_in_flight", Unit::Count, "Requests that have begun and not ended");

/// How long requests took.
pub const REQUEST_SECONDS: Metric =
    histogram("consilience_request_seconds", Unit::Seconds, "Time from the beginning of a request to its end");

/// Requests that a service has routed, by [`Way`](crate::orchestration::router::Way).
pub const REQUESTS_ROUTED: Metric =
    counter("consilience_requests_routed_total", Unit::Count, "Requests that were routed, by the way taken");

/// Times that no source was waited for any longer, by [`Stopped`](crate::orchestration::Stopped).
pub const REQUESTS_STOPPED: Metric = counter(
    "consilience_requests_stopped_total",
    Unit::Count,
    "Times that no source was waited for any longer, by why",
);

/// Calls of sources that have ended, by what became of them.
pub const SOURCE_CALLS: Metric =
    counter("consilience_source_calls_total", Unit::Count, "Calls of sources that have ended, by what became of them");

/// Calls of sources that have begun and not ended.
pub const SOURCE_CALLS_IN_FLIGHT: Metric =
    gauge("consilience_source_calls_in_flight", Unit::Count, "Calls of sources that have begun and not ended");

/// How long calls of sources took.
pub const SOURCE_SECONDS: Metric = histogram(
    "consilience_source_seconds",
    Unit::Seconds,
    "Time from asking a source to its answer, its failure or its being given up",
);

/// Tokens that models have read.
pub const TOKENS_IN: Metric =
    counter("consilience_tokens_in_total", Unit::Count, "Tokens that models have read for answers");

/// Tokens that models have written.
pub const TOKENS_OUT: Metric =
    counter("consilience_tokens_out_total", Unit::Count, "Tokens that models have written in answers");

/// Money spent.
pub const SPENT_MICROS: Metric =
    counter("consilience_spent_micros_total", Unit::Count, "Money spent on answers, in millionths");

/// Decisions of gates, by [`Reason`](crate::orchestration::gate::Reason).
pub const GATE_DECISIONS: Metric =
    counter("consilience_gate_decisions_total", Unit::Count, "Decisions of gates, by why");

/// Requests to batchers that have ended: answered, failed, expired, cancelled or rejected.
pub const BATCHER_REQUESTS: Metric =
    counter("consilience_batcher_requests_total", Unit::Count, "Requests to batchers that have ended, by how");

/// Requests that wait for a batch.
pub const BATCHER_QUEUED: Metric = gauge("consilience_batcher_queued", Unit::Count, "Requests that wait for a batch");

/// How long requests waited for their batch to begin.
pub const BATCHER_QUEUED_SECONDS: Metric =
    histogram("consilience_batcher_queued_seconds", Unit::Seconds, "Time from a request to the beginning of its batch");

/// How many requests there were in a batch.
pub const BATCH_REQUESTS: Metric = histogram("consilience_batch_requests", Unit::Count, "Requests in a batch");

/// How long batches took.
pub const BATCH_SECONDS: Metric =
    histogram("consilience_batch_seconds", Unit::Seconds, "Time that a batch was processed");

/// Results given to ledgers: recorded, below the threshold, or failed.
pub const LEDGER_RESULTS: Metric =
    counter("consilience_ledger_results_total", Unit::Count, "Results given to ledgers, by what became of them");

/// How long commits of ledgers took.
pub const LEDGER_COMMIT_SECONDS: Metric = histogram(
    "consilience_ledger_commit_seconds",
    Unit::Seconds,
    "Time that a commit took, from its first write to the disk having it",
);

/// All of them.
pub const METRICS: [Metric; 19] = [
    REQUESTS,
    REQUESTS_IN_FLIGHT,
    REQUEST_SECONDS,
    REQUESTS_ROUTED,
    REQUESTS_STOPPED,
    SOURCE_CALLS,
    SOURCE_CALLS_IN_FLIGHT,
    SOURCE_SECONDS,
    TOKENS_IN,
    TOKENS_OUT,
    SPENT_MICROS,
    GATE_DECISIONS,
    BATCHER_REQUESTS,
    BATCHER_QUEUED,
    BATCHER_QUEUED_SECONDS,
    BATCH_REQUESTS,
    BATCH_SECONDS,
    LEDGER_RESULTS,
    LEDGER_COMMIT_SECONDS,
];

/// A number that only rises.
#[must_use]
pub const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit, help }
}

/// A number that rises and falls.
#[must_use]
pub const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, help }
}

/// How often values fell between bounds.
#[must_use]
pub const fn histogram(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, unit, help }
}

impl Metric {
    /// Before a series is registered, so that whoever keeps it knows its unit.
    fn describe(&self) {
        let Self { name, kind, unit, help } = *self;
        match kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }

    pub(crate) fn counter(&self) -> Counter {
        self.describe();
        metrics::counter!(self.name)
    }

    pub(super) fn counter_of<L: Label>(&self, label: L) -> Counter {
        self.describe();
        metrics::counter!(self.name, L::KEY => label.name())
    }

    pub(crate) fn gauge(&self) -> Gauge {
        self.describe();
        metrics::gauge!(self.name)
    }

    pub(crate) fn histogram(&self) -> Histogram {
        self.describe();
        metrics::histogram!(self.name)
    }

    /// Registers the series of a label with the current recorder.
    pub fn histogram_of<L: Label>(&self, label: L) -> Histogram {
        self.describe();
        metrics::histogram!(self.name, L::KEY => label.name())
    }
}
