//! The twin of `shaders/bayes/gaussian.wgsl`: eight items to a tile, one to a lane, in f64.

mod triangle;

use fearless_simd::prelude::*;
use fearless_simd::{f64x8, mask64x8};

use self::triangle::{Triangle, Vector, at, inverse, squared, times, trace_of_product};
use super::{LANES, narrow, widened};
use crate::backend::cpu::tile::note;
use crate::kernel::bayes::gaussian::{
    BLOCK, EQUAL, HALVINGS, LEAST_PIVOT, LEAST_VARIANCE, MOST, MOST_DIMENSIONS, MOST_ENTRIES, Mode, Params, entries,
};
use crate::plan::batch::Batch;

/// Fuses the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let dimensions = (params.dimensions as usize).min(MOST_DIMENSIONS);
    let planes_each = dimensions + entries(dimensions);
    let mut planes = Vec::new();
    for plane in 0..params.sources as usize * planes_each {
        planes.push(batch.inputs[0].plane::<f32>(plane));
    }
    let weights = batch.inputs[1].plane::<f32>(0);
    let [results, status] = &mut batch.outputs[..] else { return };
    let mut results: Vec<&mut [f32]> = results.planes_mut().collect();
    for status in status.planes_mut::<u32>() {
        status.fill(u32::MAX);
        for first in (0..items).step_by(LANES) {
            let len = LANES.min(items - first);
            let tile = Tile { simd, planes: &planes, dimensions, mode: params.mode, first, len };
            let (mean, covariance, omega, fine) = tile.fuse(weights);
            for plane in 0..=planes_each {
                let value = match plane {
                    _ if plane < dimensions => mean[plane],
                    _ if plane < planes_each => covariance[plane - dimensions],
                    _ => omega,
                };
                narrow(value.to_array(), &mut results[plane][first..first + len]);
            }
            note((!fine).to_bitmask(), first, BLOCK, &mut status[first / BLOCK]);
        }
    }
}

/// Eight items' sources.
struct Tile<'t, 'p, S: Simd> {
    simd: S,
    planes: &'t [&'p [f32]],
    dimensions: usize,
    mode: u32,
    first: usize,
    len: usize,
}

impl<S: Simd> Tile<'_, '_, S> {
    /// A plane's entries; lanes past the end repeat one that is there.
    #[inline(always)]
    fn plane(&self, plane: usize) -> f64x8<S> {
        f64x8::simd_from(self.simd, widened(&self.planes[plane][self.first..self.first + self.len]))
    }

    #[inline(always)]
    fn load(&self, source: usize, fine: &mut mask64x8<S>) -> (Vector<S>, Triangle<S>) {
        let zero = f64x8::splat(self.simd, 0.0);
        let (mut mean, mut covariance) = ([zero; MOST_DIMENSIONS], [zero; MOST_ENTRIES]);
        let first = source * (self.dimensions + entries(self.dimensions));
        for (i, x) in mean[..self.dimensions].iter_mut().enumerate() {
            *x = self.plane(first + i);
            *fine &= x.abs().simd_le(f64::from(MOST));
        }
        for (i, x) in covariance[..entries(self.dimensions)].iter_mut().enumerate() {
            *x = self.plane(first + self.dimensions + i);
            *fine &= x.abs().simd_le(f64::from(MOST));
        }
        for i in 0..self.dimensions {
            *fine &= covariance[at(i, i)].simd_ge(f64::from(LEAST_VARIANCE));
        }
        (mean, covariance)
    }

    #[inline(always)]
    fn fuse(&self, weights: &[f32]) -> (Vector<S>, Triangle<S>, f64x8<S>, mask64x8<S>) {
        let (simd, dimensions) = (self.simd, self.dimensions);
        let (zero, one) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, 1.0));
        let mut fine = mask64x8::splat(simd, true);
        let mut omega = zero;
        if self.mode != Mode::Precision as u32 {
            let mut precisions = [[zero; MOST_ENTRIES]; 2];
            for (n, precision) in precisions.iter_mut().enumerate() {
                let (_, covariance) = self.load(n, &mut fine);
                *precision = inverse(simd, dimensions, &covariance, f64::from(LEAST_PIVOT), &mut fine);
            }
            omega = self.least(&precisions, &mut fine);
        }
        let (mut origin, mut pull, mut sum) = ([zero; MOST_DIMENSIONS], [zero; MOST_DIMENSIONS], [zero; MOST_ENTRIES]);
        for (n, &weight) in weights.iter().enumerate() {
            let (mut mean, covariance) = self.load(n, &mut fine);
            if n == 0 {
                origin = mean;
            }
            let weight = match self.mode {
                0 => f64x8::splat(simd, f64::from(weight)),
                _ if n == 0 => omega,
                _ => one - omega,
            };
            let mut precision = inverse(simd, dimensions, &covariance, f64::from(LEAST_PIVOT), &mut fine);
            for (entry, sum) in precision.iter_mut().zip(&mut sum) {
                *entry *= weight;
                *sum += *entry;
            }
            for (mean, origin) in mean.iter_mut().zip(&origin) {
                *mean -= *origin;
            }
            let part = times(simd, dimensions, &precision, &mean);
            for (pull, part) in pull.iter_mut().zip(part) {
                *pull += part;
            }
        }
        let covariance = inverse(simd, dimensions, &sum, 0.0, &mut fine);
        let moved = times(simd, dimensions, &covariance, &pull);
        for (origin, moved) in origin.iter_mut().zip(moved) {
            *origin += moved;
        }
        (origin, covariance, omega, fine)
    }

    /// How much more the first source is worth than the second, and the sum of both.
    #[inline(always)]
    fn worth(&self, [a, b]: &[Triangle<S>; 2], omega: f64x8<S>, fine: &mut mask64x8<S>) -> [f64x8<S>; 2] {
        let (simd, dimensions) = (self.simd, self.dimensions);
        let mut mixed = *a;
        for (mixed, (a, b)) in mixed.iter_mut().zip(a.iter().zip(b)) {
            *mixed = *b + omega * (*a - *b);
        }
        let mut p = inverse(simd, dimensions, &mixed, 0.0, fine);
        if self.mode != Mode::Determinant as u32 {
            p = squared(simd, dimensions, &p);
        }
        let (first, second) = (trace_of_product(simd, dimensions, &p, a), trace_of_product(simd, dimensions, &p, b));
        [first - second, first + second]
    }

    #[inline(always)]
    fn least(&self, precisions: &[Triangle<S>; 2], fine: &mut mask64x8<S>) -> f64x8<S> {
        let (zero, half) = (f64x8::splat(self.simd, 0.0), f64x8::splat(self.simd, 0.5));
        let (mut low, mut high) = (zero, half + half);
        let mut equal = mask64x8::splat(self.simd, false);
        for halving in 0..HALVINGS {
            let omega = (low + high) * 0.5;
            let [more, both] = self.worth(precisions, omega, fine);
            if halving == 0 {
                equal = more.abs().simd_le(both * f64::from(EQUAL));
            }
            let up = more.simd_gt(0.0);
            low = up.select(omega, low);
            high = up.select(high, omega);
        }
        equal.select(half, (low + high) * 0.5)
    }
}
