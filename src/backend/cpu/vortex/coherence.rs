//! How far sequences follow a ring, a block of sequences at a time, position by position.

use crate::kernel::vortex::coherence::{BLOCK, Params};
use crate::plan::batch::Batch;

/// Scores the batch's sequences.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let Params { length, modulus, .. } = batch.params();
    let next = batch.inputs[1].plane::<u32>(0);
    let planes: Vec<&[u32]> = (0..length as usize).map(|place| batch.inputs[0].plane(place)).collect();
    let [scores, refused] = &mut batch.outputs[..] else { return };
    for (scores, refused) in scores.planes_mut::<f32>().zip(refused.planes_mut::<u32>()) {
        for (block, (scores, refused)) in scores.chunks_mut(BLOCK).zip(refused).enumerate() {
            let all = BLOCK * block..BLOCK * block + scores.len();
            let (mut forward, mut backward, mut most) = ([0_u32; BLOCK], [0_u32; BLOCK], [0_u32; BLOCK]);
            let (mut after_x, mut after_y) = ([0; BLOCK], [0; BLOCK]);
            look_up(next, modulus, &planes[0][all.clone()], &mut after_x);
            for pair in planes.windows(2) {
                let (from, to) = (&pair[0][all.clone()], &pair[1][all.clone()]);
                look_up(next, modulus, to, &mut after_y);
                for (lane, (&x, &y)) in from.iter().zip(to).enumerate() {
                    most[lane] = most[lane].max(x).max(y);
                    forward[lane] += u32::from(after_x[lane] == y);
                    backward[lane] += u32::from(after_y[lane] == x);
                }
                after_x = after_y;
            }
            *refused = u32::MAX;
            for (lane, score) in scores.iter_mut().enumerate().rev() {
                let fine = most[lane] <= modulus;
                *score = if fine { forward[lane].max(backward[lane]) as f32 / (length - 1) as f32 } else { 0.0 };
                *refused = if fine { *refused } else { lane as u32 };
            }
        }
    }
}

/// Where a step leads from each position; from one beyond the ring, where it leads from the last.
#[inline(always)]
fn look_up(next: &[u32], modulus: u32, positions: &[u32], found: &mut [u32; BLOCK]) {
    for (found, &position) in found.iter_mut().zip(positions) {
        *found = next[position.min(modulus) as usize];
    }
}
