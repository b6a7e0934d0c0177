//! One source added to the sums of the rules most asked for; the others are in [`rare`].

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::decode::Opinion;
use crate::backend::cpu::fusion::pool::rare;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::fusion::pool::weigh::Weight;
use crate::backend::cpu::numbers::ln;
use crate::backend::cpu::transpose::{LANES, Lanes};
use crate::kernel::fusion::pool::{Pool, Slot};

/// Adds one source, whose opinions are in the scratch memory.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
pub(super) fn add<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    source: usize,
    opinion: &Opinion<S>,
    confidence: f32x16<S>,
    weight: &Weight<S>,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) {
    sums.add_weight(wants, weight);
    if wants.disagreement {
        sums.entropy = opinion.entropy.mul_add(weight.w, sums.entropy);
    }
    if wants.clamped && opinion.label.is_none() {
        let zero = f32x16::splat(simd, 0.0);
        for log in &mut scratch.ln {
            // The clamp to [eps, 1] is part of the definition.
            let clamped = f32x16::load_array_ref(simd, &log.0).max(wants.ln_floor).min(0.0);
            opinion.valid.select(clamped, zero).store_array(&mut log.0);
        }
    }
    if wants.rare {
        rare::add(simd, pool, wants, source, opinion, confidence, weight, scratch, sums);
    }
    if wants.class_weights {
        // Every sum below was added to with its factors.
        return;
    }
    if wants.rule(Slot::Vote) {
        add_votes(simd, &mut scratch.vote, opinion.class, weight.w);
    }
    if let Some((high, low)) = opinion.label {
        add_label(simd, wants, opinion, weight, high, low, scratch, sums);
        return;
    }
    let Scratch { p, ln: logs, linear, bayes, logarithm, .. } = scratch;
    if wants.linear {
        add_scaled(simd, linear, p, weight.w);
    }
    if wants.rule(Slot::BayesianAverage) {
        add_scaled(simd, bayes, p, weight.r);
    }
    if wants.logarithm {
        add_scaled(simd, logarithm, logs, weight.w);
    }
}

/// A label: one addition to its class in every sum, the rest to all classes together.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
fn add_label<S: Simd>(
    simd: S,
    wants: Wants,
    opinion: &Opinion<S>,
    weight: &Weight<S>,
    high: f32x16<S>,
    low: f32x16<S>,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) {
    if wants.linear {
        add_votes(simd, &mut scratch.linear, opinion.class, weight.w * (high - low));
        sums.base.linear = low.mul_add(weight.w, sums.base.linear);
    }
    if wants.rule(Slot::BayesianAverage) {
        add_votes(simd, &mut scratch.bayes, opinion.class, weight.r * (high - low));
        sums.base.bayes = low.mul_add(weight.r, sums.base.bayes);
    }
    if wants.logarithm {
        let (high, low) = (clamped_ln(simd, wants, high), clamped_ln(simd, wants, low));
        add_votes(simd, &mut scratch.logarithm, opinion.class, weight.w * (high - low));
        sums.base.logarithm = low.mul_add(weight.w, sums.base.logarithm);
    }
}

/// ln p, clamped to [ln eps, 0] as the rules take it.
#[inline(always)]
pub(super) fn clamped_ln<S: Simd>(simd: S, wants: Wants, p: f32x16<S>) -> f32x16<S> {
    ln(simd, p.max(f32::MIN_POSITIVE)).max(wants.ln_floor).min(0.0)
}

/// The value of each item added to the class it names.
#[inline(always)]
pub(super) fn add_votes<S: Simd>(simd: S, sums: &mut [Lanes], class: f32x16<S>, value: f32x16<S>) {
    // A few classes are passed over whole; of many, sixteen are picked out.
    if sums.len() <= LANES {
        let zero = f32x16::splat(simd, 0.0);
        let mut k = zero;
        for sum in sums {
            let cast = class.simd_eq(k).select(value, zero);
            (f32x16::load_array_ref(simd, &sum.0) + cast).store_array(&mut sum.0);
            k += 1.0;
        }
    } else {
        let (class, value) = (class.to_array(), value.to_array());
        for item in 0..LANES {
            sums[class[item] as usize].0[item] += value[item];
        }
    }
}

/// sums += xs * weight.
#[inline(always)]
pub(super) fn add_scaled<S: Simd>(simd: S, sums: &mut [Lanes], xs: &[Lanes], weight: f32x16<S>) {
    for (sum, x) in sums.iter_mut().zip(xs) {
        let x = f32x16::load_array_ref(simd, &x.0);
        x.mul_add(weight, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
    }
}
