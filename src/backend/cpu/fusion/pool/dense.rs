//! Whole tiles of f32 rows, every one of them there and valid, of sources whose weights do not depend on what they say:
//! most tiles of most problems. The sums are those of [`accumulate`](super::accumulate), to the bit, without its masks;
//! a tile that turns out otherwise is left to it.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::add::{add_scaled, add_votes, clamped_ln};
use crate::backend::cpu::fusion::pool::decode::{Read, entropy, logarithms, read};
use crate::backend::cpu::fusion::pool::forms::{Decoding, whole_rows};
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::transpose::Lanes;
use crate::kernel::fusion::pool::{Pool, Slot};
use crate::tensor::Evidence;

/// Runs over all sources, from the sums that are the same for all such tiles; answers whether the tile was what this is for.
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
    *sums = *steady;
    scratch.clear();
    for (source, terms) in pool.sources.iter().enumerate() {
        let Some(rows) = whole_rows(evidence, source, tile) else { return false };
        let Scratch { p, ln: logs, kept, linear, vote, bayes, logarithm, .. } = scratch;
        let (p, logs) = kept.place(source, p, logs);
        let decoding = Decoding::of(pool.forms[source]);
        let Read { largest, class, possible, near, .. } = read(simd, wants, decoding, rows, p, logs);
        if !(possible & near).all_true() {
            return false;
        }
        let w = f32x16::splat(simd, terms.offset);
        let r = f32x16::splat(simd, terms.prior) * w * largest;
        if wants.rule(Slot::Vote) {
            add_votes(simd, vote, class, w);
        }
        if wants.linear {
            add_scaled(simd, linear, p, w);
        }
        if wants.rule(Slot::BayesianAverage) {
            sums.bayes += r;
            add_scaled(simd, bayes, p, r);
        }
        if wants.entropy || (wants.ln && wants.contributions) {
            if !decoding.has_logarithms() {
                logarithms(simd, p, logs);
            }
            if wants.entropy {
                sums.entropy = entropy(simd, p, logs).mul_add(w, sums.entropy);
            }
            add_clamped(simd, wants, logarithm, logs, w);
        } else if decoding.has_logarithms() {
            add_clamped(simd, wants, logarithm, logs, w);
        } else {
            add_logarithms(simd, wants, logarithm, p, w);
        }
        if wants.contributions {
            kept.keep_terms(source, w, r, largest, class);
        }
    }
    true
}

/// sums += logs * weight, the logarithms clamped to [ln eps, 0] as their rules take them, and left so.
#[inline(always)]
fn add_clamped<S: Simd>(simd: S, wants: Wants, sums: &mut [Lanes], logs: &mut [Lanes], weight: f32x16<S>) {
    for (sum, log) in sums.iter_mut().zip(logs) {
        let clamped = f32x16::load_array_ref(simd, &log.0).max(wants.ln_floor).min(0.0);
        clamped.store_array(&mut log.0);
        clamped.mul_add(weight, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
    }
}

/// The same of probabilities, whose logarithms nothing else asks for.
#[inline(always)]
fn add_logarithms<S: Simd>(simd: S, wants: Wants, sums: &mut [Lanes], p: &[Lanes], weight: f32x16<S>) {
    for (sum, p) in sums.iter_mut().zip(p) {
        let clamped = clamped_ln(simd, wants, f32x16::load_array_ref(simd, &p.0));
        clamped.mul_add(weight, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
    }
}
