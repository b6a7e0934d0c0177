//! What each source did for the decision against its runner-up.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::decode::argmax;
use crate::backend::cpu::fusion::pool::finish::tie_broken;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::numbers::ln;
use crate::backend::cpu::transpose::{LANES, Lanes};
use crate::kernel::fusion::pool::{PRIOR_FLOOR, Pool, Slot, WEIGHT_FLOOR};
use crate::tensor::FusedMut;

/// One class of each item of a tile.
type Classes = [usize; LANES];

/// Writes them, for the posterior before tempering in `Scratch::p`.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
pub(super) fn contributions<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    tile: Tile,
    sums: &Sums<S>,
    per_weight: f32x16<S>,
    scratch: &Scratch,
    out: &mut FusedMut<'_>,
    at: usize,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let n = pool.sources.len();
            let rows = &mut out.contributions[at * n..(at + tile.len) * n];
            if pool.classes == 1 {
                rows.fill(0.0);
                return;
            }
            let (largest, mut decision) = argmax(simd, &scratch.p);
            if pool.is_vote_alone() {
                decision = tie_broken(simd, &scratch.p, &scratch.linear, largest);
            }
            let runner_up = runner_up(simd, &scratch.p, decision);
            let d: Classes = decision.to_array().map(|class| class as usize);
            let r: Classes = runner_up.to_array().map(|class| class as usize);
            let zero = f32x16::splat(simd, 0.0);
            let scale = if pool.rules() & Slot::ARITHMETIC != 0 {
                let (a, b) = (at_class(simd, &scratch.p, &d), at_class(simd, &scratch.p, &r));
                per_logarithmic_mean(simd, a.max(pool.log_floor), b.max(pool.log_floor)) / sums.mixture
            } else {
                f32x16::splat(simd, 1.0)
            };
            let scale = sums.present.select(scale * pool.inverse_temperature, zero);
            let gather = Gather { pool, wants, scratch, d, r, decision, runner_up, per_weight };
            for source in 0..n {
                let term = if pool.rules() & Slot::ARITHMETIC != 0 {
                    gather.arithmetic(simd, source, sums)
                } else {
                    gather.logarithmic(simd, source)
                };
                let answer = f32x16::load_array_ref(simd, &scratch.kept.vote[source].0);
                // To abstain is evidence to confusion matrices only.
                let abstained = answer.simd_eq(pool.classes as f32);
                let absent =
                    if wants.rule(Slot::Confusion) { answer.simd_lt(0.0) } else { answer.simd_lt(0.0) | abstained };
                let values = absent.select(zero, term * scale).to_array();
                for (item, value) in values[..tile.len].iter().enumerate() {
                    rows[item * n + source] = *value;
                }
            }
        },
    )
}

/// What the terms of all sources are read with.
struct Gather<'a, S: Simd> {
    pool: &'a Pool,
    wants: Wants,
    scratch: &'a Scratch,
    d: Classes,
    r: Classes,
    decision: f32x16<S>,
    runner_up: f32x16<S>,
    per_weight: f32x16<S>,
}

