//! Symmetric matrices of up to six rows, as lower triangles row by row, eight at once.

use fearless_simd::prelude::*;
use fearless_simd::{f64x8, mask64x8};

use crate::kernel::bayes::gaussian::{MOST_DIMENSIONS, MOST_ENTRIES};

pub(super) type Vector<S> = [f64x8<S>; MOST_DIMENSIONS];
pub(super) type Triangle<S> = [f64x8<S>; MOST_ENTRIES];

/// The place of an entry.
#[inline(always)]
pub(super) fn at(row: usize, column: usize) -> usize {
    let (i, j) = if row < column { (column, row) } else { (row, column) };
    i * (i + 1) / 2 + j
}

/// The inverse; where a pivot is no more than this share of its diagonal entry, it is not `fine`.
#[inline(always)]
pub(super) fn inverse<S: Simd>(
    simd: S,
    dimensions: usize,
    matrix: &Triangle<S>,
    least: f64,
    fine: &mut mask64x8<S>,
) -> Triangle<S> {
    let (zero, one) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, 1.0));
    let mut l = *matrix;
    for j in 0..dimensions {
        let mut pivot = l[at(j, j)];
        for k in 0..j {
            pivot -= l[at(j, k)] * l[at(j, k)];
        }
        let holds = pivot.simd_gt(matrix[at(j, j)] * least) & pivot.simd_ge(f64::from(f32::MIN_POSITIVE));
        *fine &= holds;
        // The factor's diagonal is kept as its reciprocals.
        let r = one / holds.select(pivot, one).sqrt();
        l[at(j, j)] = r;
        for i in j + 1..dimensions {
            let mut sum = l[at(i, j)];
            for k in 0..j {
                sum -= l[at(i, k)] * l[at(j, k)];
            }
            l[at(i, j)] = sum * r;
        }
    }
    // The factor's inverse in its place, row by row.
    for i in 1..dimensions {
        for j in 0..i {
            let mut sum = zero;
            for k in j..i {
                sum += l[at(i, k)] * l[at(k, j)];
            }
            l[at(i, j)] = -(sum * l[at(i, i)]);
        }
    }
    // Its square.
    for i in 0..dimensions {
        for j in 0..=i {
            let mut sum = zero;
            for k in i..dimensions {
                sum += l[at(k, i)] * l[at(k, j)];
            }
            l[at(i, j)] = sum;
        }
    }
    l
}

#[inline(always)]
pub(super) fn times<S: Simd>(simd: S, dimensions: usize, matrix: &Triangle<S>, vector: &Vector<S>) -> Vector<S> {
    let mut product = [f64x8::splat(simd, 0.0); MOST_DIMENSIONS];
    for i in 0..dimensions {
        for j in 0..dimensions {
            product[i] += matrix[at(i, j)] * vector[j];
        }
    }
    product
}

/// tr(a b).
#[inline(always)]
pub(super) fn trace_of_product<S: Simd>(simd: S, dimensions: usize, a: &Triangle<S>, b: &Triangle<S>) -> f64x8<S> {
    let mut sum = f64x8::splat(simd, 0.0);
    for i in 0..dimensions {
        for j in 0..dimensions {
            sum += a[at(i, j)] * b[at(i, j)];
        }
    }
    sum
}

#[inline(always)]
pub(super) fn squared<S: Simd>(simd: S, dimensions: usize, a: &Triangle<S>) -> Triangle<S> {
    let mut product = [f64x8::splat(simd, 0.0); MOST_ENTRIES];
    for i in 0..dimensions {
        for j in 0..=i {
            for k in 0..dimensions {
                product[at(i, j)] += a[at(i, k)] * a[at(k, j)];
            }
        }
    }
    product
}
