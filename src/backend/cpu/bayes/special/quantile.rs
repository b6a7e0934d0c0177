//! Quantiles: Newton's method on the logarithm of the mass, which is concave in ln(x / (1 - x)) or ln x. From the left of
//! the root, or after one step from the right, it rises to it without overshooting.

use fearless_simd::prelude::*;
use fearless_simd::{f64x8, mask64x8};

use super::tail::Tail;
use super::wide::{exp, ln};
use crate::kernel::bayes::special::{FARTHEST, NEWTON_CONVERGED, NEWTON_STEPS};

/// The mass wanted on the side that has less of it.
struct Wanted<S: Simd> {
    /// Whether that is the side above.
    above: mask64x8<S>,
    ln_mass: f64x8<S>,
    /// The normal distribution's quantile at the mass below.
    normal: f64x8<S>,
}

impl<S: Simd> Wanted<S> {
    #[inline(always)]
    fn new(simd: S, p: f64x8<S>, of_above: bool) -> Self {
        let more = p.simd_gt(0.5);
        let mass = more.select(1.0 - p, p).max(f64::from(f32::MIN_POSITIVE));
        let ln_mass = ln(simd, mass);
        let above = if of_above { !more } else { more };
        // Abramowitz and Stegun 26.2.23.
        let t = (ln_mass * -2.0).sqrt();
        let upper = t.mul_add(t.mul_add(0.010_328, 0.802_853), 2.515_517);
        let lower = t.mul_add(t.mul_add(t.mul_add(0.001_308, 0.189_269), 1.432_788), 1.0);
        let z = t - upper / lower;
        Self { above, ln_mass, normal: above.select(z, -z) }
    }

    /// How far the root is from where the tail was taken, to first order.
    #[inline(always)]
    fn step(&self, simd: S, tail: &Tail<S>) -> f64x8<S> {
        let density = exp(simd, tail.exponent);
        let other = (1.0 - density * tail.height).max(f64::from(f32::MIN_POSITIVE));
        let same = tail.below ^ self.above;
        let ln_mass = ln(simd, same.select(tail.height, other));
        let ln_mass = same.select(ln_mass + tail.exponent, ln_mass);
        let rate = same.select(tail.height, other / density);
        let step = ((self.ln_mass - ln_mass) * rate).max(-FARTHEST).min(FARTHEST);
        self.above.select(-step, step)
    }
}

/// Approximately the digamma function and its derivative: mean and variance of ln of a gamma variate.
#[inline(always)]
fn moments<S: Simd>(simd: S, a: f64x8<S>) -> (f64x8<S>, f64x8<S>) {
    let (r, s) = (1.0 / a, a + 0.5);
    (ln(simd, s) - r, r.mul_add(r, 1.0 / s))
}

/// The x below which Beta(a, b) has the mass p, or x / (1 - x).
#[inline(always)]
pub(super) fn of_beta<S: Simd>(simd: S, a: f64x8<S>, b: f64x8<S>, p: f64x8<S>, odds_asked: bool) -> f64x8<S> {
    let wanted = Wanted::new(simd, p, false);
    let ((mean_a, variance_a), (mean_b, variance_b)) = (moments(simd, a), moments(simd, b));
    let start = wanted.normal.mul_add((variance_a + variance_b).sqrt(), mean_a - mean_b);
    let odds = exp(simd, start.max(-FARTHEST).min(FARTHEST));
    let (mut x, mut y) = (odds / (odds + 1.0), 1.0 / (odds + 1.0));
    let mut runs = x.simd_eq(x);
    for _ in 0..NEWTON_STEPS {
        let step = wanted.step(simd, &Tail::of_beta(simd, a, b, x, y));
        let power = exp(simd, -step);
        let sum = y.mul_add(power, x);
        y = runs.select((y * power / sum).max(f64::from(f32::MIN_POSITIVE)), y);
        x = runs.select((x / sum).max(f64::from(f32::MIN_POSITIVE)), x);
        runs &= step.abs().simd_gt(NEWTON_CONVERGED);
        if !runs.any_true() {
            break;
        }
    }
    let (zero, one) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, 1.0));
    let least = f64::from(f32::MIN_POSITIVE);
    let (most, result) = if odds_asked {
        let most = f64x8::splat(simd, f64::INFINITY);
        (most, y.simd_le(least).select(most, x / y))
    } else {
        (one, x)
    };
    (p.simd_lt(least) | x.simd_le(least)).select(zero, p.simd_ge(1.0).select(most, result))
}

/// The x below which (or above which) the gamma distribution of shape a and rate 1 has the mass p.
#[inline(always)]
pub(super) fn of_gamma<S: Simd>(simd: S, a: f64x8<S>, p: f64x8<S>, of_above: bool) -> f64x8<S> {
    let wanted = Wanted::new(simd, p, of_above);
    let (mean, variance) = moments(simd, a);
    let start = wanted.normal.mul_add(variance.sqrt(), mean);
    // No quantile is beyond: the median is below a, for the rest it is the bound of Laurent and Massart (Annals of
    // Statistics 28, 2000, lemma 1). Above it the mass falls with e^-x, which Newton's method undoes one unit at a time.
    let end = wanted.above.select(a + (a * wanted.ln_mass * -2.0).sqrt() - wanted.ln_mass, a);
    let mut x = exp(simd, start.max(-FARTHEST).min(FARTHEST)).min(end);
    let mut runs = x.simd_eq(x);
    for _ in 0..NEWTON_STEPS {
        let step = wanted.step(simd, &Tail::of_gamma(simd, a, x));
        x = runs.select((x * exp(simd, step)).max(f64::from(f32::MIN_POSITIVE)).min(end), x);
        runs &= step.abs().simd_gt(NEWTON_CONVERGED);
        if !runs.any_true() {
            break;
        }
    }
    let (zero, infinity) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, f64::INFINITY));
    let x = x.simd_le(f64::from(f32::MIN_POSITIVE)).select(zero, x);
    let (none, all) = if of_above { (infinity, zero) } else { (zero, infinity) };
    p.simd_lt(f64::from(f32::MIN_POSITIVE)).select(none, p.simd_ge(1.0).select(all, x))
}
