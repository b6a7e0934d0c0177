//! Digital roots: four multiplications and shifts a number, which the compiler spreads over the level's lanes.

use crate::kernel::vortex::digital_root::Params;
use crate::plan::batch::Batch;

/// Digital roots of the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let (words, values) = (batch.params::<Params>().words, &batch.inputs[0]);
    for roots in batch.outputs[0].planes_mut::<u32>() {
        match words {
            1 => roots.iter_mut().zip(values.plane::<u32>(0)).for_each(|(root, &n)| *root = root_of(n)),
            _ => roots.iter_mut().zip(values.plane::<u64>(0)).for_each(|(root, &n)| *root = root_of(folded(n))),
        }
    }
}

/// s - 9 floor(s K / 2^35) with K = floor(2^35 / 9): see the contract.
#[inline(always)]
fn root_of(s: u32) -> u32 {
    const K: u64 = (1 << 35) / 9;
    s - 9 * ((u64::from(s) * K) >> 35) as u32
}

/// A sum of parts of 30 bits, with the same digital root.
#[inline(always)]
fn folded(n: u64) -> u32 {
    const PART: u64 = (1 << 30) - 1;
    ((n & PART) + (n >> 30 & PART) + (n >> 60)) as u32
}
