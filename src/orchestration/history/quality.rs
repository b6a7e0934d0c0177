//! How good estimates are.

use serde::{Deserialize, Serialize};

use super::record::log;
use super::share::NORMAL;
use super::{Record, Share};

/// How good estimates of latencies are, in logarithms: 0.1 is about a tenth longer than expected, -0.1 as much shorter.
/// Requests that a fallback answered do not count, for another arm was estimated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// The records that had an estimate.
    pub records: u64,
    /// The mean of ln(latency / estimated median), which has no bias of its own, as an estimated mean would.
    pub bias: f64,
    /// The standard deviation of the same; `None` of one record.
    pub spread: Option<f64>,
    /// 95 % of where the bias is in the long run, as if every record told something of its own; `None` of one record.
    pub interval: Option<[f64; 2]>,
    /// Latencies within the interval that was estimated; it is to be [`Estimate::COVERAGE`](crate::orchestration::selector::Estimate::COVERAGE).
    /// `None` where no interval was.
    pub coverage: Option<Share>,
}

impl Quality {
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Record> + Clone) -> Option<Self> {
        let estimated = records.filter(|record| record.success).filter_map(|record| Some((record, record.estimate?)));
        let errors: Vec<f64> =
            estimated.clone().map(|(record, estimate)| record.log_latency() - log(estimate.median)).collect();
        let (bias, spread) = moments(&errors)?;
        let interval = spread.map(|spread| {
            let half = NORMAL * spread / (errors.len() as f64).sqrt();
            [bias - half, bias + half]
        });
        let inside = |(record, estimate): (&Record, crate::orchestration::selector::Estimate)| {
            estimate.interval.map(|[low, high]| (low..=high).contains(&record.latency))
        };
        let coverage = Share::among(estimated.filter_map(inside));
        Some(Self { records: errors.len() as u64, bias, spread, interval, coverage })
    }
}

/// Mean, and standard deviation of two values or more.
fn moments(values: &[f64]) -> Option<(f64, Option<f64>)> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let scatter: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((mean, (values.len() > 1).then(|| (scatter / (n - 1.0)).sqrt())))
}
