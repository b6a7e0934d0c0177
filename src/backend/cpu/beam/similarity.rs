//! The twin of `shaders/beam/similarity.wgsl`: sixteen items to a tile, one to a lane.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::distribution::{load, normalise, planes};
use crate::backend::cpu::tile::{note, store};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::similarity::BLOCK;
use crate::plan::batch::Batch;

/// Compares the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (first_planes, second_planes) = (planes(&batch.inputs[0]), planes(&batch.inputs[1]));
    let [similarity, status] = &mut batch.outputs[..] else { return };
    for (similarity, status) in similarity.planes_mut::<f32>().zip(status.planes_mut::<u32>()) {
        status.fill(u32::MAX);
        for first in (0..batch.items).step_by(LANES) {
            let (mut a, mut b) = (load(simd, &first_planes, first), load(simd, &second_planes, first));
            let valid = normalise(simd, &mut a).1 & normalise(simd, &mut b).1;
            let zero = f32x16::splat(simd, 0.0);
            let (mut both, mut squares_a, mut squares_b) = (zero, zero, zero);
            for (a, b) in a.into_iter().zip(b) {
                both = a.mul_add(b, both);
                squares_a = a.mul_add(a, squares_a);
                squares_b = b.mul_add(b, squares_b);
            }
            store(similarity, first, (both / (squares_a * squares_b).sqrt()).min(1.0));
            note((!valid).to_bitmask(), first, BLOCK, &mut status[first / BLOCK]);
        }
    }
}
