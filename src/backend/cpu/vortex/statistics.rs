//! What stands at each position: each item is added to the sums of its bin, in the order of items.

use std::array::from_fn;

use crate::kernel::vortex::statistics::{BLOCK, Params, places, sums};
use crate::plan::batch::Batch;

/// Adds up the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let params: Params = batch.params();
    match params.channels {
        0 => blocks::<0, { sums(0) }>(params, &mut batch),
        1 => blocks::<1, { sums(1) }>(params, &mut batch),
        2 => blocks::<2, { sums(2) }>(params, &mut batch),
        3 => blocks::<3, { sums(3) }>(params, &mut batch),
        4 => blocks::<4, { sums(4) }>(params, &mut batch),
        _ => blocks::<5, { sums(5) }>(params, &mut batch),
    }
}

#[inline(always)]
fn blocks<const D: usize, const K: usize>(params: Params, batch: &mut Batch<'_>) {
    let (positions, directions) = (batch.inputs[0].plane::<u32>(0), batch.inputs[1].plane::<u32>(0));
    let payload: [&[f32]; D] = from_fn(|channel| batch.inputs[2].plane(channel));
    let centre: [f32; D] = from_fn(|channel| batch.inputs[3].plane::<f32>(0)[channel]);
    let [found, refused] = &mut batch.outputs[..] else { return };
    let items = positions.len();
    for (found, refused) in found.planes_mut::<f32>().zip(refused.planes_mut::<u32>()) {
        let found = found.as_chunks_mut::<K>().0.chunks_mut(params.bins as usize);
        for ((block, found), refused) in found.enumerate().zip(refused) {
            found.fill([0.0; K]);
            *refused = u32::MAX;
            let first = BLOCK * block;
            for item in first..items.min(first + BLOCK) {
                let mut x = [0.0; D];
                let mut fine = true;
                for (x, plane) in x.iter_mut().zip(payload) {
                    *x = plane[item];
                    fine &= x.is_finite();
                }
                match found.get_mut(positions[item] as usize) {
                    Some(found) if fine => add(found, x, centre, directions[item]),
                    _ => *refused = (*refused).min((item - first) as u32),
                }
            }
        }
    }
}

/// Adds an item to its bin.
#[inline(always)]
fn add<const D: usize, const K: usize>(found: &mut [f32; K], x: [f32; D], centre: [f32; D], direction: u32) {
    let largest = x.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let is_zero = largest < f32::MIN_POSITIVE;
    // Scaled by the largest channel, so that squares neither overflow nor vanish.
    let scale = 1.0 / if is_zero { 1.0 } else { largest };
    let mut square = 0.0;
    for x in x {
        square += (x * scale) * (x * scale);
    }
    let per_length = if is_zero { 0.0 } else { scale / square.sqrt() };
    let mut terms = [0.0; K];
    terms[0] = 1.0;
    terms[1] = f32::from(u8::from(direction == 0));
    terms[2] = f32::from(u8::from(!is_zero));
    let [values, products, directions] = places(D);
    let mut product = products;
    for i in 0..D {
        let y = x[i] - centre[i];
        terms[values + i] = y;
        for j in i..D {
            terms[product] = y * (x[j] - centre[j]);
            product += 1;
        }
        terms[directions + i] = x[i] * per_length;
    }
    for (found, term) in found.iter_mut().zip(terms) {
        *found += term;
    }
}
