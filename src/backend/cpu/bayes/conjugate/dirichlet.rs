//! Dirichlet distributions over classes.

use fearless_simd::prelude::*;

use super::Tile;
use crate::backend::cpu::bayes::special::gamma::{digamma_wide, ln_gamma_wide};

#[inline(always)]
pub(super) fn update<S: Simd>(tile: &mut Tile<'_, '_, S>, classes: usize) {
    for k in 0..classes {
        tile.answer(k, tile.at(k) + tile.at(classes + k));
    }
}

#[inline(always)]
pub(super) fn merge<S: Simd>(tile: &mut Tile<'_, '_, S>, classes: usize) {
    for k in 0..classes {
        tile.answer(k, tile.at(k) + tile.at(classes + k) - tile.at(2 * classes + k));
    }
}

#[inline(always)]
pub(super) fn moments<S: Simd>(tile: &mut Tile<'_, '_, S>, classes: usize) {
    let total = tile.sum(0, classes);
    for k in 0..classes {
        let a = tile.at(k);
        let mean = a / total;
        tile.answer(k, mean);
        tile.answer(classes + k, mean * ((total - a) / total) / (total + 1.0));
    }
}

/// The classes' terms, and behind them the sum's, which counts against them.
#[inline(always)]
pub(super) fn evidence<S: Simd>(tile: &mut Tile<'_, '_, S>, classes: usize) {
    let simd = tile.simd;
    let mut sum = tile.splat(0.0);
    for k in 0..=classes {
        let (a, n) = if k < classes {
            (tile.at(k), tile.at(classes + k))
        } else {
            (tile.sum(0, classes), tile.sum(classes, classes))
        };
        let part = ln_gamma_wide(simd, a + n) - ln_gamma_wide(simd, a);
        sum += if k < classes { part } else { -part };
    }
    tile.answer(0, sum);
}

#[inline(always)]
pub(super) fn divergence<S: Simd>(tile: &mut Tile<'_, '_, S>, classes: usize) {
    let simd = tile.simd;
    let total = tile.sum(0, classes);
    let slope = digamma_wide(simd, total);
    let mut sum = tile.splat(0.0);
    for k in 0..=classes {
        let (a, b) = if k < classes { (tile.at(k), tile.at(classes + k)) } else { (total, tile.sum(classes, classes)) };
        let part = ln_gamma_wide(simd, b) - ln_gamma_wide(simd, a);
        sum += if k < classes { part + (a - b) * (digamma_wide(simd, a) - slope) } else { -part };
    }
    tile.answer(0, sum.max(0.0));
}
