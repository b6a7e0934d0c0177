//! Normal distributions of a mean, gamma distributions of its precision.

use fearless_simd::f64x8;
use fearless_simd::prelude::*;

use super::Tile;
use super::normal::excess;
use crate::backend::cpu::bayes::special::gamma::{digamma_wide, ln_gamma_wide};
use crate::backend::cpu::bayes::special::wide::ln;
use crate::kernel::bayes::conjugate::LN_TAU;

/// The parameters of one member.
struct Member<S: Simd> {
    mean: f64x8<S>,
    count: f64x8<S>,
    shape: f64x8<S>,
    rate: f64x8<S>,
}

impl<S: Simd> Member<S> {
    #[inline(always)]
    fn at(tile: &Tile<'_, '_, S>, first: usize) -> Self {
        let [mean, count] = [tile.at(first), tile.at(first + 1)];
        Self { mean, count, shape: tile.at(first + 2), rate: tile.at(first + 3) }
    }

    #[inline(always)]
    fn answer(self, tile: &mut Tile<'_, '_, S>) {
        tile.answer(0, self.mean);
        tile.answer(1, self.count);
        tile.answer(2, self.shape);
        tile.answer(3, self.rate);
    }
}

/// The posterior, given data behind the prior.
#[inline(always)]
fn posterior<S: Simd>(tile: &Tile<'_, '_, S>, prior: &Member<S>) -> Member<S> {
    let (n, apart) = (tile.at(4), tile.at(5) - prior.mean);
    let count = prior.count + n;
    let squares = tile.at(6) + prior.count * n / count * apart * apart;
    Member {
        mean: prior.mean + n / count * apart,
        count,
        shape: prior.shape + n * 0.5,
        rate: prior.rate + squares * 0.5,
    }
}

#[inline(always)]
pub(super) fn update<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    posterior(tile, &Member::at(tile, 0)).answer(tile);
}

#[inline(always)]
pub(super) fn merge<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    let (a, b, prior) = (Member::at(tile, 0), Member::at(tile, 4), Member::at(tile, 8));
    let count = a.count + b.count - prior.count;
    let (a_apart, b_apart) = (a.mean - prior.mean, b.mean - prior.mean);
    let apart = (a.count * a_apart + b.count * b_apart) / count;
    let squares = a.count * a_apart * a_apart + b.count * b_apart * b_apart - count * apart * apart;
    let rate = a.rate + b.rate - prior.rate + squares * 0.5;
    Member { mean: prior.mean + apart, count, shape: a.shape + b.shape - prior.shape, rate }.answer(tile);
}

#[inline(always)]
pub(super) fn moments<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    let Member { count, shape, rate, .. } = Member::at(tile, 0);
    let infinity = tile.splat(f64::INFINITY);
    let has_mean = shape.simd_gt(1.0);
    let mean = has_mean.select(rate / (shape - 1.0), infinity);
    let variance = shape.simd_gt(2.0).select(mean * mean / (shape - 2.0), infinity);
    tile.answer(0, mean / count);
    tile.answer(1, mean);
    tile.answer(2, variance);
    tile.answer(3, (rate * (count + 1.0) / (shape * count)).sqrt());
}

#[inline(always)]
pub(super) fn evidence<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    let (simd, prior, n) = (tile.simd, Member::at(tile, 0), tile.at(4));
    let after = posterior(tile, &prior);
    let shapes = ln_gamma_wide(simd, after.shape) - ln_gamma_wide(simd, prior.shape);
    let rates = prior.shape * ln(simd, prior.rate / after.rate) - n * 0.5 * (ln(simd, after.rate) + LN_TAU);
    tile.answer(0, shapes + rates + ln(simd, prior.count / after.count) * 0.5);
}

#[inline(always)]
pub(super) fn divergence<S: Simd>(tile: &mut Tile<'_, '_, S>) {
    let (simd, p, q) = (tile.simd, Member::at(tile, 0), Member::at(tile, 4));
    let apart = p.mean - q.mean;
    let of_means = q.count * p.shape / p.rate * apart * apart + excess(simd, q.count / p.count);
    let shapes = ln_gamma_wide(simd, q.shape) - ln_gamma_wide(simd, p.shape);
    let shapes = shapes + (p.shape - q.shape) * digamma_wide(simd, p.shape);
    let rates = q.shape * ln(simd, p.rate / q.rate) + p.shape * (q.rate - p.rate) / p.rate;
    tile.answer(0, (of_means * 0.5 + shapes + rates).max(0.0));
}
