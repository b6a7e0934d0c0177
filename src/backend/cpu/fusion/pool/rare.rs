//! One source added to the sums of the rules less asked for, out of line: the loop of the others stays short.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::add::add_scaled;
use crate::backend::cpu::fusion::pool::decode::Opinion;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::fusion::pool::weigh::Weight;
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::transpose::{LANES, Lanes};
use crate::kernel::fusion::pool::{Pool, Slot, SourceTerms};

/// Adds one source, whose opinions are in the scratch memory.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state")]
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
    simd.vectorize(
        #[inline(always)]
        || {
            let constants = Constants::of(simd, &pool.sources[source], opinion);
            sums.count += constants.one;
            sums.exponent += constants.exponent;
            sums.belief += constants.belief;
            sums.belief_base += constants.belief_base;
            sums.learned += constants.learned;
            if wants.rule(Slot::Confusion) {
                add_answers(simd, pool, source, opinion, &mut scratch.confusion);
            }
            if wants.class_weights {
                add_by_class(simd, pool, wants, source, opinion, weight, scratch);
            }
            if wants.rule(Slot::MaxVote) {
                add_most_confident(simd, pool, source, confidence, weight, scratch, sums);
            }
            if wants.rule(Slot::Belief) {
                add_scaled(simd, &mut scratch.belief, &scratch.p, constants.belief);
            }
            if wants.rule(Slot::Adaptive) {
                add_scaled(simd, &mut scratch.adaptive, &scratch.p, constants.learned);
            }
            if wants.rule(Slot::Evidence) {
                add_scaled(simd, &mut scratch.evidence, &scratch.ln, constants.exponent);
            }
            if wants.rule(Slot::PowerMean) {
                add_powers(simd, pool, wants, source, weight, scratch);
            }
            if wants.belief_masses {
                add_masses(simd, pool, source, opinion, scratch, sums);
            }
            if wants.rule(Slot::Stacked) {
                add_stacked(simd, pool, source, scratch);
            }
            if wants.kept {
                keep(simd, pool, source, opinion, confidence, weight, scratch);
            }
        },
    );
}

/// What a source adds whatever it says, 0 where it is absent.
struct Constants<S: Simd> {
    one: f32x16<S>,
    exponent: f32x16<S>,
    belief: f32x16<S>,
    belief_base: f32x16<S>,
    learned: f32x16<S>,
}

impl<S: Simd> Constants<S> {
    #[inline(always)]
    fn of(simd: S, terms: &SourceTerms, opinion: &Opinion<S>) -> Self {
        let zero = f32x16::splat(simd, 0.0);
        let constant = |x: f32| opinion.valid.select(f32x16::splat(simd, x), zero);
        Self {
            one: constant(1.0),
            exponent: constant(terms.exponent),
            belief: constant(terms.belief),
            belief_base: constant(terms.belief_base),
            learned: constant(terms.learned),
        }
    }
}

/// The rules that go by weights, with a factor per class.
#[inline(always)]
fn add_by_class<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    source: usize,
    opinion: &Opinion<S>,
    weight: &Weight<S>,
    scratch: &mut Scratch,
) {
    let factors = factors(pool, source);
    let Scratch { p, ln: logs, .. } = scratch;
    add_factors(simd, &mut scratch.class_weight, factors, weight.w);
    add_factors(simd, &mut scratch.class_bayes, factors, weight.r);
    if wants.rule(Slot::Vote) {
        let (class, w) = (opinion.class.to_array(), weight.w.to_array());
        for item in 0..LANES {
            let class = class[item] as usize;
            scratch.vote[class].0[item] += w[item] * factors[class];
        }
    }
    if wants.linear {
        add_weighted(simd, &mut scratch.linear, p, weight.w, factors);
    }
    if wants.plain {
        add_scaled(simd, &mut scratch.plain, p, weight.w);
    }
    if wants.rule(Slot::BayesianAverage) {
        add_weighted(simd, &mut scratch.bayes, p, weight.r, factors);
    }
    if wants.logarithm {
        add_weighted(simd, &mut scratch.logarithm, logs, weight.w, factors);
    }
}

#[inline(always)]
fn add_most_confident<S: Simd>(
    simd: S,
    pool: &Pool,
    source: usize,
    confidence: f32x16<S>,
    weight: &Weight<S>,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) {
    let zero = f32x16::splat(simd, 0.0);
    let counts = weight.w.simd_gt(0.0);
    let more = counts & confidence.simd_gt(sums.most_confident);
    let as_much = counts & confidence.simd_ge(sums.most_confident);
    let (keep, take) = (more.select(zero, f32x16::splat(simd, 1.0)), as_much.select(weight.w, zero));
    for sum in scratch.max_vote.iter_mut().chain(&mut scratch.class_most) {
        (f32x16::load_array_ref(simd, &sum.0) * keep).store_array(&mut sum.0);
    }
    add_weighted(simd, &mut scratch.max_vote, &scratch.p, take, factors(pool, source));
    add_factors(simd, &mut scratch.class_most, factors(pool, source), take);
    sums.most_confident_weight = sums.most_confident_weight * keep + take;
    sums.most_confident = more.select(confidence, sums.most_confident);
}

