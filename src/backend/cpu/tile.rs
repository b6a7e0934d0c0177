//! Sixteen items at a time, of which the last may be fewer.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::transpose::LANES;

/// The first sixteen values, or those that are there and a stand-in for the others.
#[inline(always)]
pub(super) fn padded<T: Copy>(values: &[T], with: T) -> [T; LANES] {
    if let Some(whole) = values.first_chunk::<LANES>() {
        return *whole;
    }
    let mut lanes = [with; LANES];
    lanes[..values.len()].copy_from_slice(values);
    lanes
}

/// Puts sixteen items, or as many as there are from `first` on, in their places.
#[inline(always)]
pub(super) fn store<S: Simd>(plane: &mut [f32], first: usize, values: f32x16<S>) {
    let rest = &mut plane[first..];
    if let Some(whole) = rest.first_chunk_mut::<LANES>() {
        values.store_array(whole);
    } else {
        rest.copy_from_slice(&values.to_array()[..rest.len()]);
    }
}

/// Notes the lowest item of a block that is refused; bit i stands for the item `first` + i.
#[inline(always)]
pub(super) fn note(refused: u64, first: usize, block: usize, lowest: &mut u32) {
    if refused != 0 {
        *lowest = (*lowest).min((first % block) as u32 + refused.trailing_zeros());
    }
}
