//! Integers that hold 2^32 to the unit, and functions whose bits no machine changes.
//!
//! Logarithms and exponentials are made of additions, multiplications, divisions and shifts alone, which IEEE 754 rounds alike
//! everywhere; those of a system's library differ from one to the next.

use std::f64::consts::LN_2;

use crate::error::PartialError;

/// What 1 is.
pub(crate) const ONE: f64 = (1_u64 << 32) as f64;

/// The nearest integer, the even one of two. What is held is below 2^25 to the unit, so that none is too large.
///
/// Units and what is left of one are rounded apart, each by an addition: no SIMD below AVX-512 converts to integers of 64 bits.
#[inline(always)]
pub(crate) fn fixed(value: f64) -> i64 {
    let units = value + ROUND;
    // Both differences are exact.
    let rest = (value - (units - ROUND)) * ONE + ROUND;
    ((integer(units)) << 32).wrapping_add(integer(rest))
}

/// 1.5 * 2^52: added to a number below 2^51 and taken away again, it rounds to the nearest integer, which it leaves in the low
/// bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The integer in the low bits of a sum with [`ROUND`].
#[inline(always)]
fn integer(rounded: f64) -> i64 {
    rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i64
}

/// Adds to each sum.
#[inline(always)]
pub(crate) fn add(sums: &mut [i64], parts: &[i64]) -> Result<(), PartialError> {
    let mut overflow = 0;
    for (sum, &part) in sums.iter_mut().zip(parts) {
        let whole = sum.wrapping_add(part);
        // The sign is neither's: a test of it in the loop would keep it from being vectorised.
        overflow |= (whole ^ *sum) & (whole ^ part);
        *sum = whole;
    }
    if overflow < 0 { Err(PartialError::TooMuch) } else { Ok(()) }
}

/// ln x of a normal number, within 2e-14 of its size or absolutely.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits() as i64;
    // x = 2^k m with m in [sqrt(1/2), sqrt(2)); the exponent is in the upper half, whose shifts every SIMD has.
    let upper = ((bits - 0x3fe6_a09e_667f_3bcd) >> 32) as i32;
    let k = upper >> 20;
    let m = f64::from_bits((bits - (i64::from(k) << 52)) as u64);
    // ln m = 2 artanh s
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let series = [2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, 2.0];
    f64::from(k) * LN_2 + s * horner(z, series)
}

/// exp x of a number from -708 to 0, within 1e-14 of its size; 0 below.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    /// The upper 32 bits of ln 2, and the rest.
    const UPPER: f64 = 0.693_147_180_369_123_8;
    const LOWER: f64 = 1.908_214_929_270_587_7e-10;
    let shifted = x.max(-708.0) / LN_2 + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * UPPER) - k * LOWER;
    let taylor = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x < -708.0 { 0.0 } else { horner(r, taylor) * power }
}

/// A polynomial, its highest coefficient first.
#[inline(always)]
fn horner<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    coefficients.into_iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_and_exponentials_are_close() {
        for i in 1..400_000 {
            let x = f64::from(i) * 5e-6;
            assert!((ln(x) - x.ln()).abs() <= 2e-14 * x.ln().abs().max(1.0), "ln {x}");
            let y = -f64::from(i) * 1.8e-3;
            let error = (exp(y) - y.exp()).abs();
            assert!(error <= 1e-14 * y.exp() || y < -708.0 && error < 1e-300, "exp {y}: {} {}", exp(y), y.exp());
        }
        assert_eq!((ln(1.0), exp(0.0), exp(f64::NEG_INFINITY)), (0.0, 1.0, 0.0));
        assert_eq!(ln(f64::from(f32::MIN_POSITIVE)), -87.336_544_750_553_1);
    }

    #[test]
    fn what_is_too_much_is_found() {
        let mut sums = [1, i64::MAX - 1, -5];
        assert_eq!(add(&mut sums, &[1, 1, 5]), Ok(()));
        assert_eq!(sums, [2, i64::MAX, 0]);
        assert_eq!(add(&mut sums, &[0, 1, 0]), Err(PartialError::TooMuch));
        assert_eq!(add(&mut [i64::MIN], &[-1]), Err(PartialError::TooMuch));
        assert_eq!(
            [fixed(1.0), fixed(-0.5), fixed(2f64.powi(-33)), fixed(3.0 * 2f64.powi(-33)), fixed(-2f64.powi(-34))],
            [1 << 32, -(1 << 31), 0, 2, 0]
        );
        assert_eq!([fixed(16.7e6), fixed(-33_554_431.75)], [16_700_000 << 32, -(134_217_727 << 30)]);
        for i in 0..100_000 {
            let value = f64::from(i) * 331.7 - 1.6e7;
            assert_eq!(fixed(value), (value * ONE).round_ties_even() as i64, "{value}");
        }
    }
}
