//! Whole tiles of hard labels without confidences, every one a class, missing or abstained: each source adds to one class
//! what it counts, so that a sum over sources is a count of weights. The sums are those of
//! [`accumulate`](super::accumulate), to the bit; a tile with another label is left to it.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16, u32x16};

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::add::{add_votes, clamped_ln};
use crate::backend::cpu::fusion::pool::forms::{Coded, coded, labels};
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::fusion::pool::weigh::Weight;
use crate::backend::cpu::transpose::{LANES, Lanes};
use crate::kernel::fusion::pool::{Pool, Slot, SourceTerms};
use crate::tensor::Evidence;

/// Runs over all sources, from the sums that are the same for all such tiles; answers whether the tile was what this is
/// for.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
pub(super) fn accumulate<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    tile: Tile,
    steady: &Sums<S>,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) -> bool {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let (mut all, classes) = (mask32x16::splat(simd, true), f32x16::splat(simd, pool.classes as f32));
    for (source, named) in scratch.named.class.iter_mut().enumerate() {
        let Some(Coded { label, .. }) = coded(simd, evidence, source, tile) else { return false };
        all &= label.simd_lt(classes);
        label.store_array(&mut named.0);
    }
    *sums = *steady;
    if !all.all_true() && !sparse(simd, pool, wants, evidence, tile, sums) {
        return false;
    }
    let Scratch { linear, vote, bayes, logarithm, named, .. } = scratch;
    if wants.rule(Slot::Vote) {
        named.count(simd, pool, one, vote, |terms| terms.offset);
    }
    if wants.linear && wants.rule(Slot::Vote) {
        linear.copy_from_slice(vote);
    } else if wants.linear {
        named.count(simd, pool, one, linear, |terms| terms.offset);
    }
    if wants.rule(Slot::BayesianAverage) {
        named.count(simd, pool, one, bayes, |terms| terms.prior * terms.offset);
    }
    if wants.logarithm {
        named.count(simd, pool, zero - low(simd, wants), logarithm, |terms| terms.offset);
    }
    true
}

/// The sums of a tile where every source names a class.
#[inline(always)]
pub(super) fn steady<S: Simd>(simd: S, pool: &Pool, wants: Wants) -> Sums<S> {
    let mut sums = Sums::steady(simd, pool, wants, 1.0);
    if wants.logarithm {
        for terms in &pool.sources {
            sums.base.logarithm = low(simd, wants).mul_add(terms.offset, sums.base.logarithm);
        }
    }
    sums
}

/// The logarithm of a class that is not named; that of the one named is 0.
#[inline(always)]
fn low<S: Simd>(simd: S, wants: Wants) -> f32x16<S> {
    clamped_ln(simd, wants, f32x16::splat(simd, 0.0))
}

/// The sums of a tile where some source names no class; whether none names what is neither class nor code.
#[inline(never)]
fn sparse<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    tile: Tile,
    sums: &mut Sums<S>,
) -> bool {
    simd.vectorize(
        #[inline(always)]
        || {
            let (zero, all) = (f32x16::splat(simd, 0.0), mask32x16::splat(simd, true));
            *sums = Sums::start(simd, pool, wants, None);
            for (source, terms) in pool.sources.iter().enumerate() {
                let Some(labels) = labels(simd, evidence, source, tile, all) else { return false };
                if (labels.given & !labels.valid).any_true() {
                    return false;
                }
                sums.present |= labels.valid;
                sums.abstained |= labels.abstained;
                let counts = |x: f32| labels.valid.select(f32x16::splat(simd, x), zero);
                let (w, prior) = (counts(terms.offset), counts(terms.prior));
                sums.add_weight(wants, &Weight { w, prior, r: prior * w });
                if wants.logarithm {
                    sums.base.logarithm = low(simd, wants).mul_add(w, sums.base.logarithm);
                }
            }
            true
        },
    )
}

/// What the sources of a tile name, one entry each.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// The label.
    class: Vec<Lanes>,
    /// What it is worth.
    value: Vec<Lanes>,
}

impl Named {
    pub(super) fn of(sources: usize) -> Self {
        Self { class: vec![Lanes::ZERO; sources], value: vec![Lanes::ZERO; sources] }
    }

    /// Of each class, the sum of value times `factor` over the sources that name it, in their order.
    #[inline(always)]
    fn count<S: Simd>(
        &mut self,
        simd: S,
        pool: &Pool,
        factor: f32x16<S>,
        sums: &mut [Lanes],
        value: impl Fn(&SourceTerms) -> f32,
    ) {
        for (worth, terms) in self.value.iter_mut().zip(&pool.sources) {
            (factor * value(terms)).store_array(&mut worth.0);
        }
        let zero = f32x16::splat(simd, 0.0);
        let entries = self.class.iter().zip(&self.value);
        // A few classes are passed over whole, two together; of many, each item picks its own.
        if sums.len() <= LANES {
            let (mut k, mut pairs) = (zero, sums.chunks_exact_mut(2));
            for pair in &mut pairs {
                let (mut even, mut odd) = (zero, zero);
                let next = k + 1.0;
                for (class, value) in entries.clone() {
                    even += worth(simd, class, value, k);
                    odd += worth(simd, class, value, next);
                }
                even.store_array(&mut pair[0].0);
                odd.store_array(&mut pair[1].0);
                k = next + 1.0;
            }
            if let [last] = pairs.into_remainder() {
                let mut total = zero;
                for (class, value) in entries {
                    total += worth(simd, class, value, k);
                }
                total.store_array(&mut last.0);
            }
        } else {
            sums.fill(Lanes::ZERO);
            for (class, value) in entries {
                let class = f32x16::load_array_ref(simd, &class.0);
                let is_class = class.simd_lt(sums.len() as f32);
                let value = is_class.select(f32x16::load_array_ref(simd, &value.0), zero);
                add_votes(simd, sums, is_class.select(class, zero), value);
            }
        }
    }
}

/// The value where the class is `k`. Whole numbers are compared by their bits: that mask needs no widening.
#[inline(always)]
fn worth<S: Simd>(simd: S, class: &Lanes, value: &Lanes, k: f32x16<S>) -> f32x16<S> {
    let class: u32x16<S> = f32x16::load_array_ref(simd, &class.0).bitcast();
    let value = f32x16::load_array_ref(simd, &value.0);
    class.simd_eq(k.bitcast::<u32x16<S>>()).select(value, f32x16::splat(simd, 0.0))
}
