//! Histograms: how many values fell between bounds.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::HistogramFn;

/// Upper bounds of buckets of seconds: five to a decade, from 10 us to 100 s.
///
/// A quantile taken from them lies in the bucket of the true one, so it is off by a factor of 1.6 at most, and by 1.26
/// where the middle of the bucket is taken.
pub const SECONDS: [f64; 36] = [
    1.0e-5, 1.6e-5, 2.5e-5, 4.0e-5, 6.3e-5, //
    1.0e-4, 1.6e-4, 2.5e-4, 4.0e-4, 6.3e-4, //
    1.0e-3, 1.6e-3, 2.5e-3, 4.0e-3, 6.3e-3, //
    1.0e-2, 1.6e-2, 2.5e-2, 4.0e-2, 6.3e-2, //
    1.0e-1, 1.6e-1, 2.5e-1, 4.0e-1, 6.3e-1, //
    1.0, 1.6, 2.5, 4.0, 6.3, //
    10.0, 16.0, 25.0, 40.0, 63.0, //
    100.0,
];

/// Upper bounds of buckets of anything else that is measured: powers of two, from 1 to 2^30.
pub const POWERS: [f64; 31] = {
    let mut bounds = [1.0; 31];
    let mut power = 1;
    while power < bounds.len() {
        bounds[power] = 2.0 * bounds[power - 1];
        power += 1;
    }
    bounds
};

/// The counts of one histogram.
#[derive(Debug)]
pub(super) struct Buckets {
    bounds: &'static [f64],
    /// One more than there are bounds: the last is of what lies above them all.
    counts: Vec<AtomicU64>,
    /// The bits of the sum of all values.
    sum: AtomicU64,
}

impl Buckets {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0.0_f64.to_bits()) }
    }

    /// Each bound with the number of values up to it, the last bound infinite: its number is that of all values.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(&self.counts).scan(0, |all, (bound, count)| {
            *all += count.load(Ordering::Acquire);
            Some((bound, *all))
        })
    }

    pub(super) fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Acquire))
    }
}

impl HistogramFn for Buckets {
    /// What is not a number belongs in no bucket and is left out.
    fn record(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let index = self.bounds.partition_point(|bound| *bound < value);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // It always gives a new value, so it does not fail.
        let _ = self.sum.fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        if let Some(count) = self.counts.get(index) {
            count.fetch_add(1, Ordering::AcqRel);
        }
    }
}
