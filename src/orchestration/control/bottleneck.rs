//! What keeps requests from being answered well.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::options::Options;
use super::reading::{Reading, SourceReading};
use super::setting::Setting;

/// What keeps requests from being answered in time, or well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottleneck {
    /// Nothing exceeds what is allowed.
    None,
    /// More of a source's calls fail than is allowed.
    FailingSource {
        /// Its name.
        source: String,
        /// The share of its calls that failed.
        failures: f64,
    },
    /// Requests take too long, and so does a source, much longer than the others.
    SlowSource {
        /// Its name.
        source: String,
        /// The 95th percentile of its latency.
        p95: Duration,
    },
    /// Requests take too long or are turned away, and most of the engine's time is the accelerator's.
    Device {
        /// The accelerator's share.
        share: f64,
    },
    /// Requests take too long or are turned away, and no source is slower than the others: more comes than is done.
    Overload {
        /// Requests waiting.
        queued: u64,
        /// Requests a second that came.
        load: f64,
        /// Requests a second that ended.
        done: f64,
    },
    /// More requests fail than is allowed, and no source does.
    Unexplained {
        /// The share of the requests that failed.
        errors: f64,
    },
}

/// What actions are taken against, one at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    Source(String),
    Load,
}

impl Bottleneck {
    /// Every one that a reading shows, the worst first; what sources do not explain comes after them, and only where there
    /// are none.
    pub(super) fn find(reading: &Reading, setting: &Setting, options: &Options) -> Vec<Self> {
        let asked: Vec<_> = reading.sources.iter().filter(|source| setting.trust(&source.name) > 0.0).collect();
        let mut found: Vec<Self> = asked.iter().filter_map(|source| Self::failing(source, options)).collect();
        let limit = options.latency.as_secs_f64();
        let slow = reading.slowness().is_some_and(|seconds| seconds > limit);
        if slow {
            let failing = |source: &SourceReading| Self::failing(source, options).is_some();
            let slow = |n: usize| Self::slow(n, &asked, options).filter(|_| !failing(asked[n]));
            found.extend((0..asked.len()).filter_map(slow));
        }
        if !found.is_empty() {
            return found;
        }
        if slow || options.too_many(reading.lost_beyond(setting.shed), reading.arrivals) {
            return vec![match reading.device_share.filter(|&share| share >= options.device_share) {
                Some(share) => Self::Device { share },
                None => Self::Overload { queued: reading.queued, load: reading.load(), done: reading.done() },
            }];
        }
        if options.too_many(reading.errors as f64, reading.ended) {
            return vec![Self::Unexplained { errors: reading.error_rate() }];
        }
        Vec::new()
    }

    fn failing(source: &SourceReading, options: &Options) -> Option<Self> {
        let failures = source.failure_rate();
        options
            .too_many(source.failures as f64, source.calls)
            .then(|| Self::FailingSource { source: source.name.clone(), failures })
    }

    /// A source that takes longer than requests may, and so many times as long as the median of the others.
    fn slow(n: usize, asked: &[&SourceReading], options: &Options) -> Option<Self> {
        let p95 = |source: &SourceReading| source.latency.map(|quantiles| quantiles.p95);
        let own = p95(asked[n]).filter(|&own| own > options.latency)?;
        let mut others: Vec<_> =
            asked.iter().enumerate().filter(|&(other, _)| other != n).filter_map(|(_, source)| p95(source)).collect();
        others.sort_unstable();
        let median = others.get(others.len().saturating_sub(1) / 2);
        let stands_out = median.is_none_or(|of| own.as_secs_f64() >= options.stands_out * of.as_secs_f64());
        stands_out.then(|| Self::SlowSource { source: asked[n].name.clone(), p95: own })
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        match self {
            Self::FailingSource { source, .. } | Self::SlowSource { source, .. } => Some(Cause::Source(source.clone())),
            Self::Device { .. } | Self::Overload { .. } => Some(Cause::Load),
            Self::None | Self::Unexplained { .. } => None,
        }
    }

    /// Its name, for a label: that of a source is not in it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::FailingSource { .. } => "failing_source",
            Self::SlowSource { .. } => "slow_source",
            Self::Device { .. } => "device",
            Self::Overload { .. } => "overload",
            Self::Unexplained { .. } => "unexplained",
        }
    }
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "nothing exceeds what is allowed"),
            Self::FailingSource { source, failures } => {
                write!(f, "{:.1} % of the calls of `{source}` fail", 100.0 * failures)
            }
            Self::SlowSource { source, p95 } => write!(f, "a call of `{source}` in twenty takes {p95:.1?} or more"),
            Self::Device { share } => {
                write!(f, "{:.0} % of the engine's time is the accelerator's", 100.0 * share)
            }
            Self::Overload { queued, load, done } => {
                write!(f, "{load:.1} requests a second come, {done:.1} are done and {queued} wait")
            }
            Self::Unexplained { errors } => {
                write!(f, "{:.1} % of the requests fail and no source does", 100.0 * errors)
            }
        }
    }
}
