//! Sums over classes, in blocks of blocks of sixteen: many small terms beside a large one would else be rounded the same
//! way again and again. Up to sixteen terms it is the plain sum.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

/// Terms in a block, and blocks in a block of blocks.
pub(super) const BLOCK: usize = 16;

/// The sum of the blocks pushed so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum<S: Simd> {
    blocks: usize,
    /// Of up to 16 blocks, up to 256 blocks, and the rest.
    parts: [f32x16<S>; 3],
}

impl<S: Simd> Sum<S> {
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        Self { blocks: 0, parts: [f32x16::splat(simd, 0.0); 3] }
    }

    /// Adds the plain sum of the next [`BLOCK`] terms.
    #[inline(always)]
    pub(super) fn push(&mut self, simd: S, block: f32x16<S>) {
        let zero = f32x16::splat(simd, 0.0);
        self.blocks += 1;
        self.parts[0] += block;
        if self.blocks.is_multiple_of(BLOCK) {
            let [first, second, third] = &mut self.parts;
            *second += std::mem::replace(first, zero);
            if self.blocks.is_multiple_of(BLOCK * BLOCK) {
                *third += std::mem::replace(second, zero);
            }
        }
    }

    #[inline(always)]
    pub(super) fn total(self) -> f32x16<S> {
        self.parts[0] + self.parts[1] + self.parts[2]
    }
}
