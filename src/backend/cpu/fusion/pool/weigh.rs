//! What one source counts, per item.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::consensus;
use crate::backend::cpu::fusion::pool::decode::Opinion;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::numbers::pow;
use crate::kernel::fusion::pool::{By, Pool, SourceTerms, WEIGHT_FLOOR};

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

    /// Where any of it applies.
    #[inline(always)]
    pub(super) fn lanes(&self) -> mask32x16<S> {
        self.to_prior | self.to_one | self.bayes
    }
}

/// w, pi and r of one source; zero where it is absent.
pub(super) struct Weight<S: Simd> {
    pub w: f32x16<S>,
    pub prior: f32x16<S>,
    pub r: f32x16<S>,
}

impl<S: Simd> Weight<S> {
    /// `given` is the confidence that came with the opinion, `confidence` c.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
    pub(super) fn of(
        simd: S,
        pool: &Pool,
        wants: Wants,
        terms: &SourceTerms,
        opinion: &Opinion<S>,
        given: Option<f32x16<S>>,
        confidence: f32x16<S>,
        fallback: Option<Fallback<S>>,
        scratch: &Scratch,
    ) -> Self {
        let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
        let prior = f32x16::splat(simd, terms.prior);
        let mut w = f32x16::splat(simd, terms.offset);
        if terms.scale != 0.0 {
            let measure = match (pool.by, given) {
                (By::Hellinger | By::JensenShannon, _) => {
                    one / (consensus::distance(simd, pool.by, scratch, opinion) * pool.steepness + 1.0)
                }
                (_, Some(given)) => given,
                (By::Max, None) => confidence,
                (By::Margin, None) if pool.classes > 1 => opinion.largest - opinion.second,
                (By::Entropy, None) if pool.classes > 1 => {
                    (one - opinion.entropy * wants.inverse_ln_classes).max(0.0).min(1.0)
                }
                (By::Margin | By::Entropy, None) => one,
            };
            w = pow(simd, measure, pool.gamma).mul_add(terms.scale, w);
        }
        if let Some(fallback) = fallback {
            w = fallback.to_one.select(one, fallback.to_prior.select(prior, w));
        }
        let mut r = prior * w * confidence;
        if let Some(fallback) = fallback {
            r = fallback.bayes.select(w, r);
        }
        let valid = |x: f32x16<S>| opinion.valid.select(x, zero);
        Self { w: valid(w), prior: valid(prior), r: valid(r) }
    }
}
