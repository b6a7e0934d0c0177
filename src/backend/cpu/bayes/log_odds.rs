//! The twin of `shaders/bayes/log_odds.wgsl`: sixteen cells to a tile, one to a lane.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, i32x16, mask32x16, u32x16};

use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::tile::{note, padded, store};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::bayes::log_odds::{BLOCK, FLOOR, Kind, MOST, MOST_OF_A_COUNT, Params, Terms, UNITS};
use crate::plan::batch::Batch;

/// Adds the planes to the batch's cells.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let state = batch.inputs[0].plane::<f32>(0);
    let terms = batch.inputs[2].plane::<Terms>(0);
    let mut planes = Vec::with_capacity(terms.len());
    for (plane, term) in terms.iter().enumerate() {
        planes.push((*term, batch.inputs[1].plane::<u32>(plane)));
    }
    let [results, status] = &mut batch.outputs[..] else { return };
    for (results, status) in results.planes_mut::<f32>().zip(status.planes_mut::<u32>()) {
        status.fill(u32::MAX);
        for first in (0..items).step_by(LANES) {
            let (sum, valid) = sum(simd, &planes, padded(&state[first..], 0.0), first);
            let low = i32x16::splat(simd, params.low as i32);
            let log_odds = sum.max(low).min(i32x16::splat(simd, params.high as i32));
            let log_odds = log_odds.to_float::<f32x16<S>>() * (1.0 / UNITS);
            let result = if params.probabilities == 0 { log_odds } else { probability(simd, log_odds) };
            store(results, first, result);
            note((!valid).to_bitmask(), first, BLOCK, &mut status[first / BLOCK]);
        }
    }
}

/// A tile's log odds in units, and which lanes had nothing but valid entries; behind the last cell stand zeros, which are
/// valid entries of every kind.
#[inline(always)]
fn sum<S: Simd>(simd: S, planes: &[(Terms, &[u32])], state: [f32; LANES], first: usize) -> (i32x16<S>, mask32x16<S>) {
    let mut sum = whole(f32x16::simd_from(simd, state) * UNITS);
    let mut valid = mask32x16::splat(simd, true);
    for &(term, plane) in planes {
        let bits = u32x16::simd_from(simd, padded(&plane[first..], 0));
        if term.kind == Kind::Counts as u32 {
            let hits: f32x16<S> = (bits & 0xffff).bitcast::<i32x16<S>>().to_float();
            let misses: f32x16<S> = (bits >> 16).bitcast::<i32x16<S>>().to_float();
            sum += limited(simd, whole(hits * term.first) + whole(misses * term.second));
            continue;
        }
        let x: f32x16<S> = bits.bitcast();
        let (fine, added) = if term.kind == Kind::LogOdds as u32 {
            (x.abs().simd_le(f32::MAX), whole(x.max(-512.0).min(512.0) * UNITS))
        } else {
            (x.simd_ge(0.0) & x.simd_le(1.0), whole(logit(simd, x) * UNITS))
        };
        let added = limited(simd, added - i32x16::splat(simd, term.second as i32));
        let is_prior = if term.kind == Kind::LogOdds as u32 { !fine } else { !fine | x.simd_eq(term.first) };
        sum += is_prior.select(i32x16::splat(simd, 0), added);
        valid &= fine;
    }
    (sum, valid)
}

/// Whole units.
#[inline(always)]
fn whole<S: Simd>(units: f32x16<S>) -> i32x16<S> {
    units.max(-MOST_OF_A_COUNT).min(MOST_OF_A_COUNT).round_ties_even().to_int()
}

/// What a plane adds.
#[inline(always)]
fn limited<S: Simd>(simd: S, units: i32x16<S>) -> i32x16<S> {
    units.max(i32x16::splat(simd, -(MOST as i32))).min(i32x16::splat(simd, MOST as i32))
}

#[inline(always)]
fn logit<S: Simd>(simd: S, p: f32x16<S>) -> f32x16<S> {
    let rest = f32x16::splat(simd, 1.0) - p;
    ln(simd, p.max(FLOOR)) - ln(simd, rest.max(FLOOR))
}

#[inline(always)]
fn probability<S: Simd>(simd: S, log_odds: f32x16<S>) -> f32x16<S> {
    let power = exp(simd, -log_odds.abs());
    let larger = f32x16::splat(simd, 1.0) / (power + 1.0);
    log_odds.simd_ge(0.0).select(larger, power * larger)
}
