//! From the sums over sources to the outputs asked for.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::decode::argmax;
use crate::backend::cpu::fusion::pool::{Scratch, Tile, Wants};
use crate::backend::cpu::numbers::{exp, ln};
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
    sums: &Sums<S>,
    scratch: &mut Scratch,
    out: &mut FusedMut<'_>,
    at: usize,
) {
    let one = f32x16::splat(simd, 1.0);
    let per_weight = one / sums.present.select(sums.weight, one);
    mix(simd, pool, wants, sums, per_weight, scratch);
    let items = at..at + tile.len;
    let p = &scratch.p;
    let store = |values: f32x16<S>, column: &mut [f32]| {
        if let Some(column) = column.get_mut(items.clone()) {
            column.copy_from_slice(&values.to_array()[..tile.len]);
        }
    };
    let wanted = |output| pool.outputs.contains(output);
    if wanted(Output::Decision) || wanted(Output::Confidence) || wanted(Output::Margin) {
        let (largest, mut class) = argmax(simd, p);
        if pool.is_vote_alone() {
            class = tie_broken(simd, p, &scratch.linear, largest);
        }
        store(largest, out.confidence);
        if wanted(Output::Margin) {
            store(largest - second(simd, p, class), out.margin);
        }
        if let Some(decisions) = out.decision.get_mut(items.clone()) {
            for (decision, class) in decisions.iter_mut().zip(class.to_array()) {
                *decision = class as u32;
            }
        }
    }
    if wanted(Output::Entropy) {
        store(entropy(simd, p, one), out.entropy);
    }
    if wanted(Output::Disagreement) {
        let apart = entropy(simd, &scratch.linear, per_weight) - sums.entropy * per_weight;
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

/// The posterior, in `Scratch::p`.
#[inline(always)]
fn mix<S: Simd>(simd: S, pool: &Pool, wants: Wants, sums: &Sums<S>, per_weight: f32x16<S>, scratch: &mut Scratch) {
    let Scratch { p, linear, vote, max_vote, bayes, log_pool, .. } = scratch;
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let present = |sum: f32x16<S>| sums.present.select(sum, one);
    let mut log_scale = zero;
    if wants.log_pool {
        let mut most = f32x16::splat(simd, f32::MIN);
        for sum in log_pool.iter() {
            most = most.max(f32x16::load_array_ref(simd, &sum.0));
        }
        let mut total = Sum::new(simd);
        for sums in log_pool.chunks_mut(BLOCK) {
            let mut block = zero;
            for sum in sums {
                let power = exp(simd, (f32x16::load_array_ref(simd, &sum.0) - most) * per_weight);
                block += power;
                power.store_array(&mut sum.0);
            }
            total.push(simd, block);
        }
        log_scale = one / total.total();
    }
    let scales =
        [per_weight, per_weight, one / present(sums.most_confident_weight), one / present(sums.bayes), log_scale];
    p.fill(Lanes([0.0; LANES]));
    for (posterior, (share, scale)) in
        [linear, vote, max_vote, bayes, log_pool].into_iter().zip(pool.mix.iter().zip(scales))
    {
        if *share > 0.0 {
            for (p, sum) in p.iter_mut().zip(posterior.iter()) {
                let sum = f32x16::load_array_ref(simd, &sum.0);
                sum.mul_add(scale * *share, f32x16::load_array_ref(simd, &p.0)).store_array(&mut p.0);
            }
        }
    }
    let mut total = Sum::new(simd);
    for block_of_p in p.chunks(BLOCK) {
        let mut block = zero;
        for p in block_of_p {
            block += f32x16::load_array_ref(simd, &p.0);
        }
        total.push(simd, block);
    }
    let scale = one / present(total.total());
    for p in p.iter_mut() {
        (f32x16::load_array_ref(simd, &p.0) * scale).store_array(&mut p.0);
    }
    if !sums.present.all_true() {
        for (p, &prior) in p.iter_mut().zip(&pool.class_prior) {
            let value = f32x16::load_array_ref(simd, &p.0);
            sums.present.select(value, f32x16::splat(simd, prior)).store_array(&mut p.0);
        }
    }
}

/// Of the classes whose vote ties with the largest, the one with the largest linear pool, then the lowest.
#[inline(always)]
fn tie_broken<S: Simd>(simd: S, p: &[Lanes], linear: &[Lanes], largest: f32x16<S>) -> f32x16<S> {
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

/// The largest value of the other classes than `class`; 0 where there is none.
#[inline(always)]
fn second<S: Simd>(simd: S, p: &[Lanes], class: f32x16<S>) -> f32x16<S> {
    let mut second = f32x16::splat(simd, 0.0);
    let mut k = second;
    for p in p {
        let other = f32x16::load_array_ref(simd, &p.0).max(second);
        second = k.simd_eq(class).select(second, other);
        k += 1.0;
    }
    second
}

/// -sum q ln q over q = p * scale.
#[inline(always)]
fn entropy<S: Simd>(simd: S, p: &[Lanes], scale: f32x16<S>) -> f32x16<S> {
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
