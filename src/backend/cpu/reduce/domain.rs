//! Whether numbers are what an operation takes, a block of items at a time, plane by plane.

use crate::kernel::reduce::domain::{BLOCK, Params, key};
use crate::plan::batch::Batch;

/// Looks at the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let Params { planes, summed, least, most, .. } = batch.params();
    let (items, total) = (batch.items, key(least.to_bits())..=key(most.to_bits()));
    let ranges = batch.inputs[1].plane::<[u32; 2]>(0);
    let planes: Vec<&[f32]> = (0..planes as usize).map(|plane| batch.inputs[0].plane(plane)).collect();
    let [refused] = &mut batch.outputs[..] else { return };
    for refused in refused.planes_mut::<u32>() {
        for (block, refused) in refused.iter_mut().enumerate() {
            let all = BLOCK * block..items.min(BLOCK * (block + 1));
            let (mut bad, mut sums) = ([false; BLOCK], [0.0_f32; BLOCK]);
            for (number, (plane, [least, greatest])) in (0..).zip(planes.iter().zip(ranges)) {
                let plane = &plane[all.clone()];
                for (bad, x) in bad.iter_mut().zip(plane) {
                    let x = key(x.to_bits());
                    *bad |= x < *least || x > *greatest;
                }
                if number < summed {
                    sums.iter_mut().zip(plane).for_each(|(sum, x)| *sum += x);
                }
            }
            for (bad, sum) in bad.iter_mut().zip(&sums[..all.len()]) {
                *bad |= !total.contains(&key(sum.to_bits()));
            }
            *refused = bad.iter().position(|bad| *bad).map_or(u32::MAX, |lane| lane as u32);
        }
    }
}
