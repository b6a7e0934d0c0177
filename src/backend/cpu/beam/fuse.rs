//! The twin of `shaders/beam/fuse.wgsl`: sixteen items to a tile, one to a lane, a stage of tiles at a time.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16, u32x16};

use super::distribution::{PER_LN_9, entropy, planes, scale};
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::tile::note;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::{
    AGREEMENT, BALANCE, BLOCK, CHANNELS, DIGITS, DOMINANCE, GRADIENT, LOG_POOLING, Map, Params, SIGNAL, Status,
};
use crate::plan::batch::Batch;

const PER_LN_3: f32 = 0.910_239_2;

/// Items whose planes are brought together before they are fused: of so many planes at once, a processor foresees which
/// line is next only where it takes several from each.
const STAGE: usize = 128;

const _: () = assert!(BLOCK.is_multiple_of(STAGE) && STAGE.is_multiple_of(LANES), "tiles fill stages, stages blocks");

/// What is read and written of so many items.
struct Stage {
    channels: [[[f32; STAGE]; DIGITS]; CHANNELS],
    digits: [[f32; STAGE]; DIGITS],
    /// Values, confidence, agreement.
    scalars: [[f32; STAGE]; CHANNELS + 2],
    position: [u32; STAGE],
}

/// Fuses the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let channels: [&[f32]; CHANNELS * DIGITS] = planes(&batch.inputs[0]);
    let [digits, scalars, positions, status] = &mut batch.outputs[..] else { return };
    let mut digits: Vec<&mut [f32]> = digits.planes_mut().collect();
    let mut scalars: Vec<&mut [f32]> = scalars.planes_mut().collect();
    let mut positions: Vec<&mut [u32]> = positions.planes_mut().collect();
    let mut stage = Stage {
        channels: [[[1.0; STAGE]; DIGITS]; CHANNELS],
        digits: [[0.0; STAGE]; DIGITS],
        scalars: [[0.0; STAGE]; CHANNELS + 2],
        position: [0; STAGE],
    };
    for status in status.planes_mut::<Status>() {
        for status in &mut *status {
            *status = [0; size_of::<Status>() / 4];
            status[0] = u32::MAX;
        }
        for first in (0..items).step_by(STAGE) {
            let len = STAGE.min(items - first);
            for (to, plane) in stage.channels.as_flattened_mut().iter_mut().zip(channels) {
                copy_in(simd, plane, first, to);
            }
            let [lowest, conflicts @ ..] = &mut status[first / BLOCK];
            for tile in (0..len).step_by(LANES) {
                let (valid, conflict) = fuse(simd, params, &mut stage, tile);
                note((!valid).to_bitmask(), first + tile, BLOCK, lowest);
                let place = (first + tile) % BLOCK;
                conflicts[place / 32] |= (conflict.to_bitmask() as u32) << (place % 32);
            }
            for (plane, from) in digits.iter_mut().zip(&stage.digits) {
                copy_out(simd, from, plane, first);
            }
            for (plane, from) in scalars.iter_mut().zip(&stage.scalars) {
                copy_out(simd, from, plane, first);
            }
            for plane in &mut positions {
                plane[first..first + len].copy_from_slice(&stage.position[..len]);
            }
        }
    }
}

/// A plane's items from `first` on; ones behind the last, which are a distribution.
#[inline(always)]
fn copy_in<S: Simd>(simd: S, plane: &[f32], first: usize, to: &mut [f32; STAGE]) {
    let rest = &plane[first..];
    if let Some(whole) = rest.first_chunk::<STAGE>() {
        for (from, to) in whole.chunks_exact(LANES).zip(to.chunks_exact_mut(LANES)) {
            f32x16::from_slice(simd, from).store_slice(to);
        }
    } else {
        to.fill(1.0);
        to[..rest.len()].copy_from_slice(rest);
    }
}

/// Back to the plane.
#[inline(always)]
fn copy_out<S: Simd>(simd: S, from: &[f32; STAGE], plane: &mut [f32], first: usize) {
    let rest = &mut plane[first..];
    if let Some(whole) = rest.first_chunk_mut::<STAGE>() {
        for (from, to) in from.chunks_exact(LANES).zip(whole.chunks_exact_mut(LANES)) {
            f32x16::from_slice(simd, from).store_slice(to);
        }
    } else {
        rest.copy_from_slice(&from[..rest.len()]);
    }
}

/// Sixteen items of a channel.
#[inline(always)]
fn tile<S: Simd>(simd: S, channel: &[[f32; STAGE]; DIGITS], first: usize) -> [f32x16<S>; DIGITS] {
    let mut tile = [f32x16::splat(simd, 0.0); DIGITS];
    for (lanes, plane) in tile.iter_mut().zip(channel) {
        *lanes = f32x16::from_slice(simd, &plane[first..first + LANES]);
    }
    tile
}

/// Fuses sixteen items of a stage. Says which have three distributions, and of which the logarithmic pool leaves no digit.
#[inline(always)]
fn fuse<S: Simd>(simd: S, params: Params, stage: &mut Stage, first: usize) -> (mask32x16<S>, mask32x16<S>) {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let weights = [params.weight_ethos, params.weight_logos, params.weight_pathos];
    let mut digits = [zero; DIGITS];
    let (mut masses, mut entropies, mut total) = ([zero; CHANNELS], zero, zero);
    let mut valid = mask32x16::splat(simd, true);
    // All divisions before the first logarithm: no channel waits for its own.
    let mut scales = [one; CHANNELS];
    for (scale_of, channel) in scales.iter_mut().zip(&stage.channels) {
        let (by, fine) = scale(simd, &tile(simd, channel, first));
        *scale_of = by;
        valid &= fine;
    }
    for c in 0..CHANNELS {
        let mut d = tile(simd, &stage.channels[c], first);
        for d in &mut d {
            *d *= scales[c];
        }
        for (digit, d) in digits.iter_mut().zip(d) {
            *digit = d.mul_add(weights[c], *digit);
        }
        let entropy = entropy(simd, &d);
        entropies = entropy.mul_add(weights[c], entropies);
        masses[c] = (one - entropy * PER_LN_9).max(0.0).min(1.0);
        total += masses[c];
    }
    let confidence = total * (1.0 / 3.0);
    let mut agreement = one;
    if params.options & AGREEMENT != 0 {
        agreement = (one - (entropy(simd, &digits) - entropies) * PER_LN_3).max(0.0).min(1.0);
    }
    let mut conflict = mask32x16::splat(simd, false);
    if params.options & LOG_POOLING != 0 {
        let mut pool = Product::new(simd);
        for c in 0..CHANNELS {
            if weights[c] > 0.0 {
                pool.push(simd, weights[c], scales[c], &tile(simd, &stage.channels[c], first));
            }
        }
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
    for (to, digit) in stage.digits.iter_mut().zip(digits) {
        digit.store_slice(&mut to[first..first + LANES]);
    }
    let scalars = [masses[0] * 9.0, masses[1] * 9.0, masses[2] * 9.0, confidence, agreement];
    for (to, scalar) in stage.scalars.iter_mut().zip(scalars) {
        scalar.store_slice(&mut to[first..first + LANES]);
    }
    let position: u32x16<S> = position.floor().to_int();
    position.store_slice(&mut stage.position[first..first + LANES]);
    (valid, conflict)
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
    fn push(&mut self, simd: S, weight: f32, scale: f32x16<S>, channel: &[f32x16<S>; DIGITS]) {
        for ((log, possible), &x) in self.logs.iter_mut().zip(&mut self.possible).zip(channel) {
            let d = x * scale;
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
