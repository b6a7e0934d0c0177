//! Step 1 of the contract: z = a x + b, in blocks of classes and tiles that fit the registers.

use fearless_simd::{Simd, f32x16, prelude::*};

use crate::kernel::stacking::softmax_regression::Row;

/// The parameters: a row-major [C, F], then b [C].
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub a: &'a [f32],
    pub b: &'a [f32],
    /// F.
    pub features: usize,
}

impl<'a> Parameters<'a> {
    /// `values` is C F + C long.
    pub(super) fn of(values: &'a [f32], classes: usize) -> Self {
        let features = values.len() / classes - 1;
        let (a, b) = values.split_at(classes * features);
        Self { a, b, features }
    }
}

/// The logits of whole tiles: `x` [T, F], `z` [T, C].
#[inline(always)]
pub(super) fn logits<S: Simd>(simd: S, parameters: Parameters<'_>, x: &[Row], z: &mut [Row]) {
    let (features, classes) = (parameters.features, parameters.b.len());
    let mut x_fours = x.chunks_exact(4 * features);
    let mut z_fours = z.chunks_exact_mut(4 * classes);
    for (x, z) in x_fours.by_ref().zip(z_fours.by_ref()) {
        of_tiles::<S, 4>(simd, parameters, x, z);
    }
    let ones = x_fours.remainder().chunks_exact(features);
    for (x, z) in ones.zip(z_fours.into_remainder().chunks_exact_mut(classes)) {
        of_tiles::<S, 1>(simd, parameters, x, z);
    }
}

/// T tiles, all classes.
#[inline(always)]
fn of_tiles<S: Simd, const T: usize>(simd: S, parameters: Parameters<'_>, x: &[Row], z: &mut [Row]) {
    let classes = parameters.b.len();
    let mut class = 0;
    while class + 4 <= classes {
        block::<S, 4, T>(simd, parameters, class, x, z);
        class += 4;
    }
    match classes - class {
        3 => block::<S, 3, T>(simd, parameters, class, x, z),
        2 => block::<S, 2, T>(simd, parameters, class, x, z),
        1 => block::<S, 1, T>(simd, parameters, class, x, z),
        _ => {}
    }
}

/// T tiles, K classes from `class` on.
#[inline(always)]
fn block<S: Simd, const K: usize, const T: usize>(
    simd: S,
    parameters: Parameters<'_>,
    class: usize,
    x: &[Row],
    z: &mut [Row],
) {
    let (features, classes) = (parameters.features, parameters.b.len());
    let mut a: [&[f32]; K] = [&[]; K];
    let mut sums = [[f32x16::splat(simd, 0.0); T]; K];
    for k in 0..K {
        a[k] = &parameters.a[(class + k) * features..][..features];
        sums[k] = [f32x16::splat(simd, parameters.b[class + k]); T];
    }
    let mut tiles: [&[Row]; T] = [&[]; T];
    for t in 0..T {
        tiles[t] = &x[t * features..][..features];
    }
    for f in 0..features {
        let mut xs = [f32x16::splat(simd, 0.0); T];
        for t in 0..T {
            xs[t] = f32x16::load_array_ref(simd, &tiles[t][f].0);
        }
        for k in 0..K {
            let weight = f32x16::splat(simd, a[k][f]);
            for t in 0..T {
                sums[k][t] = xs[t].mul_add(weight, sums[k][t]);
            }
        }
    }
    for t in 0..T {
        for k in 0..K {
            sums[k][t].store_array(&mut z[t * classes + class + k].0);
        }
    }
}
