//! What operations are measured on: numbers evenly spread, and what posterior mathematics takes made of them.
//! `benches/bayes.rs` measures the same.

use consilience::bayes::{self, CellCounts, Gaussians, InverseModel};
use consilience::{Engine, Result};

/// Steps that have little to do with each other.
pub const STEPS: [f64; 4] =
    [0.618_033_988_749_895, 0.754_877_666_246_692_7, 0.569_840_290_998_053_2, 0.324_717_957_244_746];

/// Classes of [`distributions`].
pub const CLASSES: usize = 10;

/// What a hit and a miss are worth.
pub const MODEL: InverseModel = InverseModel { hit: 0.7, miss: 0.4 };

/// A special function of two parameters and a share, of which it takes those that it has.
pub type Function = fn(&Engine, &[f32], &[f32], &[f32]) -> Result<Vec<f32>>;

/// All of them.
pub const FUNCTIONS: [(&str, Function); 8] = [
    ("ln_gamma", |engine, a, _, _| bayes::ln_gamma(engine, a)),
    ("digamma", |engine, a, _, _| bayes::digamma(engine, a)),
    ("incomplete_beta", bayes::incomplete_beta),
    ("incomplete_beta_inverse", bayes::incomplete_beta_inverse),
    ("incomplete_gamma", |engine, a, x, _| bayes::incomplete_gamma(engine, a, x)),
    ("incomplete_gamma_upper", |engine, a, x, _| bayes::incomplete_gamma_upper(engine, a, x)),
    ("incomplete_gamma_inverse", |engine, a, _, p| bayes::incomplete_gamma_inverse(engine, a, p)),
    ("incomplete_gamma_upper_inverse", |engine, a, _, p| bayes::incomplete_gamma_upper_inverse(engine, a, p)),
];

/// Numbers in (0, 1), evenly spread: multiples of one of [`STEPS`] without their whole part.
pub fn spread(items: usize, step: f64) -> Vec<f64> {
    (1..=items).map(|i| (i as f64 * step).fract()).collect()
}

/// The same in f32.
pub fn shares(items: usize, step: f64) -> Vec<f32> {
    spread(items, step).iter().map(|&x| x as f32).collect()
}

/// Numbers between 1 and 100.
pub fn parameters(items: usize, step: f64) -> Vec<f32> {
    spread(items, step).iter().map(|x| (1.0 + 99.0 * x) as f32).collect()
}

/// Hits and misses of cells.
pub fn counts(items: usize) -> Vec<CellCounts> {
    let count = |x: &f64| CellCounts::new((4.0 * x) as u16, (60.0 * x) as u16 % 8);
    spread(items, STEPS[1]).iter().map(count).collect()
}

/// Normal distributions in three dimensions, correlations below 0.3.
pub fn gaussians(items: usize, step: f64) -> Result<Gaussians> {
    let is_variance = |place: usize| [0, 2, 5].contains(&(place / items));
    let entry = |(place, x): (usize, f64)| if is_variance(place) { 1.0 + x } else { 0.3 * x };
    let covariance = spread(6 * items, step).into_iter().enumerate().map(|it| entry(it) as f32).collect();
    Gaussians::new(3, shares(3 * items, step), covariance)
}

/// Planes of distributions over [`CLASSES`].
pub fn distributions(items: usize, step: f64) -> Vec<f32> {
    let mut planes = shares(CLASSES * items, step);
    for item in 0..items {
        let sum: f32 = planes.iter().skip(item).step_by(items).sum();
        planes.iter_mut().skip(item).step_by(items).for_each(|x| *x /= sum);
    }
    planes
}
