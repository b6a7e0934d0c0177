//! The twin of `shaders/beam/measure.wgsl`: sixteen items to a tile, one to a lane.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::distribution::{PER_LN_9, entropy, load, normalise, planes, store_u32};
use crate::backend::cpu::tile::{note, store};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::measure::{BLOCK, DECISIVENESS, ENTROPY, MASS, Params};
use crate::plan::batch::Batch;

/// Measures the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, asked) = (batch.items, batch.params::<Params>().outputs);
    let digits: [&[f32]; DIGITS] = planes(&batch.inputs[0]);
    let [normalised, scalars, dominant, status] = &mut batch.outputs[..] else { return };
    let mut normalised: Vec<&mut [f32]> = normalised.planes_mut().collect();
    let mut scalars: Vec<&mut [f32]> = scalars.planes_mut().collect();
    let mut dominant: Vec<&mut [u32]> = dominant.planes_mut().collect();
    for status in status.planes_mut::<u32>() {
        status.fill(u32::MAX);
        for first in (0..items).step_by(LANES) {
            let mut digits = load(simd, &digits, first);
            let (mut largest, mut second) = (f32x16::splat(simd, -1.0), f32x16::splat(simd, -1.0));
            let mut place = f32x16::splat(simd, 0.0);
            for (k, x) in digits.iter().enumerate() {
                second = second.max(largest.min(*x));
                let is_larger = x.simd_gt(largest);
                place = is_larger.select(f32x16::splat(simd, (k + 1) as f32), place);
                largest = is_larger.select(*x, largest);
            }
            let (scale, valid) = normalise(simd, &mut digits);
            for (plane, digit) in normalised.iter_mut().zip(digits) {
                store(plane, first, digit);
            }
            let mut planes = scalars.iter_mut();
            if asked & (ENTROPY | MASS) != 0 {
                let entropy = entropy(simd, &digits);
                if asked & ENTROPY != 0
                    && let Some(plane) = planes.next()
                {
                    store(plane, first, entropy);
                }
                if asked & MASS != 0
                    && let Some(plane) = planes.next()
                {
                    store(plane, first, (1.0 - entropy * PER_LN_9).max(0.0).min(1.0));
                }
            }
            if asked & DECISIVENESS != 0
                && let Some(plane) = planes.next()
            {
                store(plane, first, (largest - second) * scale);
            }
            for plane in &mut dominant {
                store_u32(plane, first, place.to_int());
            }
            note((!valid).to_bitmask(), first, BLOCK, &mut status[first / BLOCK]);
        }
    }
}
