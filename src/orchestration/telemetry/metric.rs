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
pub const REQUESTS_IN_FLIGHT: Metric = Metric {
    name: "consilience_requests_in_flight",
    kind: Kind::Gauge,
    unit: Unit::Count,
    help: "Requests that have begun and not ended",
};

/// How long requests took.
pub const REQUEST_SECONDS: Metric = Metric {
    name: "consilience_request_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time from the beginning of a request to its end",
};

/// Calls of sources that have ended, by what became of them.
pub const SOURCE_CALLS: Metric =
    counter("consilience_source_calls_total", Unit::Count, "Calls of sources that have ended, by what became of them");

/// Calls of sources that have begun and not ended.
pub const SOURCE_CALLS_IN_FLIGHT: Metric = Metric {
    name: "consilience_source_calls_in_flight",
    kind: Kind::Gauge,
    unit: Unit::Count,
    help: "Calls of sources that have begun and not ended",
};

/// How long calls of sources took.
pub const SOURCE_SECONDS: Metric = Metric {
    name: "consilience_source_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time from asking a source to its answer, its failure or its being given up",
};

/// Tokens that models have read.
pub const TOKENS_IN: Metric =
    counter("consilience_tokens_in_total", Unit::Count, "Tokens that models have read for answers");

/// Tokens that models have written.
pub const TOKENS_OUT: Metric =
    counter("consilience_tokens_out_total", Unit::Count, "Tokens that models have written in answers");

/// Money spent.
pub const SPENT_MICROS: Metric =
    counter("consilience_spent_micros_total", Unit::Count, "Money spent on answers, in millionths");

/// All of them.
pub const METRICS: [Metric; 9] = [
    REQUESTS,
    REQUESTS_IN_FLIGHT,
    REQUEST_SECONDS,
    SOURCE_CALLS,
    SOURCE_CALLS_IN_FLIGHT,
    SOURCE_SECONDS,
    TOKENS_IN,
    TOKENS_OUT,
    SPENT_MICROS,
];

const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit, help }
}

/// Tells the current recorder the unit and the help of every metric.
pub fn describe() {
    for Metric { name, kind, unit, help } in METRICS {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }
}

impl Metric {
    pub(super) fn counter(&self) -> Counter {
        metrics::counter!(self.name)
    }

    pub(super) fn counter_of<L: Label>(&self, label: L) -> Counter {
        metrics::counter!(self.name, L::KEY => label.name())
    }

    pub(super) fn gauge(&self) -> Gauge {
        metrics::gauge!(self.name)
    }

    pub(super) fn histogram(&self) -> Histogram {
        metrics::histogram!(self.name)
    }
}
