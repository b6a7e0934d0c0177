//! The twin of `shaders/beam/moments.wgsl`: sixteen items of a block at a time, one to a lane.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::distribution::{load, planes};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::moments::{BLOCK, SUMS, WORDS};
use crate::plan::batch::Batch;

/// Sums the batch's blocks.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let items = batch.items;
    let digits: [&[f32]; DIGITS] = planes(&batch.inputs[0]);
    let pivot: &[f32] = batch.inputs[1].plane(0);
    let [sums] = &mut batch.outputs[..] else { return };
    let zero = f32x16::splat(simd, 0.0);
    for blocks in sums.planes_mut::<[f32; WORDS]>() {
        for (begin, block) in (0..items).step_by(BLOCK).zip(blocks) {
            let mut totals = [zero; SUMS];
            for first in (begin..items.min(begin + BLOCK)).step_by(LANES) {
                let mut z = load(simd, &digits, first);
                for (z, &pivot) in z.iter_mut().zip(pivot) {
                    *z -= pivot;
                }
                if items - first < LANES {
                    let mut there = [0.0; LANES];
                    there[..items - first].fill(1.0);
                    let there = f32x16::simd_from(simd, there);
                    for z in &mut z {
                        *z *= there;
                    }
                }
                let mut next = DIGITS;
                for i in 0..DIGITS {
                    totals[i] += z[i];
                    for other in &z[i..] {
                        totals[next] = z[i].mul_add(*other, totals[next]);
                        next += 1;
                    }
                }
            }
            *block = [0.0; WORDS];
            for (sum, total) in block.iter_mut().zip(totals) {
                *sum = of_lanes(&total.to_array());
            }
        }
    }
}

/// The sum of sixteen lanes, in halves.
#[inline(always)]
fn of_lanes(lanes: &[f32; LANES]) -> f32 {
    let mut sums = *lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}
