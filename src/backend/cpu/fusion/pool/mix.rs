//! From the sums over sources to the posterior.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::add::add_scaled;
use crate::backend::cpu::fusion::pool::order;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::sum::{BLOCK, Sum};
use crate::backend::cpu::transpose::Lanes;
use crate::kernel::fusion::pool::{PRIOR_FLOOR, Pool, Slot, WEIGHT_FLOOR};
use crate::spec::Conflict;

/// Puts the posterior before tempering into `Scratch::p`.
#[inline(always)]
pub(super) fn mix<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    sums: &mut Sums<S>,
    per_weight: f32x16<S>,
    scratch: &mut Scratch,
) {
    let one = f32x16::splat(simd, 1.0);
    let present = sums.present;
    if wants.labels_add {
        add_base(simd, sums, scratch);
    }
    let mut is_first = true;
    if wants.rare || wants.rule(Slot::Extremised) {
        is_first = rare(simd, pool, wants, sums, per_weight, scratch);
    }
    let Scratch { p, linear, vote, bayes, logarithm, .. } = scratch;
    if wants.rule(Slot::Linear) {
        blend(simd, p, linear, per_weight * pool.share(Slot::Linear), &mut is_first);
    }
    if wants.rule(Slot::Vote) {
        blend(simd, p, vote, per_weight * pool.share(Slot::Vote), &mut is_first);
    }
    if wants.rule(Slot::BayesianAverage) {
        let part = pool.share(Slot::BayesianAverage) / present.select(sums.bayes, one);
        blend(simd, p, bayes, part, &mut is_first);
    }
    if wants.rule(Slot::LogPool) {
        let part = softmax(simd, logarithm, per_weight);
        blend(simd, p, logarithm, part * pool.share(Slot::LogPool), &mut is_first);
    }
    sums.mixture = divide(simd, p, present);
    if !present.all_true() {
        no_source(simd, pool, wants, sums, scratch);
    }
}

/// p += posterior * part; the first one takes the place of what was there.
#[inline(always)]
fn blend<S: Simd>(simd: S, p: &mut [Lanes], posterior: &[Lanes], part: f32x16<S>, is_first: &mut bool) {
    if std::mem::take(is_first) {
        for (p, posterior) in p.iter_mut().zip(posterior) {
            (f32x16::load_array_ref(simd, &posterior.0) * part).store_array(&mut p.0);
        }
    } else {
        add_scaled(simd, p, posterior, part);
    }
}

/// What labels gave to all classes alike.
#[inline(always)]
fn add_base<S: Simd>(simd: S, sums: &Sums<S>, scratch: &mut Scratch) {
    let base = &sums.base;
    let bases = [
        (&mut scratch.linear, base.linear),
        (&mut scratch.bayes, base.bayes),
        (&mut scratch.logarithm, base.logarithm),
    ];
    for (sums, base) in bases {
        if !base.simd_eq(0.0).all_true() {
            for sum in sums {
                (f32x16::load_array_ref(simd, &sum.0) + base).store_array(&mut sum.0);
            }
        }
    }
}

