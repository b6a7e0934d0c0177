//! The twin of `shaders/em/collect.wgsl`.

use super::{add_rows, by_classes};
use crate::kernel::em::collect::{OF_BLOCKS, Params};
use crate::plan::batch::Batch;

/// The sums of the batch's segments.
#[inline(always)]
pub(in crate::backend::cpu) fn run(batch: Batch<'_>) {
    let classes = batch.params::<Params>().classes;
    by_classes!(classes, of<>(batch));
}

#[inline(always)]
fn of<const C: usize>(mut batch: Batch<'_>) {
    let classes = batch.params::<Params>().classes as usize;
    let [segments, members, posterior, masses] = &batch.inputs[..] else { return };
    let (begins, ends): (&[u32], &[u32]) = (segments.plane(0), segments.plane(1));
    let (members, posterior, masses): (&[u32], &[f32], &[f32]) =
        (members.plane(0), posterior.plane(0), masses.plane(0));
    let [parts] = &mut batch.outputs[..] else { return };
    let Some(parts) = parts.planes_mut::<f32>().next() else { return };
    for ((&begin, &end), part) in begins.iter().zip(ends).zip(parts.chunks_exact_mut(classes)) {
        part.fill(0.0);
        if begin & OF_BLOCKS == 0 {
            add_rows::<C>(posterior, &members[begin as usize..end as usize], part);
        } else {
            let masses = &masses[(begin & !OF_BLOCKS) as usize * classes..end as usize * classes];
            for row in masses.chunks_exact(classes) {
                part.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        }
    }
}
