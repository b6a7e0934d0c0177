//! Exponential and logarithm of eight lanes of f64, within 1e-15 relative: series after the argument is reduced.

use fearless_simd::prelude::*;
use fearless_simd::{f64x8, i64x8, u64x8};

/// The parts of ln 2, the first with few enough bits that a product with an exponent is exact.
const LN_2_HIGH: f64 = 0.693_145_751_953_125;
const LN_2_LOW: f64 = 1.428_606_820_309_417_3e-6;

/// e^x; x is clamped to [-700, 700].
#[inline(always)]
pub(in crate::backend::cpu::bayes) fn exp<S: Simd>(simd: S, x: f64x8<S>) -> f64x8<S> {
    let x = x.max(-700.0).min(700.0);
    let n = (x * std::f64::consts::LOG2_E).round_ties_even();
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    let mut p = f64x8::splat(simd, 1.0 / 479_001_600.0);
    for factorial in [39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        p = p.mul_add(r, 1.0 / factorial);
    }
    let power: i64x8<S> = n.to_int();
    let scale: f64x8<S> = ((power + 1023) << 52).bitcast();
    p * scale
}

/// ln x for x > 0 that is a normal number: x = 2^e m with m in [sqrt 1/2, sqrt 2) and ln m = 2 artanh((m - 1) / (m + 1)).
#[inline(always)]
pub(in crate::backend::cpu::bayes) fn ln<S: Simd>(simd: S, x: f64x8<S>) -> f64x8<S> {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let bits: u64x8<S> = x.bitcast();
    let shifted: i64x8<S> = (bits - SQRT_HALF).bitcast();
    let exponent = shifted >> 52;
    let m: f64x8<S> = (bits - (exponent << 52).bitcast::<u64x8<S>>()).bitcast();
    let e: f64x8<S> = exponent.to_float();
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let mut p = f64x8::splat(simd, 2.0 / 21.0);
    for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        p = p.mul_add(s2, 2.0 / odd);
    }
    let y = (p * s2).mul_add(s, s * 2.0);
    e.mul_add(LN_2_HIGH, e.mul_add(LN_2_LOW, y))
}
