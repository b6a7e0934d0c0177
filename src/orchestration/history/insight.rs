//! What is known of a class of requests.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::effect::{mean, mean_latency};
use super::{Record, Share, Trend};
use crate::orchestration::selector::Arm;

/// What is known of a class of requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Insight {
    /// Which.
    pub class: u32,
    /// Those that the arm taken led to an answer of.
    pub success: Share,
    /// Opinions that the cache held; `None` where none were looked for.
    pub hits: Option<Share>,
    /// Those of its misses that had been held until they were too old; `None` where there were no misses.
    pub expired: Option<Share>,
    /// The mean latency.
    pub latency: Duration,
    /// The arm with the least mean logarithm of latencies, of those taken [`Insight::LEAST`] times, full hits aside.
    pub quickest: Option<Arm>,
    /// The mean agreement, where it is known.
    pub agreement: Option<f64>,
    /// The mean correctness, where it is known.
    pub correctness: Option<f64>,
    /// Whether latencies rise or fall.
    pub trend: Option<Trend>,
}

impl Insight {
    /// Records of an arm without which it is not compared.
    pub const LEAST: u64 = 5;

    /// Of every class, in the order of their numbers; and of all of them together, whether latencies rise or fall.
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Record>) -> (Vec<Self>, Option<Trend>) {
        let mut classes = BTreeMap::<u32, Vec<&Record>>::new();
        records.for_each(|record| classes.entry(record.class).or_default().push(record));
        let latencies = |records: &Vec<&Record>| records.iter().map(|record| record.latency).collect::<Vec<_>>();
        let of = |(&class, records): (&u32, &Vec<&Record>)| {
            let its = || records.iter().copied();
            let sum = |of: fn(&Record) -> u32| its().map(|record| u64::from(of(record))).sum::<u64>();
            let (hits, misses) = (sum(|record| record.hits), sum(|record| record.misses));
            Some(Self {
                class,
                success: Share::among(its().map(|record| record.success))?,
                hits: Share::of(hits, hits + misses),
                expired: Share::of(sum(|record| record.expired), misses),
                latency: mean_latency(its())?,
                quickest: quickest(its()),
                agreement: mean(its().filter_map(|record| record.agreement)),
                correctness: mean(its().filter_map(|record| record.correctness)),
                trend: Trend::of(&[latencies(records)]),
            })
        };
        let insights = classes.iter().filter_map(of).collect();
        let together: Vec<Vec<Duration>> = classes.values().map(latencies).collect();
        (insights, Trend::of(&together))
    }
}

fn quickest<'a>(records: impl Iterator<Item = &'a Record> + Clone) -> Option<Arm> {
    let of = |arm: Arm| {
        let (sum, n) = records
            .clone()
            .filter(|record| record.arm == arm)
            .fold((0.0, 0_u64), |(sum, n), record| (sum + record.log_latency(), n + 1));
        (n >= Insight::LEAST).then(|| (arm, sum / n as f64))
    };
    let arms = Arm::ALL.into_iter().filter(|arm| *arm != Arm::Cache).filter_map(of);
    arms.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(arm, _)| arm)
}