/// The rules less asked for, and the division by weights per class for all; answers whether there was no such rule. Out of
/// line: the loop of the others stays short.
#[inline(never)]
fn rare<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    sums: &mut Sums<S>,
    per_weight: f32x16<S>,
    scratch: &mut Scratch,
) -> bool {
    simd.vectorize(
        #[inline(always)]
        || {
            let one = f32x16::splat(simd, 1.0);
            // What each posterior is still to be multiplied by.
            let mut parts = [one; Slot::ALL.len()];
            if wants.class_weights {
                let Scratch { linear, vote, max_vote, bayes, logarithm, power, .. } = scratch;
                for sum in [linear, vote, logarithm, power] {
                    rescale(simd, sum, &scratch.class_weight, sums.weight);
                }
                rescale(simd, bayes, &scratch.class_bayes, sums.bayes);
                rescale(simd, max_vote, &scratch.class_most, sums.most_confident_weight);
            }
            if wants.rule(Slot::MaxVote) {
                parts[Slot::MaxVote as usize] = one / sums.present.select(sums.most_confident_weight, one);
            }
            if wants.rule(Slot::Median) || wants.rule(Slot::Trimmed) {
                order::middles(simd, pool, wants, sums, per_weight, scratch);
            }
            if wants.rule(Slot::Extremised) {
                scratch.extremised.copy_from_slice(&scratch.logarithm);
                let part = softmax(simd, &mut scratch.extremised, per_weight * pool.extremise);
                parts[Slot::Extremised as usize] = part;
            }
            if wants.rule(Slot::Evidence) {
                for (sum, &prior) in scratch.evidence.iter_mut().zip(&pool.class_prior) {
                    let prior = (one - sums.exponent) * prior.max(PRIOR_FLOOR).ln();
                    (f32x16::load_array_ref(simd, &sum.0) + prior).store_array(&mut sum.0);
                }
                parts[Slot::Evidence as usize] = softmax(simd, &mut scratch.evidence, one);
            }
            if wants.rule(Slot::PowerMean) {
                for sum in &mut scratch.power {
                    let mean = (f32x16::load_array_ref(simd, &sum.0) * per_weight).max(f32::MIN_POSITIVE);
                    (ln(simd, mean) / pool.power).store_array(&mut sum.0);
                }
                parts[Slot::PowerMean as usize] = softmax(simd, &mut scratch.power, one);
            }
            if wants.rule(Slot::DempsterShafer) {
                dempster_shafer(simd, pool, sums, scratch);
            }
            if wants.rule(Slot::Belief) {
                belief(simd, pool, sums, scratch);
            }
            if wants.rule(Slot::Confusion) {
                for (sum, &prior) in scratch.confusion.iter_mut().zip(&pool.class_prior) {
                    let sum_and_prior = f32x16::load_array_ref(simd, &sum.0) + prior.max(PRIOR_FLOOR).ln();
                    sum_and_prior.store_array(&mut sum.0);
                }
                parts[Slot::Confusion as usize] = softmax(simd, &mut scratch.confusion, one);
            }
            if wants.rule(Slot::Stacked) {
                for (sum, &bias) in scratch.stacked.iter_mut().zip(&pool.bias) {
                    (f32x16::load_array_ref(simd, &sum.0) + bias).store_array(&mut sum.0);
                }
                parts[Slot::Stacked as usize] = softmax(simd, &mut scratch.stacked, one);
            }
            if wants.rule(Slot::Adaptive) {
                adaptive(simd, sums, per_weight, scratch);
            }
            let rules = [
                (Slot::MaxVote, &scratch.max_vote),
                (Slot::Extremised, &scratch.extremised),
                (Slot::Evidence, &scratch.evidence),
                (Slot::PowerMean, &scratch.power),
                (Slot::Median, &scratch.median),
                (Slot::Trimmed, &scratch.trimmed),
                (Slot::DempsterShafer, &scratch.masses),
                (Slot::Belief, &scratch.belief),
                (Slot::Confusion, &scratch.confusion),
                (Slot::Stacked, &scratch.stacked),
                (Slot::Adaptive, &scratch.adaptive),
            ];
            let mut is_first = true;
            for (slot, posterior) in rules {
                if wants.rule(slot) {
                    blend(simd, &mut scratch.p, posterior, parts[slot as usize] * pool.share(slot), &mut is_first);
                }
            }
            is_first
        },
    )
}

/// sums *= total / each.
#[inline(always)]
fn rescale<S: Simd>(simd: S, sums: &mut [Lanes], each: &[Lanes], total: f32x16<S>) {
    for (sum, each) in sums.iter_mut().zip(each) {
        let each = f32x16::load_array_ref(simd, &each.0);
        let scale = each.simd_gt(0.0).select(total / each, f32x16::splat(simd, 0.0));
        (f32x16::load_array_ref(simd, &sum.0) * scale).store_array(&mut sum.0);
    }
}

