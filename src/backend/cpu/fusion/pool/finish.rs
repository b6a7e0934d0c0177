//! From the sums over sources to the outputs asked for.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, u32x16};

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::contributions::contributions;
use crate::backend::cpu::fusion::pool::decode::{argmax, second_largest};
use crate::backend::cpu::fusion::pool::mix::{conflict, mix, temper};
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::numbers::ln;
use crate::backend::cpu::sum::{BLOCK, Sum};
use crate::backend::cpu::transpose::{LANES, Lanes, to_rows};
use crate::kernel::fusion::pool::{Pool, SQUARE_SCALE, TIE};
use crate::tensor::{Flags, FusedMut, Output};

/// Writes the tile's outputs at item `at` of `out`.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
pub(super) fn finish<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    tile: Tile,
    sums: &mut Sums<S>,
    scratch: &mut Scratch,
    out: &mut FusedMut<'_>,
    at: usize,
) {
    let one = f32x16::splat(simd, 1.0);
    let per_weight = one / sums.present.select(sums.weight, one);
    let wanted = |output| pool.outputs.contains(output);
    if wanted(Output::Conflict) {
        let conflict = conflict(simd, sums, scratch).to_array();
        out.conflict[at..at + tile.len].copy_from_slice(&conflict[..tile.len]);
    }
    mix(simd, pool, wants, sums, per_weight, scratch);
    if wants.contributions {
        contributions(simd, pool, wants, tile, sums, per_weight, scratch, out, at);
    }
    if pool.inverse_temperature != 1.0 {
        temper(simd, pool, wants, sums, &mut scratch.p);
    }
    let items = at..at + tile.len;
    let p = &scratch.p;
    let store = |values: f32x16<S>, column: &mut [f32]| {
        if let Some(column) = column.get_mut(items.clone()) {
            column.copy_from_slice(&values.to_array()[..tile.len]);
        }
    };
    if wanted(Output::Decision) || wanted(Output::Confidence) || wanted(Output::Margin) {
        let (largest, mut class) = argmax(simd, p);
        if pool.is_vote_alone() {
            class = tie_broken(simd, p, &scratch.linear, largest);
        }
        store(largest, out.confidence);
        if wanted(Output::Margin) {
            store(largest - second_largest(simd, p, class), out.margin);
        }
        if let Some(decisions) = out.decision.get_mut(items.clone()) {
            let class: u32x16<S> = class.to_int();
            decisions.copy_from_slice(&class.to_array()[..tile.len]);
        }
    }
    if wanted(Output::Entropy) {
        store(entropy(simd, p, one), out.entropy);
    }
    if wanted(Output::Disagreement) {
        let linear = if wants.plain { &scratch.plain } else { &scratch.linear };
        let apart = entropy(simd, linear, per_weight) - sums.entropy * per_weight;
        let zero = f32x16::splat(simd, 0.0);
        store(sums.present.select((apart * wants.inverse_ln_classes).max(0.0), zero), out.disagreement);
    }
    if wanted(Output::EffectiveSources) {
        let sum = sums.weight * SQUARE_SCALE;
        let effective = sum * (sum / sums.present.select(sums.weight_squared, one));
        store(effective, out.effective_sources);
    }
    if let Some(flags) = out.flags.get_mut(items) {
        let raised = [
            (Flags::NO_SOURCE, !sums.present),
            (Flags::ZERO_WEIGHTS, sums.fell_back),
            (Flags::INVALID_LEFT_OUT, sums.left_out),
            (Flags::RENORMALISED, sums.mended),
            (Flags::ABSTAINED, sums.abstained),
            (Flags::NO_MIDDLE, sums.no_middle),
        ];
        flags.fill(0);
        for (flag, lanes) in raised {
            for (item, flags) in flags.iter_mut().enumerate() {
                *flags |= if lanes.test(item) { flag.0 } else { 0 };
            }
        }
    }
    if wanted(Output::Posterior) {
        let rows = &mut out.posterior[at * pool.classes..][..tile.len * pool.classes];
        if tile.len == LANES {
            to_rows(simd, p, rows);
        } else {
            to_rows(simd, p, &mut scratch.rows);
            rows.copy_from_slice(&scratch.rows[..rows.len()]);
        }
    }
}

/// Of the classes whose vote ties with the largest, the one with the largest linear pool, then the lowest.
#[inline(always)]
pub(super) fn tie_broken<S: Simd>(simd: S, p: &[Lanes], linear: &[Lanes], largest: f32x16<S>) -> f32x16<S> {
    let mut best = f32x16::splat(simd, -1.0);
    let mut class = f32x16::splat(simd, 0.0);
    let mut k = class;
    for (p, linear) in p.iter().zip(linear) {
        let linear = f32x16::load_array_ref(simd, &linear.0);
        let more = f32x16::load_array_ref(simd, &p.0).simd_ge(largest - TIE) & linear.simd_gt(best);
        best = more.select(linear, best);
        class = more.select(k, class);
        k += 1.0;
    }
    class
}

/// -sum q ln q over q = p * scale.
#[inline(always)]
pub(super) fn entropy<S: Simd>(simd: S, p: &[Lanes], scale: f32x16<S>) -> f32x16<S> {
    let mut sum = Sum::new(simd);
    for block_of_p in p.chunks(BLOCK) {
        let mut block = f32x16::splat(simd, 0.0);
        for p in block_of_p {
            let q = f32x16::load_array_ref(simd, &p.0) * scale;
            block -= q * ln(simd, q.max(f32::MIN_POSITIVE));
        }
        sum.push(simd, block);
    }
    // No distribution has a negative entropy; a certain one rounds to either side of zero.
    sum.total().max(0.0)
}
