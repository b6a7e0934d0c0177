//! Digital roots, sixteen at a time.

use fearless_simd::{Simd, prelude::*, u32x16};

use crate::kernel::vortex::digital_root::{FACTOR, Params};
use crate::plan::batch::Batch;

/// Digital roots of the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (params, values) = (batch.params::<Params>(), batch.inputs[0].plane::<u32>(0));
    for roots in batch.outputs[0].planes_mut::<u32>() {
        match (params.words, params.square) {
            (1, 0) => in_sixteens::<16, false, S>(simd, values, roots),
            (1, _) => in_sixteens::<16, true, S>(simd, values, roots),
            (_, 0) => in_sixteens::<32, false, S>(simd, values, roots),
            _ => in_sixteens::<32, true, S>(simd, values, roots),
        }
    }
}

/// All whole sixteens, then the rest filled up with zeros; sixteen numbers are so many words.
#[inline(always)]
fn in_sixteens<const WORDS: usize, const SQUARE: bool, S: Simd>(simd: S, values: &[u32], roots: &mut [u32]) {
    let ((values, values_rest), (roots, roots_rest)) = (values.as_chunks::<WORDS>(), roots.as_chunks_mut::<16>());
    for (roots, values) in roots.iter_mut().zip(values) {
        root_of::<SQUARE, S>(folded(simd, values)).store_array(roots);
    }
    let mut last = [0; WORDS];
    last[..values_rest.len()].copy_from_slice(values_rest);
    let last = root_of::<SQUARE, S>(folded(simd, &last)).to_array();
    roots_rest.copy_from_slice(&last[..roots_rest.len()]);
}

/// The root after one more fold, or that of its square.
#[inline(always)]
fn root_of<const SQUARE: bool, S: Simd>(s: u32x16<S>) -> u32x16<S> {
    let root = last((s & 0xfff) + (s >> 12));
    if SQUARE { last(root * root) } else { root }
}

/// s - 9 floor(s K / 2^18): see the contract.
#[inline(always)]
fn last<S: Simd>(s: u32x16<S>) -> u32x16<S> {
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
