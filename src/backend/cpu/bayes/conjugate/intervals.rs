//! Ends of equal-tailed intervals, and what the quantiles are to be found for that they are made of.

use fearless_simd::f64x8;
use fearless_simd::prelude::*;

use super::Tile;

#[inline(always)]
pub(super) fn of_share<S: Simd>(tile: &mut Tile<'_, '_, S>, classes: usize, tail: f64, class: usize) {
    let a = tile.at(class);
    tile.answer(0, a);
    tile.answer(1, tile.sum(0, classes) - a);
    tile.answer(2, tile.splat(tail));
}

#[inline(always)]
pub(super) fn share<S: Simd>(tile: &mut Tile<'_, '_, S>, classes: usize, class: usize) {
    tile.answer(class, tile.at(0));
    tile.answer(classes + class, 1.0 / (tile.at(1) + 1.0));
}

#[inline(always)]
pub(super) fn normal<S: Simd>(tile: &mut Tile<'_, '_, S>, z: f64) {
    let width = z / tile.at(1).sqrt();
    around(tile, width);
}

#[inline(always)]
pub(super) fn of_normal_gamma<S: Simd>(tile: &mut Tile<'_, '_, S>, tail: f64) {
    tile.answer(0, tile.at(2));
    for (plane, value) in (1..).zip([0.5, 2.0 * tail, tail]) {
        tile.answer(plane, tile.splat(value));
    }
}

#[inline(always)]
pub(super) fn normal_gamma<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    let rate = tile.at(3);
    let width = (rate * 2.0 / tile.at(1) / tile.at(4)).sqrt();
    around(tile, width);
    tile.answer(2, rate / tile.at(5));
    tile.answer(3, rate / tile.at(6));
}

/// Both ends of a mean.
#[inline(always)]
fn around<S: Simd>(tile: &mut Tile<'_, '_, S>, width: f64x8<S>) {
    let mean = tile.at(0);
    tile.answer(0, mean - width);
    tile.answer(1, mean + width);
}