#[inline(always)]
fn add_powers<S: Simd>(simd: S, pool: &Pool, wants: Wants, source: usize, weight: &Weight<S>, scratch: &mut Scratch) {
    let factors = factors(pool, source);
    for (k, (sum, log)) in scratch.power.iter_mut().zip(&scratch.ln).enumerate() {
        let x = f32x16::load_array_ref(simd, &log.0) * pool.power - wants.power_shift;
        let w = weight.w * factors.get(k).copied().unwrap_or(1.0);
        exp(simd, x).mul_add(w, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
    }
}

#[inline(always)]
fn add_masses<S: Simd>(
    simd: S,
    pool: &Pool,
    source: usize,
    opinion: &Opinion<S>,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) {
    let zero = f32x16::splat(simd, 0.0);
    let reliability = pool.sources[source].reliability;
    let unsure = (1.0 - reliability).max(0.0);
    for (sum, p) in scratch.masses.iter_mut().zip(&scratch.p) {
        let mass = f32x16::load_array_ref(simd, &p.0) * reliability + unsure;
        let log = opinion.valid.select(ln(simd, mass.max(pool.log_floor)), zero);
        (f32x16::load_array_ref(simd, &sum.0) + log).store_array(&mut sum.0);
    }
    let frame = f32x16::splat(simd, unsure.max(pool.log_floor).ln());
    sums.frame += opinion.valid.select(frame, zero);
}

#[inline(always)]
fn add_stacked<S: Simd>(simd: S, pool: &Pool, source: usize, scratch: &mut Scratch) {
    let matrix = &pool.stack[source * pool.classes * pool.classes..];
    for (row, log) in matrix.chunks_exact(pool.classes).zip(&scratch.ln) {
        let log = f32x16::load_array_ref(simd, &log.0);
        for (sum, &a) in scratch.stacked.iter_mut().zip(row) {
            log.mul_add(a, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
        }
    }
}

#[inline(always)]
fn keep<S: Simd>(
    simd: S,
    pool: &Pool,
    source: usize,
    opinion: &Opinion<S>,
    confidence: f32x16<S>,
    weight: &Weight<S>,
    scratch: &mut Scratch,
) {
    let kept = &mut scratch.kept;
    kept.keep(simd, source, opinion.valid, &scratch.p, &scratch.ln);
    let absent = f32x16::splat(simd, -1.0);
    let confidence = opinion.valid.select(confidence, absent);
    let answer = opinion.valid.select(opinion.class, absent);
    let answer = opinion.abstained.select(f32x16::splat(simd, pool.classes as f32), answer);
    kept.keep_terms(source, weight.w, weight.r, confidence, answer);
}

/// The factors per class of a source; none where weights know no class.
fn factors(pool: &Pool, source: usize) -> &[f32] {
    pool.class_weights.get(source * pool.classes..(source + 1) * pool.classes).unwrap_or_default()
}

/// The logarithms of what each source's answer says of every class.
#[inline(always)]
fn add_answers<S: Simd>(simd: S, pool: &Pool, source: usize, opinion: &Opinion<S>, sums: &mut [Lanes]) {
    let classes = pool.classes;
    let tables = &pool.confusion[source * (classes + 1) * classes..][..(classes + 1) * classes];
    let answer = opinion.abstained.select(f32x16::splat(simd, classes as f32), opinion.class).to_array();
    let counts = opinion.valid | opinion.abstained;
    for item in (0..LANES).filter(|&item| counts.test(item)) {
        let row = &tables[answer[item] as usize * classes..][..classes];
        for (sum, log) in sums.iter_mut().zip(row) {
            sum.0[item] += log;
        }
    }
}

/// sums += xs * weight, times a factor per class where there are any.
#[inline(always)]
fn add_weighted<S: Simd>(simd: S, sums: &mut [Lanes], xs: &[Lanes], weight: f32x16<S>, factors: &[f32]) {
    if factors.is_empty() {
        return add_scaled(simd, sums, xs, weight);
    }
    for ((sum, x), &factor) in sums.iter_mut().zip(xs).zip(factors) {
        let x = f32x16::load_array_ref(simd, &x.0);
        x.mul_add(weight * factor, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
    }
}

/// sums += weight times a factor per class.
#[inline(always)]
fn add_factors<S: Simd>(simd: S, sums: &mut [Lanes], factors: &[f32], weight: f32x16<S>) {
    for (sum, &factor) in sums.iter_mut().zip(factors) {
        weight.mul_add(factor, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
    }
}
