//! The sums over sources of one tile.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::fusion::pool::decode::{Rows, decode};
use crate::backend::cpu::fusion::pool::{Scratch, Tile, Wants};
use crate::backend::cpu::numbers::pow;
use crate::backend::cpu::transpose::{LANES, Lanes};
use crate::kernel::fusion::pool::{Pool, SQUARE_SCALE, SourceTerms, WEIGHT_FLOOR};
use crate::spec::OnInvalid;
use crate::tensor::Evidence;

/// The sums that have no class; those that do are in [`Scratch`].
pub(super) struct Sums<S: Simd> {
    /// One bit per item with an opinion that is invalid and not mended.
    pub invalid: u64,
    /// Whether any source is present.
    pub present: mask32x16<S>,
    /// Where an invalid opinion was left out, where a row was divided by its sum, where weights fell back.
    pub left_out: mask32x16<S>,
    pub mended: mask32x16<S>,
    pub fell_back: mask32x16<S>,
    /// sum w, sum (`SQUARE_SCALE` w)^2, sum pi, sum r, sum w H(p).
    pub weight: f32x16<S>,
    pub weight_squared: f32x16<S>,
    pub prior: f32x16<S>,
    pub bayes: f32x16<S>,
    pub entropy: f32x16<S>,
    /// The largest confidence of a source that counts, and sum w over the sources that have it.
    pub most_confident: f32x16<S>,
    pub most_confident_weight: f32x16<S>,
}

/// Which lanes take other weights, since an earlier pass came to nothing.
#[derive(Clone, Copy)]
pub(super) struct Fallback<S: Simd> {
    /// w = pi.
    to_prior: mask32x16<S>,
    /// w = 1, since the priors come to nothing too.
    to_one: mask32x16<S>,
    /// r = w.
    bayes: mask32x16<S>,
}

impl<S: Simd> Fallback<S> {
    /// What a pass with the fallback given asks for in another pass, if anything. There are three passes at most: weights
    /// that fell back come to something, and so does r once it is w.
    #[inline(always)]
    pub(super) fn after(simd: S, sums: &Sums<S>, last: Option<Self>) -> Option<Self> {
        let nothing = |sum: f32x16<S>| sums.present & sum.simd_lt(WEIGHT_FLOOR);
        let weightless = nothing(sums.weight);
        // Sum r stays at one where no Bayesian average is wanted.
        let bayes = nothing(sums.bayes) & !weightless;
        if !(weightless | bayes).any_true() {
            return None;
        }
        let none = mask32x16::splat(simd, false);
        let last = last.unwrap_or(Self { to_prior: none, to_one: none, bayes: none });
        let to_one = weightless & nothing(sums.prior);
        Some(Self {
            to_prior: last.to_prior | (weightless & !to_one),
            to_one: last.to_one | to_one,
            bayes: last.bayes | bayes,
        })
    }
}

/// Runs over all sources.
#[inline(always)]
pub(super) fn accumulate<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    tile: Tile,
    scratch: &mut Scratch,
    fallback: Option<Fallback<S>>,
) -> Sums<S> {
    let (zero, none) = (f32x16::splat(simd, 0.0), mask32x16::splat(simd, false));
    let mut sums = Sums {
        invalid: 0,
        present: none,
        left_out: none,
        mended: none,
        fell_back: fallback.map_or(none, |f| f.to_prior | f.to_one | f.bayes),
        weight: zero,
        weight_squared: zero,
        prior: zero,
        bayes: if wants.bayes { zero } else { f32x16::splat(simd, 1.0) },
        entropy: zero,
        most_confident: f32x16::splat(simd, -1.0),
        most_confident_weight: zero,
    };
    for sum in
        [&mut scratch.linear, &mut scratch.vote, &mut scratch.max_vote, &mut scratch.bayes, &mut scratch.log_pool]
    {
        sum.fill(Lanes([0.0; LANES]));
    }
    let whole = (1 << tile.len) - 1;
    for (source, terms) in pool.sources.iter().enumerate() {
        let opinions = opinions(evidence, source, tile);
        let present = mask32x16::from_bitmask(simd, opinions);
        let mut rows = read(simd, pool, wants, evidence, source, tile, present, scratch);
        let mut confidence = rows.largest;
        if let Some(given) = evidence.confidence(source) {
            confidence = f32x16::from_fn(simd, |i| given.get(tile.first + i).copied().unwrap_or(0.0));
            rows.valid &= confidence.simd_ge(0.0) & confidence.simd_le(1.0);
            confidence = rows.valid.select(confidence, zero);
        }
        let refused = present & !rows.valid;
        match pool.on_invalid {
            OnInvalid::Missing => sums.left_out |= refused,
            OnInvalid::Error | OnInvalid::Renormalise => sums.invalid |= refused.to_bitmask() & whole,
        }
        sums.mended |= rows.mended;
        sums.present |= rows.valid;
        let weigh = Weigh::of(simd, pool, terms, &rows, confidence, fallback);
        add(simd, wants, &rows, confidence, &weigh, scratch, &mut sums);
    }
    sums
}

/// One bit per item of the tile that the source was asked about.
#[inline(always)]
fn opinions(evidence: &Evidence<'_>, source: usize, tile: Tile) -> u64 {
    match evidence.presence(source) {
        None => (1 << tile.len) - 1,
        Some(presence) => {
            let flags = &presence[tile.first..tile.first + tile.len];
            flags.iter().enumerate().fold(0, |bits, (i, &present)| bits | u64::from(present) << i)
        }
    }
}