/// exp(scale (x - max x)) in place of x, and one over its sum. The scale is not negative.
#[inline(always)]
fn softmax<S: Simd>(simd: S, logs: &mut [Lanes], scale: f32x16<S>) -> f32x16<S> {
    let mut most = f32x16::splat(simd, f32::MIN);
    for log in logs.iter() {
        most = most.max(f32x16::load_array_ref(simd, &log.0));
    }
    let mut total = Sum::new(simd);
    for logs in logs.chunks_mut(BLOCK) {
        let mut block = f32x16::splat(simd, 0.0);
        for log in logs {
            let power = exp(simd, (f32x16::load_array_ref(simd, &log.0) - most) * scale);
            block += power;
            power.store_array(&mut log.0);
        }
        total.push(simd, block);
    }
    1.0 / total.total()
}

/// The sums in `Scratch::masses` as a posterior, by Dempster's rule or Yager's.
#[inline(always)]
fn dempster_shafer<S: Simd>(simd: S, pool: &Pool, sums: &Sums<S>, scratch: &mut Scratch) {
    let zero = f32x16::splat(simd, 0.0);
    let mut most = sums.frame;
    if pool.conflict == Conflict::Normalise {
        for log in &scratch.masses {
            most = most.max(f32x16::load_array_ref(simd, &log.0));
        }
    } else {
        most = zero;
    }
    let frame = exp(simd, sums.frame - most);
    let mut total = Sum::new(simd);
    for masses in scratch.masses.chunks_mut(BLOCK) {
        let mut block = zero;
        for mass in masses {
            let x = (exp(simd, f32x16::load_array_ref(simd, &mass.0) - most) - frame).max(0.0);
            block += x;
            x.store_array(&mut mass.0);
        }
        total.push(simd, block);
    }
    let total = total.total();
    let (scale, ignorance) = match pool.conflict {
        Conflict::Normalise => (1.0 / (total + frame), frame),
        Conflict::Ignorance => (f32x16::splat(simd, 1.0), (1.0 - total).max(0.0)),
    };
    for (mass, &prior) in scratch.masses.iter_mut().zip(&pool.class_prior) {
        let p = (f32x16::load_array_ref(simd, &mass.0) + ignorance * prior) * scale;
        p.store_array(&mut mass.0);
    }
}

/// The sums in `Scratch::belief` as a posterior.
#[inline(always)]
fn belief<S: Simd>(simd: S, pool: &Pool, sums: &Sums<S>, scratch: &mut Scratch) {
    let base = sums.belief_base + WEIGHT_FLOOR;
    let scale = 1.0 / (sums.belief + base);
    for (sum, &prior) in scratch.belief.iter_mut().zip(&pool.class_prior) {
        let p = base.mul_add(prior, f32x16::load_array_ref(simd, &sum.0)) * scale;
        p.store_array(&mut sum.0);
    }
}

/// The sums in `Scratch::adaptive` as a posterior; the linear pool where no weight was learned.
#[inline(always)]
fn adaptive<S: Simd>(simd: S, sums: &Sums<S>, per_weight: f32x16<S>, scratch: &mut Scratch) {
    let nothing = sums.learned.simd_lt(WEIGHT_FLOOR);
    let scale = 1.0 / sums.learned.max(WEIGHT_FLOOR);
    for (sum, linear) in scratch.adaptive.iter_mut().zip(&scratch.linear) {
        let linear = f32x16::load_array_ref(simd, &linear.0) * per_weight;
        nothing.select(linear, f32x16::load_array_ref(simd, &sum.0) * scale).store_array(&mut sum.0);
    }
}

