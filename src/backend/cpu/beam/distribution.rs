//! Sixteen distributions at a time, one to a lane, and their entropy.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, i32x16, mask32x16, u32x16};

use crate::backend::cpu::tile::padded;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::DIGITS;
use crate::plan::batch::Slot;

/// 1 / ln 9.
pub(super) const PER_LN_9: f32 = 0.455_119_6;

/// ln(1 + x) / x for 1 + x in [sqrt 1/2, sqrt 2), from the highest power: the minimax polynomial under which ln is within
/// 3e-7. It is exact at 1, and nearer than any sum of nine terms is computed.
const LN: [f32; 7] =
    [0.100_174_06, -0.184_094_44, 0.209_382_02, -0.249_442_62, 0.332_836_4, -0.500_002_44, 1.000_006_5];

/// The planes of a slot that has so many.
#[inline(always)]
pub(super) fn planes<'a, const N: usize>(slot: &Slot<&'a [u8]>) -> [&'a [f32]; N] {
    let mut planes: [&[f32]; N] = [&[]; N];
    for (number, plane) in planes.iter_mut().enumerate() {
        *plane = slot.plane(number);
    }
    planes
}

/// Sixteen items of each plane from `first` on; behind the last item ones, which are a distribution.
#[inline(always)]
pub(super) fn load<S: Simd, const N: usize>(simd: S, planes: &[&[f32]; N], first: usize) -> [f32x16<S>; N] {
    let mut tile = [f32x16::splat(simd, 1.0); N];
    for (lanes, plane) in tile.iter_mut().zip(planes) {
        let rest = &plane[first..];
        if let Some(whole) = rest.first_chunk::<LANES>() {
            *lanes = f32x16::load_array_ref(simd, whole);
        } else {
            *lanes = f32x16::load_array(simd, padded(rest, 1.0));
        }
    }
    tile
}

/// Puts sixteen integers, or as many as there are from `first` on, in their places.
#[inline(always)]
pub(super) fn store_u32<S: Simd>(plane: &mut [u32], first: usize, values: u32x16<S>) {
    let rest = &mut plane[first..];
    if let Some(whole) = rest.first_chunk_mut::<LANES>() {
        values.store_array(whole);
    } else {
        rest.copy_from_slice(&values.to_array()[..rest.len()]);
    }
}

/// What digits have to be multiplied by to sum to one, and where they can be.
#[inline(always)]
pub(super) fn scale<S: Simd>(simd: S, x: &[f32x16<S>; DIGITS]) -> (f32x16<S>, mask32x16<S>) {
    // In pairs: nine additions one after the other take longer than all else up to the division.
    let sum = ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])) + x[8];
    let mut least = f32x16::splat(simd, 0.0);
    for &x in x {
        least = least.min(x);
    }
    // A NaN makes the sum one.
    let valid = least.simd_ge(0.0) & sum.simd_ge(f32::MIN_POSITIVE) & sum.simd_le(f32::MAX);
    (f32x16::splat(simd, 1.0) / sum, valid)
}

/// Divides digits by their sum; says what they were multiplied by, and where that can be done.
#[inline(always)]
pub(super) fn normalise<S: Simd>(simd: S, digits: &mut [f32x16<S>; DIGITS]) -> (f32x16<S>, mask32x16<S>) {
    let (scale, valid) = scale(simd, digits);
    for x in digits {
        *x *= scale;
    }
    (scale, valid)
}

/// y + x M of rows x and y, where M has nine rows of which the first nine floats count: an output at a time, because nine at
/// once do not stay in registers.
#[inline(always)]
pub(super) fn multiply<S: Simd, const ROW: usize>(
    x: &[f32x16<S>; DIGITS],
    rows: &[[f32; ROW]; DIGITS],
    mut y: [f32x16<S>; DIGITS],
) -> [f32x16<S>; DIGITS] {
    for (k, y) in y.iter_mut().enumerate() {
        for (x, row) in x.iter().zip(rows) {
            *y = x.mul_add(row[k], *y);
        }
    }
    y
}

/// -sum d ln d of digits that sum to one, 0 ln 0 = 0.
#[inline(always)]
pub(super) fn entropy<S: Simd>(simd: S, digits: &[f32x16<S>; DIGITS]) -> f32x16<S> {
    // Two sums, so that one addition need not wait for the one before; term by term, because a loop would stay one.
    let (mut even, mut odd) = (Entropy::new(simd), Entropy::new(simd));
    even.add(simd, digits[0]);
    odd.add(simd, digits[1]);
    even.add(simd, digits[2]);
    odd.add(simd, digits[3]);
    even.add(simd, digits[4]);
    odd.add(simd, digits[5]);
    even.add(simd, digits[6]);
    odd.add(simd, digits[7]);
    even.add(simd, digits[8]);
    ((even.exponents + odd.exponents) * -std::f32::consts::LN_2 - (even.logs + odd.logs)).max(0.0)
}

/// Part of a sum of d ln d: with d = 2^e (1 + x), d e and d ln(1 + x) are summed apart.
struct Entropy<S: Simd> {
    exponents: f32x16<S>,
    logs: f32x16<S>,
}

impl<S: Simd> Entropy<S> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        Self { exponents: f32x16::splat(simd, 0.0), logs: f32x16::splat(simd, 0.0) }
    }

    #[inline(always)]
    fn add(&mut self, simd: S, d: f32x16<S>) {
        const SQRT_HALF: u32 = 0x3f35_04f3;
        let bits: u32x16<S> = d.bitcast();
        let shifted: i32x16<S> = (bits - SQRT_HALF).bitcast();
        let exponent = shifted >> 23;
        let mantissa: u32x16<S> = bits - (exponent << 23).bitcast::<u32x16<S>>();
        let x = mantissa.bitcast::<f32x16<S>>() - 1.0;
        let mut p = f32x16::splat(simd, LN[0]);
        for &c in &LN[1..] {
            p = p.mul_add(x, c);
        }
        self.logs = (d * x).mul_add(p, self.logs);
        self.exponents = d.mul_add(exponent.to_float::<f32x16<S>>(), self.exponents);
    }
}
