//! The twin of `shaders/beam/fuse.wgsl`: sixteen items to a tile, one to a lane.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16, u32x16};

use crate::backend::cpu::numbers::ln;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::{BALANCE, BLOCK, CHANNELS, DIGITS, DOMINANCE, GRADIENT, Map, Params, SIGNAL};
use crate::plan::batch::Batch;

const PER_LN_9: f32 = 0.455_119_6;
const PER_LN_3: f32 = 0.910_239_2;

/// Fuses the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let mut channels: [&[f32]; CHANNELS * DIGITS] = [&[]; CHANNELS * DIGITS];
    for (plane, channel) in channels.iter_mut().enumerate() {
        *channel = batch.inputs[0].plane(plane);
    }
    let [digits, scalars, positions, status] = &mut batch.outputs[..] else { return };
    let mut digits: Vec<&mut [f32]> = digits.planes_mut().collect();
    let mut scalars: Vec<&mut [f32]> = scalars.planes_mut().collect();
    let mut positions: Vec<&mut [u32]> = positions.planes_mut().collect();
    for status in status.planes_mut::<u32>() {
        status.fill(u32::MAX);
        for first in (0..items).step_by(LANES) {
            let len = LANES.min(items - first);
            let mut tile = [[0.0; LANES]; CHANNELS * DIGITS];
            for (lanes, plane) in tile.iter_mut().zip(channels) {
                if let Some(whole) = plane[first..].first_chunk::<LANES>() {
                    *lanes = *whole;
                } else {
                    // Something that is a distribution behind the last item.
                    lanes.fill(1.0);
                    lanes[..len].copy_from_slice(&plane[first..first + len]);
                }
            }
            let beam = fuse(simd, params, &tile);
            for (plane, values) in digits.iter_mut().zip(beam.digits) {
                plane[first..first + len].copy_from_slice(&values.to_array()[..len]);
            }
            for (plane, values) in scalars.iter_mut().zip(beam.scalars) {
                plane[first..first + len].copy_from_slice(&values.to_array()[..len]);
            }
            for plane in &mut positions {
                plane[first..first + len].copy_from_slice(&beam.position.to_array()[..len]);
            }
            if !beam.valid.all_true() {
                let lowest = (first % BLOCK) as u32 + (!beam.valid).to_bitmask().trailing_zeros();
                status[first / BLOCK] = status[first / BLOCK].min(lowest);
            }
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
}

#[inline(always)]
fn fuse<S: Simd>(simd: S, params: Params, tile: &[[f32; LANES]; CHANNELS * DIGITS]) -> Beam<S> {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let weights = [params.weight_ethos, params.weight_logos, params.weight_pathos];
    let mut digits = [zero; DIGITS];
    let (mut masses, mut entropies, mut total) = ([zero; CHANNELS], zero, zero);
    let mut valid = mask32x16::splat(simd, true);
    for c in 0..CHANNELS {
        let x = &tile[c * DIGITS..(c + 1) * DIGITS];
        let (mut sum, mut least) = (zero, zero);
        for x in x {
            let x = f32x16::load_array_ref(simd, x);
            sum += x;
            least = least.min(x);
        }
        // A NaN makes the sum one.
        valid &= least.simd_ge(0.0) & sum.simd_ge(f32::MIN_POSITIVE) & sum.simd_le(f32::MAX);
        let scale = one / sum;
        let mut entropy = zero;
        for (digit, x) in digits.iter_mut().zip(x) {
            let d = f32x16::load_array_ref(simd, x) * scale;
            entropy -= d * ln(simd, d.max(f32::MIN_POSITIVE));
            *digit = d.mul_add(weights[c], *digit);
        }
        let entropy = entropy.max(0.0);
        entropies = entropy.mul_add(weights[c], entropies);
        masses[c] = (one - entropy * PER_LN_9).max(0.0).min(1.0);
        total += masses[c];
    }
    let confidence = total * (1.0 / 3.0);
    let mut agreement = one;
    if params.agreement != 0 {
        let mut entropy = zero;
        for digit in digits {
            entropy -= digit * ln(simd, digit.max(f32::MIN_POSITIVE));
        }
        agreement = (one - (entropy.max(0.0) - entropies) * PER_LN_3).max(0.0).min(1.0);
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
