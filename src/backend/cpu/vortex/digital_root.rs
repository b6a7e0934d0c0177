//! Digital roots, sixteen at a time.

use fearless_simd::{Simd, prelude::*, u32x16};

use crate::kernel::vortex::digital_root::{FACTOR, Params};
use crate::plan::batch::Batch;

/// Digital roots of the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (words, values) = (batch.params::<Params>().words, batch.inputs[0].plane::<u32>(0));
    for roots in batch.outputs[0].planes_mut::<u32>() {
        match words {
            1 => in_sixteens::<16, S>(simd, values, roots),
            _ => in_sixteens::<32, S>(simd, values, roots),
        }
    }
}

/// All whole sixteens, then the rest filled up with zeros; sixteen numbers are so many words.
#[inline(always)]
fn in_sixteens<const WORDS: usize, S: Simd>(simd: S, values: &[u32], roots: &mut [u32]) {
    let ((values, values_rest), (roots, roots_rest)) = (values.as_chunks::<WORDS>(), roots.as_chunks_mut::<16>());
    for (roots, values) in roots.iter_mut().zip(values) {
        root_of(folded(simd, values)).store_array(roots);
    }
    let mut last = [0; WORDS];
    last[..values_rest.len()].copy_from_slice(values_rest);
    let last = root_of(folded(simd, &last)).to_array();
    roots_rest.copy_from_slice(&last[..roots_rest.len()]);
}

/// s - 9 floor(s K / 2^18) after one more fold: see the contract.
#[inline(always)]
fn root_of<S: Simd>(s: u32x16<S>) -> u32x16<S> {
    let s = (s & 0xfff) + (s >> 12);
    let nines = (s * FACTOR) >> 18;
    s - ((nines << 3) + nines)
}

/// A sum of the parts of 18 bits, or of 24 where a number has two words.
#[inline(always)]
fn folded<const WORDS: usize, S: Simd>(simd: S, values: &[u32; WORDS]) -> u32x16<S> {
    let first = u32x16::from_slice(simd, &values[..16]);
    if WORDS == 16 {
        return (first & 0x3_ffff) + (first >> 18);
    }
    let (low, high) = simd.deinterleave_u32x16(first, u32x16::from_slice(simd, &values[16..]));
    let middle = ((high << 8) & 0xff_ffff) | (low >> 24);
    (low & 0xff_ffff) + middle + (high >> 16)
}