/// The source's rows of the tile; a tile of fewer than sixteen items is filled up, with rows that are not present.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
fn read<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    source: usize,
    tile: Tile,
    present: mask32x16<S>,
    scratch: &mut Scratch,
) -> Rows<S> {
    let rows = &evidence.plane(source)[tile.first * pool.classes..][..tile.len * pool.classes];
    if tile.len == LANES {
        return decode(simd, pool, wants, rows, present, scratch);
    }
    let mut filled = std::mem::take(&mut scratch.rows);
    filled[..rows.len()].copy_from_slice(rows);
    filled[rows.len()..].fill(0.0);
    let rows = decode(simd, pool, wants, &filled, present, scratch);
    scratch.rows = filled;
    rows
}

/// What one source counts, per item.
struct Weigh<S: Simd> {
    weight: f32x16<S>,
    prior: f32x16<S>,
    bayes: f32x16<S>,
}

impl<S: Simd> Weigh<S> {
    #[inline(always)]
    fn of(
        simd: S,
        pool: &Pool,
        terms: &SourceTerms,
        rows: &Rows<S>,
        confidence: f32x16<S>,
        fallback: Option<Fallback<S>>,
    ) -> Self {
        let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
        let prior = f32x16::splat(simd, terms.prior);
        let mut weight = f32x16::splat(simd, terms.offset);
        if terms.scale != 0.0 {
            weight = pow(simd, confidence, pool.gamma).mul_add(terms.scale, weight);
        }
        if let Some(fallback) = fallback {
            weight = fallback.to_one.select(one, fallback.to_prior.select(prior, weight));
        }
        let mut bayes = prior * weight * confidence;
        if let Some(fallback) = fallback {
            bayes = fallback.bayes.select(weight, bayes);
        }
        let valid = |x: f32x16<S>| rows.valid.select(x, zero);
        Self { weight: valid(weight), prior: valid(prior), bayes: valid(bayes) }
    }
}

#[inline(always)]
fn add<S: Simd>(
    simd: S,
    wants: Wants,
    rows: &Rows<S>,
    confidence: f32x16<S>,
    weigh: &Weigh<S>,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) {
    let Scratch { p, ln, linear, vote, max_vote, bayes, log_pool, .. } = scratch;
    let weight = weigh.weight;
    sums.weight += weight;
    let scaled = weight * SQUARE_SCALE;
    sums.weight_squared = scaled.mul_add(scaled, sums.weight_squared);
    sums.prior += weigh.prior;
    if wants.linear {
        add_scaled(simd, linear, p, weight);
    }
    if wants.vote {
        add_votes(simd, vote, rows.class, weight);
    }
    if wants.max_vote {
        let counts = weight.simd_gt(0.0);
        let more = counts & confidence.simd_gt(sums.most_confident);
        let as_much = counts & confidence.simd_ge(sums.most_confident);
        let zero = f32x16::splat(simd, 0.0);
        let (keep, take) = (more.select(zero, f32x16::splat(simd, 1.0)), as_much.select(weight, zero));
        for (sum, p) in max_vote.iter_mut().zip(p.iter()) {
            let kept = f32x16::load_array_ref(simd, &sum.0) * keep;
            f32x16::load_array_ref(simd, &p.0).mul_add(take, kept).store_array(&mut sum.0);
        }
        sums.most_confident_weight = sums.most_confident_weight * keep + take;
        sums.most_confident = more.select(confidence, sums.most_confident);
    }
    if wants.bayes {
        sums.bayes += weigh.bayes;
        add_scaled(simd, bayes, p, weigh.bayes);
    }
    if wants.log_pool {
        // The clamp to [eps, 1] is part of the definition.
        for (sum, log) in log_pool.iter_mut().zip(ln.iter()) {
            let log = f32x16::load_array_ref(simd, &log.0).max(wants.ln_floor).min(0.0);
            log.mul_add(weight, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
        }
    }
    if wants.disagreement {
        sums.entropy = rows.entropy.mul_add(weight, sums.entropy);
    }
}

/// The weight of each item added to the class it votes for.
#[inline(always)]
fn add_votes<S: Simd>(simd: S, votes: &mut [Lanes], class: f32x16<S>, weight: f32x16<S>) {
    // A few classes are passed over whole; of many, sixteen are picked out.
    if votes.len() <= 2 * LANES {
        let zero = f32x16::splat(simd, 0.0);
        let mut k = zero;
        for votes in votes {
            let cast = class.simd_eq(k).select(weight, zero);
            (f32x16::load_array_ref(simd, &votes.0) + cast).store_array(&mut votes.0);
            k += 1.0;
        }
    } else {
        let (class, weight) = (class.to_array(), weight.to_array());
        for item in 0..LANES {
            votes[class[item] as usize].0[item] += weight[item];
        }
    }
}

/// sums += xs * weight.
#[inline(always)]
fn add_scaled<S: Simd>(simd: S, sums: &mut [Lanes], xs: &[Lanes], weight: f32x16<S>) {
    for (sum, x) in sums.iter_mut().zip(xs) {
        let x = f32x16::load_array_ref(simd, &x.0);
        x.mul_add(weight, f32x16::load_array_ref(simd, &sum.0)).store_array(&mut sum.0);
    }
}
