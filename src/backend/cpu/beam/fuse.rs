//! The twin of `shaders/beam/fuse.wgsl`: sixteen items to a tile, one to a lane.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16, u32x16};

use super::distribution::{PER_LN_9, entropy, load, normalise, note, store, store_u32};
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::{
    AGREEMENT, BALANCE, BLOCK, CHANNELS, DIGITS, DOMINANCE, GRADIENT, LOG_POOLING, Map, Params, SIGNAL, Status,
};
use crate::plan::batch::Batch;

const PER_LN_3: f32 = 0.910_239_2;

/// Fuses the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let mut channels: [[&[f32]; DIGITS]; CHANNELS] = [[&[]; DIGITS]; CHANNELS];
    for (plane, channel) in channels.as_flattened_mut().iter_mut().enumerate() {
        *channel = batch.inputs[0].plane(plane);
    }
    let [digits, scalars, positions, status] = &mut batch.outputs[..] else { return };
    let mut digits: Vec<&mut [f32]> = digits.planes_mut().collect();
    let mut scalars: Vec<&mut [f32]> = scalars.planes_mut().collect();
    let mut positions: Vec<&mut [u32]> = positions.planes_mut().collect();
    for status in status.planes_mut::<Status>() {
        for status in &mut *status {
            *status = [0; size_of::<Status>() / 4];
            status[0] = u32::MAX;
        }
        for first in (0..items).step_by(LANES) {
            let beam = fuse(simd, params, &channels, first);
            for (plane, values) in digits.iter_mut().zip(beam.digits) {
                store(plane, first, values);
            }
            for (plane, values) in scalars.iter_mut().zip(beam.scalars) {
                store(plane, first, values);
            }
            for plane in &mut positions {
                store_u32(plane, first, beam.position);
            }
            let [lowest, conflicts @ ..] = &mut status[first / BLOCK];
            note(beam.valid, first, BLOCK, lowest);
            let place = first % BLOCK;
            conflicts[place / 32] |= (beam.conflict.to_bitmask() as u32) << (place % 32);
        }
    }
}

/// Sixteen beams.
struct Beam<S: Simd> {
    digits: [f32x16<S>; DIGITS],
    /// Values, confidence, agreement.
    scalars: [f32x16<S>; CHANNELS + 2],
    position: u32x16<S>,
    valid: mask32x16<S>,
    /// Where no digit is left by the logarithmic pool.
    conflict: mask32x16<S>,
}

#[inline(always)]
fn fuse<S: Simd>(simd: S, params: Params, channels: &[[&[f32]; DIGITS]; CHANNELS], first: usize) -> Beam<S> {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let weights = [params.weight_ethos, params.weight_logos, params.weight_pathos];
    let mut digits = [zero; DIGITS];
    let (mut masses, mut entropies, mut total) = ([zero; CHANNELS], zero, zero);
    let mut valid = mask32x16::splat(simd, true);
    let mut pool = Product::new(simd);
    for c in 0..CHANNELS {
        let mut d = load(simd, &channels[c], first);
        valid &= normalise(simd, &mut d).1;
        for (digit, d) in digits.iter_mut().zip(d) {
            *digit = d.mul_add(weights[c], *digit);
        }
        let entropy = entropy(simd, &d);
        entropies = entropy.mul_add(weights[c], entropies);
        masses[c] = (one - entropy * PER_LN_9).max(0.0).min(1.0);
        total += masses[c];
        if params.options & LOG_POOLING != 0 && weights[c] > 0.0 {
            pool.push(simd, weights[c], &d);
        }
    }
    let confidence = total * (1.0 / 3.0);
    let mut agreement = one;
    if params.options & AGREEMENT != 0 {
        agreement = (one - (entropy(simd, &digits) - entropies) * PER_LN_3).max(0.0).min(1.0);
    }
    let mut conflict = mask32x16::splat(simd, false);
    if params.options & LOG_POOLING != 0 {
        conflict = pool.finish(simd, &mut digits);
    }
    let any = total.simd_gt(0.0);
    let per_total = one / any.select(total, one);
    let mut shares = [f32x16::splat(simd, 1.0 / 3.0); CHANNELS];
    for (share, mass) in shares.iter_mut().zip(masses) {
        *share = any.select(mass * per_total, *share);
    }
    let position = if params.map == Map::LabelMean as u32 {
        shares[2].mul_add(9.0, shares[1].mul_add(6.0, shares[0] * 3.0)) + 0.5
    } else {
        gradient(simd, shares, confidence)
    };
    Beam {
        digits,
        scalars: [masses[0] * 9.0, masses[1] * 9.0, masses[2] * 9.0, confidence, agreement],
        position: position.floor().to_int(),
        valid,
        conflict,
    }
}

