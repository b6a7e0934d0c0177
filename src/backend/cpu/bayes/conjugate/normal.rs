//! Normal distributions of a mean, where the precision of an observation is known.

use fearless_simd::f64x8;
use fearless_simd::prelude::*;

use super::Tile;
use crate::backend::cpu::bayes::special::wide::ln;
use crate::kernel::bayes::conjugate::LN_TAU;

#[inline(always)]
pub(super) fn update<S: Simd>(tile: &mut Tile<'_, '_, S>, known: f64) {
    let (mean, added) = (tile.at(0), tile.at(2) * known);
    let precision = tile.at(1) + added;
    tile.answer(0, mean + added / precision * (tile.at(3) - mean));
    tile.answer(1, precision);
}

#[inline(always)]
pub(super) fn merge<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    let origin = tile.at(4);
    let precision = tile.at(1) + tile.at(3) - tile.at(5);
    let moved = tile.at(1) * (tile.at(0) - origin) + tile.at(3) * (tile.at(2) - origin);
    tile.answer(0, origin + moved / precision);
    tile.answer(1, precision);
}

#[inline(always)]
pub(super) fn evidence<S: Simd>(tile: &mut Tile<'_, '_, S>, known: f64) {
    let (prior, n) = (tile.at(1), tile.at(2));
    let added = n * known;
    let posterior = prior + added;
    let apart = tile.at(3) - tile.at(0);
    let gained = n * (known.ln() - LN_TAU) + ln(tile.simd, prior / posterior);
    let lost = tile.at(4) * known + added * prior / posterior * apart * apart;
    tile.answer(0, (gained - lost) * 0.5);
}

/// r - 1 - ln r.
#[inline(always)]
pub(super) fn excess<S: Simd>(simd: S, r: f64x8<S>) -> f64x8<S> {
    r - 1.0 - ln(simd, r)
}

#[inline(always)]
pub(super) fn divergence<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    let (apart, other) = (tile.at(0) - tile.at(2), tile.at(3));
    let sum = other * apart * apart + excess(tile.simd, other / tile.at(1));
    tile.answer(0, (sum * 0.5).max(0.0));
}
