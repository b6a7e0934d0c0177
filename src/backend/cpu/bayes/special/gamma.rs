//! ln gamma and digamma in f32, and what Stirling's formula leaves over in f64.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, f64x8};

use super::wide;
use crate::backend::cpu::numbers::ln;
use crate::kernel::bayes::conjugate::{DIGAMMA_FROM, DIGAMMA_SERIES_WIDE};
use crate::kernel::bayes::special::{
    DIGAMMA_SERIES, DIGAMMA_SHIFT, HALF_LN_TAU, HALF_LN_TAU_WIDE, LN_GAMMA_SERIES, STIRLING, STIRLING_FROM,
    STIRLING_SERIES,
};

/// ln of the gamma function for x > 0.
#[inline(always)]
pub(super) fn ln_gamma<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    let one = f32x16::splat(simd, 1.0);
    let (large, tiny, around_1) = (x.simd_ge(STIRLING_FROM), x.simd_lt(0.5), x.simd_lt(1.5));
    // Down to y in [1.5, 2.5], with the factors in between.
    let (mut z, mut product) = (x - 2.0, one);
    for _ in 0..6 {
        let above = z.simd_gt(0.5);
        product *= above.select(z + 1.0, one);
        z = above.select(z - 1.0, z);
    }
    let z = tiny.select(x, around_1.select(x - 1.0, z));
    let argument = tiny.select(x + x * x, around_1.select(x, large.select(x, product)));
    let ln = ln(simd, argument);
    let mut p = f32x16::splat(simd, LN_GAMMA_SERIES[0]);
    for &c in &LN_GAMMA_SERIES[1..] {
        p = p.mul_add(z, c);
    }
    let near = p * z + around_1.select(-ln, ln);
    let r = one / x;
    let r2 = r * r;
    let mut series = f32x16::splat(simd, STIRLING[0]);
    for &c in &STIRLING[1..] {
        series = series.mul_add(r2, c);
    }
    // (x - 1/2) (ln x - 1) - 1/2: smaller terms than with x ln x, and none that overflows before the result.
    let far = (x - 0.5).mul_add(ln - 1.0, series.mul_add(r, HALF_LN_TAU - 0.5));
    large.select(far, near)
}

/// The logarithmic derivative of the gamma function for x > 0.
#[inline(always)]
pub(in crate::backend::cpu) fn digamma<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let (mut y, mut sum) = (x, zero);
    for _ in 0..DIGAMMA_SHIFT as usize {
        let below = y.simd_lt(DIGAMMA_SHIFT);
        sum += below.select(one / y, zero);
        y = below.select(y + 1.0, y);
    }
    let r = one / y;
    let r2 = r * r;
    let mut p = f32x16::splat(simd, DIGAMMA_SERIES[0]);
    for &c in &DIGAMMA_SERIES[1..] {
        p = p.mul_add(r2, c);
    }
    let rest = p.mul_add(r2, r * 0.5);
    ln(simd, y) - rest - sum
}

/// ln of the gamma function for a > 0, in f64.
#[inline(always)]
pub(in crate::backend::cpu::bayes) fn ln_gamma_wide<S: Simd>(simd: S, a: f64x8<S>) -> f64x8<S> {
    (a - 0.5) * wide::ln(simd, a) - a + HALF_LN_TAU_WIDE + stirling_rest(simd, a)
}

/// Its derivative, in f64.
#[inline(always)]
pub(in crate::backend::cpu::bayes) fn digamma_wide<S: Simd>(simd: S, a: f64x8<S>) -> f64x8<S> {
    let zero = f64x8::splat(simd, 0.0);
    let small = a.simd_lt(DIGAMMA_FROM);
    let mut sum = zero;
    if small.any_true() {
        for k in 0..DIGAMMA_FROM as u32 {
            sum += 1.0 / (a + f64::from(k));
        }
        sum = small.select(sum, zero);
    }
    let y = small.select(a + DIGAMMA_FROM, a);
    let r = 1.0 / y;
    let r2 = r * r;
    let mut p = f64x8::splat(simd, DIGAMMA_SERIES_WIDE[0]);
    for &c in &DIGAMMA_SERIES_WIDE[1..] {
        p = p.mul_add(r2, c);
    }
    wide::ln(simd, y) - p.mul_add(r2, r * 0.5) - sum
}

/// ln gamma(a) - ((a - 1/2) ln a - a + ln sqrt(2 pi)), a > 0.
#[inline(always)]
pub(super) fn stirling_rest<S: Simd>(simd: S, a: f64x8<S>) -> f64x8<S> {
    let from = f64::from(STIRLING_FROM);
    let small = a.simd_lt(from);
    let raised = small.select(a + from, a);
    let r = 1.0 / raised;
    let r2 = r * r;
    let mut p = f64x8::splat(simd, STIRLING_SERIES[0]);
    for &c in &STIRLING_SERIES[1..] {
        p = p.mul_add(r2, c);
    }
    let series = p * r;
    if !small.any_true() {
        return series;
    }
    let mut product = a;
    for k in 1..8 {
        product *= a + f64::from(k);
    }
    let second = raised * raised;
    let fourth = second * second;
    let step = (a - 0.5) * wide::ln(simd, raised / a) + wide::ln(simd, fourth * fourth / product) - from;
    small.select(series + step, series)
}
