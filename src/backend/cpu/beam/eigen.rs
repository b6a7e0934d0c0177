//! The twin of `shaders/beam/eigen.wgsl`: sixteen matrices to a tile, one to a lane. A matrix that is done is rotated by
//! nothing, so that its bits do not depend on its neighbours.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::distribution::{load, planes};
use crate::backend::cpu::tile::store;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::eigen::{CONVERGED, ENTRIES, LEADING, NEGLIGIBLE, SWEEPS};
use crate::kernel::beam::fuse::DIGITS;
use crate::plan::batch::Batch;

/// Sixteen matrices, row by row, or vector by vector.
type Square<S> = [[f32x16<S>; DIGITS]; DIGITS];

/// Decomposes the batch's matrices.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let entries: [&[f32]; ENTRIES] = planes(&batch.inputs[0]);
    let [values, vectors] = &mut batch.outputs[..] else { return };
    let mut values: Vec<&mut [f32]> = values.planes_mut().collect();
    let mut vectors: Vec<&mut [f32]> = vectors.planes_mut().collect();
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    for first in (0..batch.items).step_by(LANES) {
        let given = load(simd, &entries, first);
        let mut largest = zero;
        for entry in &given {
            largest = largest.max(entry.abs());
        }
        largest = largest.simd_gt(NEGLIGIBLE).select(largest, one);
        let mut a = [[zero; DIGITS]; DIGITS];
        let mut v = [[zero; DIGITS]; DIGITS];
        let mut next = given.into_iter();
        for (i, vector) in v.iter_mut().enumerate() {
            vector[i] = one;
        }
        for (i, j) in (0..DIGITS).flat_map(|i| (i..DIGITS).map(move |j| (i, j))) {
            let entry = next.next().unwrap_or(zero) / largest;
            (a[i][j], a[j][i]) = (entry, entry);
        }
        diagonalise(simd, &mut a, &mut v);
        sort(&mut a, &mut v);
        for (i, vector) in v.iter().enumerate() {
            if let Some(plane) = values.get_mut(i) {
                store(plane, first, a[i][i] * largest);
            }
            let sign = sign(simd, vector);
            for (plane, component) in vectors[DIGITS * i..].iter_mut().zip(vector) {
                store(plane, first, *component * sign);
            }
        }
    }
}

#[inline(always)]
fn diagonalise<S: Simd>(simd: S, a: &mut Square<S>, v: &mut Square<S>) {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    for _ in 0..SWEEPS {
        let (mut off, mut on) = (zero, zero);
        for i in 0..DIGITS {
            on += a[i][i] * a[i][i];
            for entry in &a[i][i + 1..] {
                off += *entry * *entry;
            }
        }
        let unfinished = off.simd_gt((off + on) * CONVERGED);
        if !unfinished.any_true() {
            return;
        }
        for p in 0..DIGITS - 1 {
            for q in p + 1..DIGITS {
                let entry = a[p][q];
                let difference = a[q][q] - a[p][p];
                let root = (difference * difference + entry * entry * 4.0).sqrt();
                let below = difference + difference.simd_lt(0.0).select(-root, root);
                let turns = unfinished & below.abs().simd_gt(NEGLIGIBLE);
                let t = turns.select(entry * 2.0 / turns.select(below, one), zero);
                let c = one / (t * t + 1.0).sqrt();
                let s = t * c;
                a[p][p] -= t * entry;
                a[q][q] += t * entry;
                let none = unfinished.select(zero, entry);
                (a[p][q], a[q][p]) = (none, none);
                for i in 0..DIGITS {
                    if i != p && i != q {
                        let (x, y) = (a[i][p], a[i][q]);
                        let (to_p, to_q) = (c * x - s * y, s * x + c * y);
                        (a[i][p], a[p][i], a[i][q], a[q][i]) = (to_p, to_p, to_q, to_q);
                    }
                    let (x, y) = (v[p][i], v[q][i]);
                    (v[p][i], v[q][i]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
}

/// Brings the largest eigenvalue of those left to the front, place by place.
#[inline(always)]
fn sort<S: Simd>(a: &mut Square<S>, v: &mut Square<S>) {
    for place in 0..DIGITS - 1 {
        for other in place + 1..DIGITS {
            let (x, y) = (a[place][place], a[other][other]);
            let swaps = y.simd_gt(x);
            (a[place][place], a[other][other]) = (swaps.select(y, x), swaps.select(x, y));
            let (before, behind) = v.split_at_mut(other);
            for (x, y) in before[place].iter_mut().zip(&mut behind[0]) {
                (*x, *y) = (swaps.select(*y, *x), swaps.select(*x, *y));
            }
        }
    }
}

/// What makes the first of the leading components positive.
#[inline(always)]
fn sign<S: Simd>(simd: S, vector: &[f32x16<S>; DIGITS]) -> f32x16<S> {
    let (one, mut most) = (f32x16::splat(simd, 1.0), f32x16::splat(simd, 0.0));
    for component in vector {
        most = most.max(component.abs());
    }
    let mut leading = one;
    for component in vector.iter().rev() {
        leading = component.abs().simd_ge(most * LEADING).select(*component, leading);
    }
    leading.simd_lt(0.0).select(-one, one)
}
