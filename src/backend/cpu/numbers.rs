//! Exponential and logarithm of sixteen lanes, without a branch: the polynomials of Cephes (S. L. Moshier), `expf` of
//! degree 5 and `logf` of degree 8. Within 1 unit in the last place of their range where the level has a fused
//! multiply-add, 2 without.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, i32x16, u32x16};

/// The parts of ln 2 with few enough bits that a product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// e^x for x that is no NaN; 0 below -87.3, where the result would not be a normal number.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    let under = x.simd_lt(-87.336_54);
    let x = x.max(-87.336_54).min(88.722_83);
    let n = (x * std::f32::consts::LOG2_E).round_ties_even();
    let r = n.mul_add(-LN_2_HIGH, x);
    let r = n.mul_add(-LN_2_LOW, r);
    let mut p = f32x16::splat(simd, 1.987_569_1e-4);
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = p.mul_add(r, c);
    }
    let y = p.mul_add(r * r, r + 1.0);
    let power: i32x16<S> = n.to_int();
    let scale: f32x16<S> = ((power + 127) << 23).bitcast();
    under.select(f32x16::splat(simd, 0.0), y * scale)
}

/// 2^x for x up to 127 that is no NaN; 0 below -126, where the result would not be a normal number. Cephes' `exp2f`.
#[inline(always)]
pub(super) fn exp2<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    let n = x.max(-126.0).round_ties_even();
    let f = x.max(-126.0) - n;
    let mut p = f32x16::splat(simd, 1.535_336_2e-4);
    for c in [1.339_887_4e-3, 9.618_437e-3, 5.550_332_5e-2, 0.240_226_48, std::f32::consts::LN_2, 1.0] {
        p = p.mul_add(f, c);
    }
    let bits: i32x16<S> = p.bitcast();
    let scaled = bits + (n.to_int::<i32x16<S>>() << 23);
    x.simd_lt(-126.0).select(f32x16::splat(simd, 0.0), scaled.bitcast())
}

/// ln x for x > 0 that is a normal number.
#[inline(always)]
pub(super) fn ln<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits: u32x16<S> = x.bitcast();
    let shifted: i32x16<S> = (bits - SQRT_HALF).bitcast();
    let exponent = shifted >> 23;
    let mantissa: u32x16<S> = bits - (exponent << 23).bitcast::<u32x16<S>>();
    let e: f32x16<S> = exponent.to_float();
    let x = mantissa.bitcast::<f32x16<S>>() - 1.0;
    let x2 = x * x;
    let mut p = f32x16::splat(simd, 7.037_683_6e-2);
    for c in [
        -0.115_146_1,
        0.116_769_984,
        -0.124_201_41,
        0.142_493_22,
        -0.166_680_57,
        0.200_007_14,
        -0.249_999_94,
        0.333_333_3,
    ] {
        p = p.mul_add(x, c);
    }
    let y = p * x2 * x;
    let y = e.mul_add(LN_2_LOW, y);
    let y = x2.mul_add(-0.5, y);
    e.mul_add(LN_2_HIGH, x + y)
}

/// c^gamma for c in [0, 1].
#[inline(always)]
pub(super) fn pow<S: Simd>(simd: S, c: f32x16<S>, gamma: f32) -> f32x16<S> {
    if gamma == 1.0 {
        c
    } else if gamma == 0.0 {
        f32x16::splat(simd, 1.0)
    } else {
        let power = exp(simd, ln(simd, c.max(f32::MIN_POSITIVE)) * gamma);
        c.simd_gt(0.0).select(power, f32x16::splat(simd, 0.0))
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[inline(always)]
    fn map<S: Simd>(simd: S, xs: &[f32], f: impl Fn(S, f32x16<S>) -> f32x16<S>) -> Vec<f32> {
        xs.chunks_exact(16).flat_map(|x| f(simd, f32x16::from_slice(simd, x)).to_array()).collect()
    }

    fn between(low: f32, high: f32) -> Vec<f32> {
        (0..160_000).map(|i| low + (high - low) * (i as f32 / 159_999.0)).collect()
    }

    #[test]
    fn exp_and_ln_are_good_to_two_units() {
        let level = Level::new();
        let worst = |xs: &[f32], ys: &[f32], f: fn(f64) -> f64| {
            let ulps = |(&x, &y): (&f32, &f32)| (f64::from(y) / f(f64::from(x)) - 1.0).abs() / f64::from(f32::EPSILON);
            xs.iter().zip(ys).map(ulps).fold(0.0, f64::max)
        };
        let xs = between(-87.0, 20.0);
        let ys = dispatch!(level, simd => map(simd, &xs, exp));
        assert!(worst(&xs, &ys, f64::exp) < 2.0);
        let xs = between(-126.0, 40.0);
        let ys = dispatch!(level, simd => map(simd, &xs, exp2));
        assert!(worst(&xs, &ys, f64::exp2) < 2.0);
        for (low, high) in [(1e-30, 1e-3), (1e-3, 0.7), (1.5, 1e6)] {
            let xs = between(low, high);
            let ys = dispatch!(level, simd => map(simd, &xs, ln));
            assert!(worst(&xs, &ys, f64::ln) < 2.0, "in [{low}, {high}]");
        }
    }

    #[test]
    fn ends_of_the_range_are_exact() {
        let level = Level::new();
        let mut xs = [0.0; 16];
        xs[..4].copy_from_slice(&[0.0, -88.0, f32::NEG_INFINITY, -1e30]);
        let ys = dispatch!(level, simd => map(simd, &xs, exp));
        assert_eq!(ys[..4], [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(dispatch!(level, simd => map(simd, &xs, exp2))[..4], [1.0, 2_f32.powi(-88), 0.0, 0.0]);
        assert_eq!(dispatch!(level, simd => map(simd, &[1.0; 16], ln)), [0.0; 16]);
        let powers = |gamma| dispatch!(level, simd => map(simd, &[0.0; 16], |s, x| pow(s, x, gamma)))[0];
        assert_eq!([powers(0.0), powers(0.5), powers(1.0)], [1.0, 0.0, 0.0]);
    }
}
