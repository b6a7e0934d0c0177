//! What is out of the ordinary.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::baseline::{Alarm, Level, Share};
use super::options::Options;
use super::reading::Reading;

/// Something out of the ordinary in one reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Anomaly {
    /// What was looked at.
    pub signal: Signal,
    /// What it is in this reading: seconds, or a share.
    pub value: f64,
    /// What found it.
    pub detector: Detector,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The 95th percentile of the requests' latency, in seconds.
    Latency,
    /// The share of the requests that failed.
    Errors,
    /// The share of the requests that were turned away beyond what is to be shed.
    Lost,
    /// The 95th percentile of a source's latency, in seconds.
    SourceLatency(String),
    /// The share of a source's calls that failed.
    SourceFailures(String),
}

/// What finds an anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detector {
    /// More than is allowed.
    Threshold {
        /// What is allowed, in the unit of the signal.
        limit: f64,
    },
    /// More than is usual, by the test of [`PageHinkley`](super::PageHinkley).
    PageHinkley {
        /// What was usual, in the unit of the signal.
        usual: f64,
        /// The sum of the test, in standard deviations.
        sum: f64,
        /// The sum from which it is an alarm.
        alarm: f64,
    },
}

/// What is usual of all signals.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    requests: (Level, Share),
    sources: BTreeMap<String, (Level, Share)>,
}

impl Watch {
    pub fn new(options: &Options) -> Self {
        Self { requests: fresh(options), sources: BTreeMap::new() }
    }

    /// What is out of the ordinary in a reading. Of a source that was not in it, what is usual is forgotten.
    pub fn observe(&mut self, reading: &Reading, shed: f64, options: &Options) -> Vec<Anomaly> {
        let mut found = Vec::new();
        let least = options.detection.least_calls;
        let exceeds = |signal, value, limit| Anomaly { signal, value, detector: Detector::Threshold { limit } };
        let rises = |signal, value, Alarm { sum, usual }| {
            let detector = Detector::PageHinkley { usual, sum, alarm: options.detection.rise.alarm };
            Anomaly { signal, value, detector }
        };

        let (level, rate) = &mut self.requests;
        let limit = options.latency.as_secs_f64();
        if let Some(seconds) = reading.slowness().filter(|&seconds| seconds > limit) {
            found.push(exceeds(Signal::Latency, seconds, limit));
        }
        if let Some(quantiles) = reading.latency.filter(|_| reading.ended >= least) {
            let seconds = quantiles.p95.as_secs_f64();
            let alarm = level.observe(seconds, &options.detection);
            found.extend(alarm.map(|alarm| rises(Signal::Latency, seconds, alarm)));
        }
        if options.too_many(reading.errors as f64, reading.ended) {
            found.push(exceeds(Signal::Errors, reading.error_rate(), options.errors));
        }
        if reading.ended >= least {
            let alarm = rate.observe(reading.errors, reading.ended, &options.detection);
            found.extend(alarm.map(|alarm| rises(Signal::Errors, reading.error_rate(), alarm)));
        }
        if options.too_many(reading.lost_beyond(shed), reading.arrivals) {
            let value = reading.lost_beyond(shed) / reading.arrivals as f64;
            found.push(exceeds(Signal::Lost, value, options.errors));
        }

        self.sources.retain(|name, _| reading.sources.iter().any(|source| source.name == *name));
        for source in &reading.sources {
            let (level, rate) = self.sources.entry(source.name.clone()).or_insert_with(|| fresh(options));
            let calls = source.calls.saturating_add(source.cancelled);
            if let Some(quantiles) = source.latency.filter(|_| calls >= least) {
                let seconds = quantiles.p95.as_secs_f64();
                let alarm = level.observe(seconds, &options.detection);
                let signal = || Signal::SourceLatency(source.name.clone());
                found.extend(alarm.map(|alarm| rises(signal(), seconds, alarm)));
            }
            let signal = || Signal::SourceFailures(source.name.clone());
            if options.too_many(source.failures as f64, source.calls) {
                found.push(exceeds(signal(), source.failure_rate(), options.errors));
            }
            if source.calls >= least {
                let alarm = rate.observe(source.failures, source.calls, &options.detection);
                found.extend(alarm.map(|alarm| rises(signal(), source.failure_rate(), alarm)));
            }
        }
        found
    }
}

fn fresh(options: &Options) -> (Level, Share) {
    (Level::new(&options.detection), Share::new(&options.detection))
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |share: bool, value: f64| {
            if share { format!("{:.2} %", 100.0 * value) } else { format!("{:.1} ms", 1e3 * value) }
        };
        let (what, share) = match &self.signal {
            Signal::Latency => ("the latency of requests".to_owned(), false),
            Signal::Errors => ("the share of requests that fail".to_owned(), true),
            Signal::Lost => ("the share of requests turned away".to_owned(), true),
            Signal::SourceLatency(source) => (format!("the latency of `{source}`"), false),
            Signal::SourceFailures(source) => (format!("the share of failures of `{source}`"), true),
        };
        write!(f, "{what} is {}", of(share, self.value))?;
        match self.detector {
            Detector::Threshold { limit } => write!(f, ", above {}", of(share, limit)),
            Detector::PageHinkley { usual, .. } => write!(f, ", usual is {}", of(share, usual)),
        }
    }
}