/// Dempster's conflict, of the sums in `Scratch::masses`.
#[inline(never)]
pub(super) fn conflict<S: Simd>(simd: S, sums: &Sums<S>, scratch: &Scratch) -> f32x16<S> {
    simd.vectorize(
        #[inline(always)]
        || {
            let frame = exp(simd, sums.frame);
            let mut agreed = Sum::new(simd);
            for masses in scratch.masses.chunks(BLOCK) {
                let mut block = f32x16::splat(simd, 0.0);
                for mass in masses {
                    block += exp(simd, f32x16::load_array_ref(simd, &mass.0)) - frame;
                }
                agreed.push(simd, block);
            }
            let conflict = (1.0 - agreed.total() - frame).max(0.0).min(1.0);
            sums.present.select(conflict, f32x16::splat(simd, 0.0))
        },
    )
}

/// P^(1/T) over its sum, for the posterior in `Scratch::p`; the bare class prior stays.
#[inline(never)]
pub(super) fn temper<S: Simd>(simd: S, pool: &Pool, wants: Wants, sums: &Sums<S>, p: &mut [Lanes]) {
    simd.vectorize(
        #[inline(always)]
        || {
            let zero = f32x16::splat(simd, 0.0);
            let mut hot = sums.present;
            if wants.rule(Slot::Confusion) {
                hot |= sums.abstained;
            }
            let mut most = zero;
            for p in p.iter() {
                most = most.max(f32x16::load_array_ref(simd, &p.0));
            }
            let ln_most = ln(simd, most.max(f32::MIN_POSITIVE));
            let power = |p: f32x16<S>| {
                let power = exp(simd, (ln(simd, p.max(f32::MIN_POSITIVE)) - ln_most) * pool.inverse_temperature);
                p.simd_gt(0.0).select(power, zero)
            };
            let mut total = Sum::new(simd);
            for block_of_p in p.chunks(BLOCK) {
                let mut block = zero;
                for p in block_of_p {
                    block += power(f32x16::load_array_ref(simd, &p.0));
                }
                total.push(simd, block);
            }
            let scale = 1.0 / total.total();
            for p in p {
                let cold = f32x16::load_array_ref(simd, &p.0);
                hot.select(power(cold) * scale, cold).store_array(&mut p.0);
            }
        },
    )
}

/// Each row over its sum, which is answered.
#[inline(always)]
fn divide<S: Simd>(simd: S, p: &mut [Lanes], present: mask32x16<S>) -> f32x16<S> {
    let one = f32x16::splat(simd, 1.0);
    let mut total = Sum::new(simd);
    for block_of_p in p.chunks(BLOCK) {
        let mut block = f32x16::splat(simd, 0.0);
        for p in block_of_p {
            block += f32x16::load_array_ref(simd, &p.0);
        }
        total.push(simd, block);
    }
    let total = present.select(total.total(), one);
    let scale = one / total;
    for p in p.iter_mut() {
        (f32x16::load_array_ref(simd, &p.0) * scale).store_array(&mut p.0);
    }
    total
}

/// Without a source there is the class prior; where sources abstained, what their confusion matrices make of that.
#[inline(never)]
fn no_source<S: Simd>(simd: S, pool: &Pool, wants: Wants, sums: &Sums<S>, scratch: &mut Scratch) {
    simd.vectorize(
        #[inline(always)]
        || {
            let declined = sums.abstained & !sums.present;
            let heard = wants.rule(Slot::Confusion) && declined.any_true();
            let share = pool.share(Slot::Confusion);
            let mut total = f32x16::splat(simd, 0.0);
            if heard {
                for power in &scratch.confusion {
                    total += f32x16::load_array_ref(simd, &power.0);
                }
            }
            for (k, (p, &prior)) in scratch.p.iter_mut().zip(&pool.class_prior).enumerate() {
                let value = f32x16::load_array_ref(simd, &p.0);
                let mut instead = f32x16::splat(simd, prior);
                if heard {
                    let confusion = f32x16::load_array_ref(simd, &scratch.confusion[k].0) / total;
                    instead = declined.select(confusion * share + prior * (1.0 - share), instead);
                }
                sums.present.select(value, instead).store_array(&mut p.0);
            }
        },
    )
}
