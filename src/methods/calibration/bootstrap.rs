//! How sure a difference between two means is.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::error::{CalibrationError, Result, SpecError};
use crate::methods::random::below;

/// Beyond this a sum of differences could overflow.
const MOST_DIFFERENCE: f64 = 1e300;

/// A mean and the interval it lies in at the level asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// The mean of a_i - b_i over paired items and its percentile bootstrap interval (Efron 1979): items are drawn with
/// replacement `resamples` times, and the interval lies between the (1 - level)/2 and (1 + level)/2 quantiles of the means.
///
/// The same arguments give the same interval on every machine. With [`Loss::per_item`](super::Loss::per_item) on both sides,
/// an interval below zero says that a is the better one.
///
/// # Errors
///
/// No items, another number of them on either side, a difference that is no number in [-1e300, 1e300], a level outside (0, 1), or so
/// few resamples that fewer than one mean lies beyond each end of the interval.
///
/// # Examples
///
/// ```
/// use consilience::calibration::paired_bootstrap;
///
/// let interval = paired_bootstrap(&[1.0, 2.0, 3.0], &[0.5, 1.5, 2.5], 100, 7, 0.95)?;
/// assert_eq!((interval.low, interval.mean, interval.high), (0.5, 0.5, 0.5));
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn paired_bootstrap(a: &[f64], b: &[f64], resamples: usize, seed: u64, level: f64) -> Result<Interval> {
    if a.is_empty() {
        return Err(CalibrationError::NoItems.into());
    }
    if a.len() != b.len() {
        let what = "the second list of losses";
        return Err(CalibrationError::Length { what, given: b.len(), needed: a.len() }.into());
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(SpecError::OutOfRange { what: "level".to_owned(), value: level, must: "in (0, 1)" }.into());
    }
    let beyond = (resamples as f64 * (1.0 - level) / 2.0 + 1e-9).floor();
    if beyond < 1.0 {
        let must = "at least 2 / (1 - level)";
        return Err(SpecError::OutOfRange { what: "resamples".to_owned(), value: resamples as f64, must }.into());
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if let Some((item, &value)) =
        differences.iter().enumerate().find(|(_, d)| !(0.0..=MOST_DIFFERENCE).contains(&d.abs()))
    {
        let what = format!("the difference of losses of item {item}");
        return Err(SpecError::OutOfRange { what, value, must: "a number in [-1e300, 1e300]" }.into());
    }
    // Relative to the first item's, so that the mean of equal differences is exact.
    let (first, items) = (differences[0], differences.len());
    let shares: Vec<f64> = differences.iter().map(|d| (d - first) / items as f64).collect();
    let mean = first + shares.iter().sum::<f64>();
    let mut random = SplitMix64::seed_from_u64(seed);
    let mut resample = || first + (0..items).map(|_| shares[below(&mut random, items)]).sum::<f64>();
    let mut means: Vec<f64> = (0..resamples).map(|_| resample()).collect();
    means.sort_by(f64::total_cmp);
    let beyond = beyond as usize - 1;
    Ok(Interval { mean, low: means[beyond], high: means[resamples - 1 - beyond] })
}