/// The logarithmic pool.
struct Product<S: Simd> {
    /// Sum of w ln d.
    logs: [f32x16<S>; DIGITS],
    /// Which digits no channel rules out.
    possible: [mask32x16<S>; DIGITS],
}

impl<S: Simd> Product<S> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        Self { logs: [f32x16::splat(simd, 0.0); DIGITS], possible: [mask32x16::splat(simd, true); DIGITS] }
    }

    #[inline(always)]
    fn push(&mut self, simd: S, weight: f32, digits: &[f32x16<S>; DIGITS]) {
        for ((log, possible), &d) in self.logs.iter_mut().zip(&mut self.possible).zip(digits) {
            *log = ln(simd, d.max(f32::MIN_POSITIVE)).mul_add(weight, *log);
            *possible &= d.simd_ge(f32::MIN_POSITIVE);
        }
    }

    /// Puts the pool in the place of the digits where there is one, and says where there is none.
    #[inline(always)]
    fn finish(self, simd: S, digits: &mut [f32x16<S>; DIGITS]) -> mask32x16<S> {
        let zero = f32x16::splat(simd, 0.0);
        let lowest = f32x16::splat(simd, f32::MIN);
        let mut largest = lowest;
        for (log, possible) in self.logs.iter().zip(self.possible) {
            largest = largest.max(possible.select(*log, lowest));
        }
        let (mut product, mut sum) = ([zero; DIGITS], zero);
        for ((p, log), possible) in product.iter_mut().zip(self.logs).zip(self.possible) {
            *p = possible.select(exp(simd, log - largest), zero);
            sum += *p;
        }
        let any = sum.simd_gt(0.0);
        let scale = 1.0 / any.select(sum, f32x16::splat(simd, 1.0));
        for (digit, p) in digits.iter_mut().zip(product) {
            *digit = any.select(p * scale, *digit);
        }
        !any
    }
}

/// The gradient map, as a number.
#[inline(always)]
fn gradient<S: Simd>(simd: S, shares: [f32x16<S>; CHANNELS], confidence: f32x16<S>) -> f32x16<S> {
    let [e, l, p] = shares;
    let (mut balanced, mut mixed) = (mask32x16::splat(simd, true), f32x16::splat(simd, 0.0));
    let mut anchor = mixed;
    let strong = confidence.simd_gt(SIGNAL);
    // Where a later channel is larger it takes the place of those before.
    let is_largest = [mask32x16::splat(simd, true), l.simd_gt(e), p.simd_gt(e.max(l))];
    for (first, [a, b]) in [[1, 2], [0, 2], [0, 1]].into_iter().enumerate() {
        balanced &= (shares[first] - 1.0 / 3.0).abs().simd_le(BALANCE);
        // Of two others, the first of equals.
        let later = shares[b].simd_gt(shares[a]);
        let position = later.select(by_signal(simd, strong, first, b), by_signal(simd, strong, first, a));
        mixed = is_largest[first].select(position, mixed);
        anchor = is_largest[first].select(f32x16::splat(simd, GRADIENT[first][first][0] as f32), anchor);
    }
    let dominant = e.max(l).max(p).simd_gt(DOMINANCE);
    balanced.select(f32x16::splat(simd, 0.0), dominant.select(anchor, mixed))
}

/// The position of a largest and a second largest channel.
#[inline(always)]
fn by_signal<S: Simd>(simd: S, strong: mask32x16<S>, first: usize, second: usize) -> f32x16<S> {
    let [weak, sure] = GRADIENT[first][second];
    strong.select(f32x16::splat(simd, sure as f32), f32x16::splat(simd, weak as f32))
}
