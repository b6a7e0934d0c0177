//! What the strength of a subspace is where there is nothing but noise.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::eigen::symmetric;

/// Dimensions in which distributions over nine digits are free.
pub(super) const FREE: usize = 8;

/// Sample covariances drawn: one standard error of the mean share is 0.004 for three beams, 0.002 from twelve on.
const DRAWS: u32 = 512;

/// From so many degrees of freedom on a chi-square is drawn by the cube of a normal variable (Wilson and Hilferty, 1931),
/// whose quantiles are then within 1e-4.
const MANY: usize = 64;

/// The mean share of the largest k eigenvalues of the covariance of n items of isotropic Gaussian noise in eight dimensions,
/// by Monte Carlo with a fixed seed. Covariances are drawn by Bartlett's decomposition: A = L L^T with normal entries below
/// the diagonal of L and roots of chi-squares on it.
pub(super) fn strength(items: usize, dimensions: usize) -> f64 {
    if dimensions >= FREE {
        return 1.0;
    }
    let (mut random, freedom) = (SplitMix64::seed_from_u64(0x6265_616d), items.saturating_sub(1));
    let mut sum = 0.0;
    for _ in 0..DRAWS {
        let factor = if freedom < MANY { rows(&mut random, freedom) } else { bartlett(&mut random, freedom) };
        let product = |i: usize, j: usize| factor.iter().map(|row| row[i] * row[j]).sum();
        let covariance: [[f64; FREE]; FREE] = std::array::from_fn(|i| std::array::from_fn(|j| product(i, j)));
        let (values, _) = symmetric(covariance);
        sum += values[..dimensions].iter().sum::<f64>() / values.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    }
    sum / f64::from(DRAWS)
}

/// Items of noise, one for each degree of freedom.
fn rows(random: &mut SplitMix64, freedom: usize) -> Vec<[f64; FREE]> {
    (0..freedom).map(|_| std::array::from_fn(|_| normal(random))).collect()
}

/// The transpose of L, whose rows take the place of so many items.
fn bartlett(random: &mut SplitMix64, freedom: usize) -> Vec<[f64; FREE]> {
    let mut rows = vec![[0.0; FREE]; FREE];
    for (i, row) in rows.iter_mut().enumerate() {
        let m = (freedom - i) as f64;
        let part = 2.0 / (9.0 * m);
        row[i] = (m * (1.0 - part + normal(random) * part.sqrt()).powi(3)).max(0.0).sqrt();
        for entry in &mut row[i + 1..] {
            *entry = normal(random);
        }
    }
    rows
}

/// A standard normal variable (Box and Muller, 1958).
fn normal(random: &mut SplitMix64) -> f64 {
    let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform()).cos()
}
