//! The sums over sources of one tile.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::add::add;
use crate::backend::cpu::fusion::pool::decode::{Opinion, decode};
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::fusion::pool::weigh::{Fallback, Weight};
use crate::kernel::fusion::pool::{Pool, SQUARE_SCALE, Slot};
use crate::spec::OnInvalid;
use crate::tensor::Evidence;

/// The sums that have no class; those that do are in [`Scratch`].
#[derive(Clone, Copy)]
pub(super) struct Sums<S: Simd> {
    /// One bit per item with an opinion that is invalid and not mended.
    pub invalid: u64,
    /// Whether any source is present.
    pub present: mask32x16<S>,
    /// Where an invalid opinion was left out, where a row was divided by its sum, where weights fell back, where a source
    /// abstained, where there is no middle.
    pub left_out: mask32x16<S>,
    pub mended: mask32x16<S>,
    pub fell_back: mask32x16<S>,
    pub abstained: mask32x16<S>,
    pub no_middle: mask32x16<S>,
    /// Number of present sources.
    pub count: f32x16<S>,
    /// sum w, sum (`SQUARE_SCALE` w)^2, sum pi, sum r, sum w H(p).
    pub weight: f32x16<S>,
    pub weight_squared: f32x16<S>,
    pub prior: f32x16<S>,
    pub bayes: f32x16<S>,
    pub entropy: f32x16<S>,
    /// The largest confidence of a source that counts, and sum w over the sources that have it.
    pub most_confident: f32x16<S>,
    pub most_confident_weight: f32x16<S>,
    /// sum e; sum ln max(1 - a, eps); sum t and A; sum u.
    pub exponent: f32x16<S>,
    pub frame: f32x16<S>,
    pub belief: f32x16<S>,
    pub belief_base: f32x16<S>,
    pub learned: f32x16<S>,
    /// The sum over classes that the mixture of the rules was divided by.
    pub mixture: f32x16<S>,
    /// What labels added to every class alike, to be added at the end.
    pub base: Base<S>,
}

/// What labels added to every class alike: to the linear pool, the Bayesian average and the mean logarithm.
#[derive(Clone, Copy)]
pub(super) struct Base<S: Simd> {
    pub linear: f32x16<S>,
    pub bayes: f32x16<S>,
    pub logarithm: f32x16<S>,
}

impl<S: Simd> Sums<S> {
    /// Sums of nothing.
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        let (zero, none) = (f32x16::splat(simd, 0.0), mask32x16::splat(simd, false));
        Self {
            invalid: 0,
            present: none,
            left_out: none,
            mended: none,
            fell_back: none,
            abstained: none,
            no_middle: none,
            count: zero,
            weight: zero,
            weight_squared: zero,
            prior: zero,
            bayes: zero,
            entropy: zero,
            most_confident: zero,
            most_confident_weight: zero,
            exponent: zero,
            frame: zero,
            belief: zero,
            belief_base: zero,
            learned: zero,
            mixture: zero,
            base: Base { linear: zero, bayes: zero, logarithm: zero },
        }
    }

    /// Where the sums of a pool begin.
    #[inline(always)]
    pub(super) fn start(simd: S, pool: &Pool, wants: Wants, fallback: Option<Fallback<S>>) -> Self {
        let mut sums = Self::new(simd);
        if let Some(fallback) = fallback {
            sums.fell_back = fallback.lanes();
        }
        if !wants.rule(Slot::BayesianAverage) {
            sums.bayes = f32x16::splat(simd, 1.0);
        }
        sums.most_confident = f32x16::splat(simd, -1.0);
        sums.belief_base = f32x16::splat(simd, pool.belief_constant());
        sums
    }

    /// Those of a tile where every source says something, with one confidence, and counts what it always does.
    #[inline(always)]
    pub(super) fn steady(simd: S, pool: &Pool, wants: Wants, confidence: f32) -> Self {
        let mut sums = Self::start(simd, pool, wants, None);
        sums.present = !sums.present;
        for terms in &pool.sources {
            let (w, prior) = (f32x16::splat(simd, terms.offset), f32x16::splat(simd, terms.prior));
            sums.add_weight(wants, &Weight { w, prior, r: prior * w * confidence });
        }
        sums
    }

    /// Adds what one source counts.
    #[inline(always)]
    pub(super) fn add_weight(&mut self, wants: Wants, weight: &Weight<S>) {
        self.weight += weight.w;
        let scaled = weight.w * SQUARE_SCALE;
        self.weight_squared = scaled.mul_add(scaled, self.weight_squared);
        self.prior += weight.prior;
        if wants.rule(Slot::BayesianAverage) {
            self.bayes += weight.r;
        }
    }
}

/// Runs over all sources.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
pub(super) fn accumulate<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    tile: Tile,
    scratch: &mut Scratch,
    fallback: Option<Fallback<S>>,
    sums: &mut Sums<S>,
) {
    *sums = Sums::start(simd, pool, wants, fallback);
    scratch.clear();
    let zero = f32x16::splat(simd, 0.0);
    let whole = (1 << tile.len) - 1;
    for (source, terms) in pool.sources.iter().enumerate() {
        let given = confidence(simd, evidence, source, tile);
        let mut opinion = decode(simd, pool, wants, evidence, source, tile, given, scratch);
        refuse(&mut opinion, given);
        let c = opinion.valid.select(given.unwrap_or(opinion.largest), zero);
        let refused = opinion.given & !opinion.valid;
        match pool.on_invalid {
            OnInvalid::Missing => sums.left_out |= refused,
            OnInvalid::Error | OnInvalid::Renormalise => sums.invalid |= refused.to_bitmask() & whole,
        }
        sums.mended |= opinion.mended & opinion.valid;
        sums.present |= opinion.valid;
        sums.abstained |= opinion.abstained;
        let given = given.map(|_| c);
        let weight = Weight::of(simd, pool, wants, terms, &opinion, given, c, fallback, scratch);
        add(simd, pool, wants, source, &opinion, c, &weight, scratch, sums);
    }
}

/// The confidences that the source gives of the tile's items.
#[inline(always)]
pub(super) fn confidence<S: Simd>(simd: S, evidence: &Evidence<'_>, source: usize, tile: Tile) -> Option<f32x16<S>> {
    let given = evidence.confidence(source)?;
    Some(f32x16::from_fn(simd, |i| given.get(tile.first + i).copied().unwrap_or(0.0)))
}

/// An opinion whose confidence is no share of one is not valid.
#[inline(always)]
pub(super) fn refuse<S: Simd>(opinion: &mut Opinion<S>, given: Option<f32x16<S>>) {
    if let Some(given) = given {
        opinion.valid &= given.simd_ge(0.0) & given.simd_le(1.0);
    }
}