impl<S: Simd> Gather<'_, S> {
    /// The difference of one source's terms of the posterior.
    #[inline(always)]
    fn arithmetic(&self, simd: S, source: usize, sums: &Sums<S>) -> f32x16<S> {
        let (pool, scratch, zero) = (self.pool, self.scratch, f32x16::splat(simd, 0.0));
        let (terms, kept) = (&pool.sources[source], &scratch.kept);
        let load = |lanes: &[Lanes]| f32x16::load_array_ref(simd, &lanes[source].0);
        let (w, r, c, vote) = (load(&kept.weight), load(&kept.bayes), load(&kept.confidence), load(&kept.vote));
        let inverse = |sum: f32x16<S>| sum.simd_gt(0.0).select(1.0 / sum, zero);
        // By what factor the source's row, or its vote, counts in the posterior: through w, r, or neither.
        let mut by_weight = w * (self.per_weight * pool.share(Slot::Linear));
        let by_vote = w * (self.per_weight * pool.share(Slot::Vote));
        let by_r = r * inverse(sums.bayes) * pool.share(Slot::BayesianAverage);
        let is_most = w.simd_gt(0.0) & c.simd_eq(sums.most_confident);
        let by_most = is_most.select(w, zero) * inverse(sums.most_confident_weight) * pool.share(Slot::MaxVote);
        let mut by_row = zero;
        if self.wants.rule(Slot::Belief) {
            let base = sums.belief_base + WEIGHT_FLOOR;
            by_row += inverse(sums.belief + base) * (terms.belief * pool.share(Slot::Belief));
        }
        if self.wants.rule(Slot::Adaptive) {
            let nothing = sums.learned.simd_lt(WEIGHT_FLOOR);
            let share = pool.share(Slot::Adaptive);
            by_weight += nothing.select(w * (self.per_weight * share), zero);
            by_row += nothing.select(zero, inverse(sums.learned) * (terms.learned * share));
        }
        let at = |classes: &Classes, class: f32x16<S>| {
            let p = at_class(simd, kept.p(source), classes);
            let voted = vote.simd_eq(class).select(f32x16::splat(simd, 1.0), zero);
            if pool.class_weights.is_empty() {
                return (by_weight + by_row + by_r + by_most) * p + by_vote * voted;
            }
            let factor = self.factor(simd, source, classes);
            let of = |each: &[Lanes], total: f32x16<S>| {
                if each.is_empty() { zero } else { factor * total * inverse(at_class(simd, each, classes)) }
            };
            let of_weight = of(&scratch.class_weight, sums.weight);
            let of_r = of(&scratch.class_bayes, sums.bayes);
            let of_most = of(&scratch.class_most, sums.most_confident_weight);
            (by_weight * of_weight + by_row + by_r * of_r + by_most * of_most) * p + by_vote * of_weight * voted
        };
        at(&self.d, self.decision) - at(&self.r, self.runner_up)
    }

    /// The difference of one source's terms of the posterior's logarithm.
    #[inline(always)]
    fn logarithmic(&self, simd: S, source: usize) -> f32x16<S> {
        let (pool, scratch, zero) = (self.pool, self.scratch, f32x16::splat(simd, 0.0));
        let terms = &pool.sources[source];
        if self.wants.rule(Slot::Confusion) {
            let tables = &pool.confusion[source * (pool.classes + 1) * pool.classes..];
            let answers = scratch.kept.vote[source].0;
            return f32x16::from_fn(simd, |i| {
                let row = if answers[i] < 0.0 { 0 } else { answers[i] as usize * pool.classes };
                tables[row + self.d[i]] - tables[row + self.r[i]]
            });
        }
        let logs = scratch.kept.ln(source);
        if self.wants.rule(Slot::Stacked) {
            let matrix = &pool.stack[source * pool.classes * pool.classes..];
            let mut sum = zero;
            for (row, log) in matrix.chunks_exact(pool.classes).zip(logs) {
                let apart = f32x16::from_fn(simd, |i| row[self.d[i]] - row[self.r[i]]);
                sum = apart.mul_add(f32x16::load_array_ref(simd, &log.0), sum);
            }
            return sum;
        }
        let (d, r) = (at_class(simd, logs, &self.d), at_class(simd, logs, &self.r));
        if self.wants.rule(Slot::Evidence) {
            return (d - r) * terms.exponent - f32x16::from_fn(simd, |i| self.prior_odds(i)) * terms.exponent;
        }
        let exponent = if self.wants.rule(Slot::Extremised) { pool.extremise } else { 1.0 };
        let w = f32x16::load_array_ref(simd, &scratch.kept.weight[source].0) * exponent;
        if pool.class_weights.is_empty() {
            return w * self.per_weight * (d - r);
        }
        let at = |classes: &Classes, log: f32x16<S>| {
            w * self.factor(simd, source, classes) / at_class(simd, &scratch.class_weight, classes) * log
        };
        at(&self.d, d) - at(&self.r, r)
    }

    /// ln rho_d / rho_r of one item.
    fn prior_odds(&self, item: usize) -> f32 {
        let ln = |class: usize| self.pool.class_prior[class].max(PRIOR_FLOOR).ln();
        ln(self.d[item]) - ln(self.r[item])
    }

    fn factor(&self, simd: S, source: usize, classes: &Classes) -> f32x16<S> {
        let factors = &self.pool.class_weights[source * self.pool.classes..];
        f32x16::from_fn(simd, |i| factors[classes[i]])
    }
}

/// The value of each item at its own class.
#[inline(always)]
fn at_class<S: Simd>(simd: S, values: &[Lanes], classes: &Classes) -> f32x16<S> {
    f32x16::from_fn(simd, |item| values[classes[item]].0[item])
}

/// The lowest class of largest value among the others than `class`.
#[inline(always)]
fn runner_up<S: Simd>(simd: S, p: &[Lanes], class: f32x16<S>) -> f32x16<S> {
    let mut best = f32x16::splat(simd, -1.0);
    let mut found = f32x16::splat(simd, 0.0);
    let mut k = found;
    for p in p {
        let p = f32x16::load_array_ref(simd, &p.0);
        let more = !k.simd_eq(class) & p.simd_gt(best);
        best = more.select(p, best);
        found = more.select(k, found);
        k += 1.0;
    }
    found
}

/// (ln a - ln b) / (a - b), by its series where a and b are near.
#[inline(always)]
fn per_logarithmic_mean<S: Simd>(simd: S, a: f32x16<S>, b: f32x16<S>) -> f32x16<S> {
    let (sum, apart) = (a + b, a - b);
    let u = apart / sum;
    let u2 = u * u;
    let mut series = f32x16::splat(simd, 1.0 / 9.0);
    for c in [1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0] {
        series = series.mul_add(u2, c);
    }
    let near = u.abs().simd_lt(0.25);
    let apart = near.select(f32x16::splat(simd, 1.0), apart);
    near.select(series * 2.0 / sum, (ln(simd, a) - ln(simd, b)) / apart)
}
