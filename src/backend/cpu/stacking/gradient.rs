//! Step 3 of the contract: the residuals of a group of tiles times their features, added lane by lane.

use fearless_simd::{Simd, f32x16, prelude::*};

use crate::kernel::stacking::softmax_regression::Row;

/// sums [C, F] += residuals [T, C] times x [T, F].
#[inline(always)]
pub(super) fn add<S: Simd>(simd: S, features: usize, x: &[Row], residuals: &[Row], sums: &mut [Row]) {
    let mut feature = 0;
    while feature + 4 <= features {
        of_features::<S, 4>(simd, features, feature, x, residuals, sums);
        feature += 4;
    }
    while feature < features {
        of_features::<S, 1>(simd, features, feature, x, residuals, sums);
        feature += 1;
    }
}

/// J features from `feature` on, all classes.
#[inline(always)]
fn of_features<S: Simd, const J: usize>(
    simd: S,
    features: usize,
    feature: usize,
    x: &[Row],
    residuals: &[Row],
    sums: &mut [Row],
) {
    let classes = sums.len() / features;
    let mut class = 0;
    while class + 4 <= classes {
        block::<S, 4, J>(simd, features, (class, feature), x, residuals, sums);
        class += 4;
    }
    match classes - class {
        3 => block::<S, 3, J>(simd, features, (class, feature), x, residuals, sums),
        2 => block::<S, 2, J>(simd, features, (class, feature), x, residuals, sums),
        1 => block::<S, 1, J>(simd, features, (class, feature), x, residuals, sums),
        _ => {}
    }
}

/// K classes and J features from the place given on.
#[inline(always)]
fn block<S: Simd, const K: usize, const J: usize>(
    simd: S,
    features: usize,
    (class, feature): (usize, usize),
    x: &[Row],
    residuals: &[Row],
    sums: &mut [Row],
) {
    let classes = sums.len() / features;
    let mut products = [[f32x16::splat(simd, 0.0); J]; K];
    for (x, r) in x.chunks_exact(features).zip(residuals.chunks_exact(classes)) {
        let (x, r) = (&x[feature..feature + J], &r[class..class + K]);
        let mut xs = [f32x16::splat(simd, 0.0); J];
        for j in 0..J {
            xs[j] = f32x16::load_array_ref(simd, &x[j].0);
        }
        for k in 0..K {
            let r = f32x16::load_array_ref(simd, &r[k].0);
            for j in 0..J {
                products[k][j] = r.mul_add(xs[j], products[k][j]);
            }
        }
    }
    for k in 0..K {
        let sums = &mut sums[(class + k) * features + feature..][..J];
        for j in 0..J {
            let sum = f32x16::load_array_ref(simd, &sums[j].0) + products[k][j];
            sum.store_array(&mut sums[j].0);
        }
    }
}
