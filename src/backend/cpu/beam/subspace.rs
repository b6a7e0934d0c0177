//! The twin of `shaders/beam/subspace.wgsl`: sixteen items to a tile, one to a lane.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::distribution::{load, multiply, planes};
use crate::backend::cpu::tile::store;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::subspace::{COLUMN, Params};
use crate::plan::batch::Batch;

/// Maps the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let distributes = batch.params::<Params>().distributes != 0;
    let digits: [&[f32]; DIGITS] = planes(&batch.inputs[0]);
    let map: &[[f32; COLUMN]] = batch.inputs[1].plane(0);
    let Some((columns, [offset, ..])) = map.split_first_chunk::<DIGITS>() else { return };
    let [mapped] = &mut batch.outputs[..] else { return };
    let mut mapped: Vec<&mut [f32]> = mapped.planes_mut().collect();
    let zero = f32x16::splat(simd, 0.0);
    for first in (0..batch.items).step_by(LANES) {
        let x = load(simd, &digits, first);
        let mut y = [zero; DIGITS];
        for (y, &offset) in y.iter_mut().zip(offset) {
            *y = f32x16::splat(simd, offset);
        }
        let mut y = multiply(&x, columns, y);
        if distributes {
            let mut sum = zero;
            for y in &mut y {
                *y = y.max(0.0);
                sum += *y;
            }
            let scale = f32x16::splat(simd, 1.0) / sum;
            for y in &mut y {
                *y *= scale;
            }
        }
        for (plane, y) in mapped.iter_mut().zip(y) {
            store(plane, first, y);
        }
    }
}
