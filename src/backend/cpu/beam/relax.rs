//! The twin of `shaders/beam/relax.wgsl`: sixteen items to a tile, one to a lane. A lane that has stopped keeps what it has,
//! so that an item's bits do not depend on its neighbours.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use super::distribution::{load, multiply, planes, store_u32};
use crate::backend::cpu::tile::store;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::intervene::ANCHORS;
use crate::kernel::beam::relax::{COUPLED, MOST_STEPS, Params, ROW, STARTED};
use crate::plan::batch::Batch;

/// Relaxes the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let digits: [&[f32]; DIGITS] = planes(&batch.inputs[0]);
    let starts = if params.options & STARTED == 0 { digits } else { planes(&batch.inputs[1]) };
    let positions: &[u32] = batch.inputs[2].plane(0);
    let coupling: &[[f32; ROW]] = batch.inputs[3].plane(0);
    let Some(coupling) = coupling.first_chunk::<DIGITS>() else { return };
    let [relaxed, changes, steps] = &mut batch.outputs[..] else { return };
    let mut relaxed: Vec<&mut [f32]> = relaxed.planes_mut().collect();
    for (changes, steps) in changes.planes_mut::<f32>().zip(steps.planes_mut::<u32>()) {
        for first in (0..items).step_by(LANES) {
            let (given, start) = (load(simd, &digits, first), load(simd, &starts, first));
            let mut anchors = [0.0; LANES];
            for (anchor, position) in anchors.iter_mut().zip(&positions[first..items.min(first + LANES)]) {
                *anchor = ANCHORS[(*position as usize).min(ANCHORS.len() - 1)] as f32;
            }
            let end = relax(simd, &params, coupling, given, start, f32x16::simd_from(simd, anchors));
            for (plane, digit) in relaxed.iter_mut().zip(end.digits) {
                store(plane, first, digit);
            }
            store(changes, first, end.change);
            store_u32(steps, first, end.steps.to_int());
        }
    }
}

/// Where sixteen items end.
struct End<S: Simd> {
    digits: [f32x16<S>; DIGITS],
    change: f32x16<S>,
    steps: f32x16<S>,
}

#[inline(always)]
fn relax<S: Simd>(
    simd: S,
    params: &Params,
    coupling: &[[f32; ROW]; DIGITS],
    given: [f32x16<S>; DIGITS],
    start: [f32x16<S>; DIGITS],
    anchor: f32x16<S>,
) -> End<S> {
    let zero = f32x16::splat(simd, 0.0);
    // What does not change from step to step: (1 - a) x0 + a s e.
    let (kept, share) = (1.0 - params.alpha, f32x16::splat(simd, params.alpha * params.pull));
    let mut base = given;
    for (k, base) in (1_u8..).zip(&mut base) {
        *base = base.mul_add(kept, anchor.simd_eq(f32::from(k)).select(share, zero));
    }
    let factor = params.alpha * (1.0 - params.pull);
    let mut end = End { digits: start, change: zero, steps: zero };
    let mut moving = mask32x16::splat(simd, true);
    for _ in 0..params.most.min(MOST_STEPS) {
        let mut next = end.digits;
        if params.options & COUPLED != 0 {
            next = multiply(&end.digits, coupling, [zero; DIGITS]);
        }
        let mut change = zero;
        for ((y, base), x) in next.iter_mut().zip(base).zip(&mut end.digits) {
            *y = y.mul_add(factor, base);
            change = change.max((*y - *x).abs());
            *x = moving.select(*y, *x);
        }
        end.change = moving.select(change, end.change);
        end.steps = moving.select(end.steps + 1.0, end.steps);
        moving &= change.simd_gt(params.tolerance);
        if !moving.any_true() {
            break;
        }
    }
    end
}
