//! How well an arm does.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::share::NORMAL;
use super::{Record, Share};
use crate::orchestration::Cost;
use crate::orchestration::selector::Arm;

/// How well an arm does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Which.
    pub arm: Arm,
    /// Those that it led to an answer by itself.
    pub success: Share,
    /// The mean of all its latencies, fallbacks in them.
    pub latency: Duration,
    /// What it cost altogether.
    pub cost: Cost,
    /// The mean agreement, where it is known.
    pub agreement: Option<f64>,
    /// The mean correctness, where it is known.
    pub correctness: Option<f64>,
    /// Its latencies against those of [`Arm::Sequential`]; `None` of too few.
    pub against: Option<Against>,
}

/// An arm's latencies against those of [`Arm::Sequential`] on requests of the same classes.
///
/// In each class the mean logarithms are compared; a class of which there are a records of the one and b of the other counts
/// as a b / (a + b). That is least squares with an effect of each class. It is no experiment: where the arm was chosen by
/// more than class and chance, the requests may differ in that.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// How many times as long it takes.
    pub ratio: f64,
    /// 95 % of where that is in the long run.
    pub interval: [f64; 2],
    /// The classes compared.
    pub classes: u64,
    /// Those of them in which it is quicker.
    pub quicker: u64,
}

/// Number, sum and sum of squares of logarithms of latencies.
#[derive(Debug, Clone, Copy, Default)]
struct Logs {
    n: f64,
    mean: f64,
    scatter: f64,
}

impl Logs {
    fn add(&mut self, log: f64) {
        self.n += 1.0;
        let from = log - self.mean;
        self.mean += from / self.n;
        self.scatter += from * (log - self.mean);
    }
}

impl Effect {
    /// Of every arm that was taken.
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Record> + Clone) -> Vec<Self> {
        let mut logs = BTreeMap::<(u32, Arm), Logs>::new();
        records
            .clone()
            .for_each(|record| logs.entry((record.class, record.arm)).or_default().add(record.log_latency()));
        let of = |arm: Arm| {
            let its = records.clone().filter(move |record| record.arm == arm);
            Some(Self {
                arm,
                success: Share::among(its.clone().map(|record| record.success))?,
                latency: mean_latency(its.clone())?,
                cost: its.clone().map(|record| record.cost).sum(),
                agreement: mean(its.clone().filter_map(|record| record.agreement)),
                correctness: mean(its.filter_map(|record| record.correctness)),
                against: Against::of(arm, &logs),
            })
        };
        Arm::ALL.into_iter().filter_map(of).collect()
    }
}

impl Against {
    /// Degrees of freedom without which the deviation within classes is not known well enough.
    const LEAST: f64 = 10.0;

    fn of(arm: Arm, logs: &BTreeMap<(u32, Arm), Logs>) -> Option<Self> {
        if arm == Arm::Sequential {
            return None;
        }
        let (mut classes, mut quicker) = (0, 0);
        let (mut weights, mut sum, mut scatter, mut freedom) = (0.0, 0.0, 0.0, 0.0);
        for (&(class, _), own) in logs.iter().filter(|((_, of), _)| *of == arm) {
            let Some(other) = logs.get(&(class, Arm::Sequential)) else { continue };
            let (longer, weight) = (own.mean - other.mean, own.n * other.n / (own.n + other.n));
            classes += 1;
            quicker += u64::from(longer < 0.0);
            weights += weight;
            sum += weight * longer;
            scatter += own.scatter + other.scatter;
            freedom += own.n + other.n - 2.0;
        }
        if freedom < Self::LEAST {
            return None;
        }
        let (longer, half) = (sum / weights, NORMAL * (scatter / freedom / weights).sqrt());
        let interval = [(longer - half).exp(), (longer + half).exp()];
        Some(Self { ratio: longer.exp(), interval, classes, quicker })
    }
}

pub(super) fn mean_latency<'a>(records: impl Iterator<Item = &'a Record>) -> Option<Duration> {
    let (sum, n) = records.fold((0.0, 0.0), |(sum, n), record| (sum + record.latency.as_secs_f64(), n + 1.0));
    (n > 0.0).then(|| Duration::try_from_secs_f64(sum / n).unwrap_or(Duration::MAX))
}

pub(super) fn mean(values: impl Iterator<Item = f32>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + f64::from(value), n + 1.0));
    (n > 0.0).then(|| sum / n)
}
