//! Whether latencies rise or fall.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whether latencies rise or fall with time: the test of Mann (1945) and Kendall, with its correction for ties; over several
/// classes the sum of their tests (Hirsch, Slack and Smith 1982), so that another mixture of classes is no trend.
///
/// No shape of the distribution is assumed, but that without a trend every order is equally likely: latencies that go up and
/// down in long waves look like a trend more often than p says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// The latencies it is of.
    pub records: u64,
    /// Kendall's tau-b: 1 where every later one is longer, -1 where every later one is shorter.
    pub tau: f64,
    /// Standard normal where there is no trend.
    pub z: f64,
    /// The probability of a z at least as far from zero where there is no trend.
    pub p: f64,
}

impl Trend {
    /// Latencies without which z is not nearly normal.
    pub const LEAST: u64 = 10;

    /// Of each class's latencies in their order. `None` of too few of them, or where none differ.
    pub(super) fn of(classes: &[Vec<Duration>]) -> Option<Self> {
        let records: usize = classes.iter().map(Vec::len).sum();
        let (mut score, mut variance, mut most) = (0_i64, 0.0, 0.0);
        for latencies in classes {
            let Kendall { pairs, tied, score: of_class, variance: its_variance } = Kendall::of(latencies);
            score += of_class;
            variance += its_variance;
            most += ((pairs - tied) as f64 * pairs as f64).sqrt();
        }
        if (records as u64) < Self::LEAST || variance <= 0.0 {
            return None;
        }
        // Scores are whole; the normal distribution is read halfway to the next.
        let z = (score - score.signum()) as f64 / f64::sqrt(variance);
        let p = libm::erfc(z.abs() / std::f64::consts::SQRT_2);
        Some(Self { records: records as u64, tau: score as f64 / most, z, p })
    }
}

#[derive(Debug)]
struct Kendall {
    pairs: u64,
    /// Pairs of the same value.
    tied: u64,
    /// Pairs of which the later is larger, less those of which it is smaller.
    score: i64,
    /// That of the score where every order is equally likely.
    variance: f64,
}

impl Kendall {
    /// In n log n steps (Knight 1966).
    fn of(latencies: &[Duration]) -> Self {
        let n = latencies.len() as u64;
        let pairs = n * n.saturating_sub(1) / 2;
        let mut groups = BTreeMap::<Duration, u64>::new();
        latencies.iter().for_each(|&latency| *groups.entry(latency).or_default() += 1);
        let tied = groups.values().map(|t| t * (t - 1) / 2).sum();
        let term = |n: u64| n as f64 * (n as f64 - 1.0) * (2.0 * n as f64 + 5.0);
        let variance = (term(n) - groups.values().copied().map(term).sum::<f64>()) / 18.0;
        let smaller = inversions(&mut latencies.to_vec(), &mut latencies.to_vec());
        Self { pairs, tied, score: (pairs - tied) as i64 - 2 * smaller as i64, variance }
    }
}

/// Sorts the values by merging halves; the answer is how often a value stood before a smaller one.
fn inversions(values: &mut [Duration], scratch: &mut [Duration]) -> u64 {
    let middle = values.len() / 2;
    if middle == 0 {
        return 0;
    }
    let (left, right) = values.split_at_mut(middle);
    let (scratch_left, scratch_right) = scratch.split_at_mut(middle);
    let mut count = inversions(left, scratch_left) + inversions(right, scratch_right);
    let (mut l, mut r) = (0, 0);
    for place in &mut *scratch {
        let from_right = l == left.len() || r < right.len() && right[r] < left[l];
        if from_right {
            count += (left.len() - l) as u64;
            *place = right[r];
            r += 1;
        } else {
            *place = left[l];
            l += 1;
        }
    }
    values.copy_from_slice(scratch);
    count
}
