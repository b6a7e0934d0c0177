//! What each source did for the decision against its runner-up.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, u32x16};

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::decode::argmax;
use crate::backend::cpu::fusion::pool::finish::tie_broken;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::numbers::ln;
use crate::backend::cpu::transpose::{LANES, Lanes, to_rows};
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
    scratch: &mut Scratch,
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
            let (d, r) = (indices(decision), indices(runner_up));
            let zero = f32x16::splat(simd, 0.0);
            let scale = if pool.rules() & Slot::ARITHMETIC != 0 {
                let (a, b) = (at_class(simd, &scratch.p, &d), at_class(simd, &scratch.p, &r));
                per_logarithmic_mean(simd, a.max(pool.log_floor), b.max(pool.log_floor)) / sums.mixture
            } else {
                f32x16::splat(simd, 1.0)
            };
            let scale = sums.present.select(scale * pool.inverse_temperature, zero);
            let mut prior_odds = [0.0; LANES];
            if wants.rule(Slot::Evidence) {
                for (odds, (&d, &r)) in prior_odds.iter_mut().zip(d.iter().zip(&r)) {
                    let ln = |class: usize| pool.class_prior[class].max(PRIOR_FLOOR).ln();
                    *odds = ln(d) - ln(r);
                }
            }
            let gather = Gather { pool, wants, d, r, decision, runner_up, per_weight, prior_odds };
            let is_arithmetic = pool.rules() & Slot::ARITHMETIC != 0;
            let counts = Counts::of(simd, pool, wants, sums, per_weight);
            for source in 0..n {
                let term = if is_arithmetic {
                    gather.arithmetic(simd, source, scratch, sums, &counts)
                } else {
                    gather.logarithmic(simd, source, scratch)
                };
                let answer = f32x16::load_array_ref(simd, &scratch.kept.vote[source].0);
                // To abstain is evidence to confusion matrices only.
                let abstained = answer.simd_eq(pool.classes as f32);
                let absent =
                    if wants.rule(Slot::Confusion) { answer.simd_lt(0.0) } else { answer.simd_lt(0.0) | abstained };
                absent.select(zero, term * scale).store_array(&mut scratch.kept.term[source].0);
            }
            if tile.len == LANES {
                to_rows(simd, &scratch.kept.term, rows);
            } else {
                for (item, row) in rows.chunks_exact_mut(n).enumerate() {
                    for (value, term) in row.iter_mut().zip(&scratch.kept.term) {
                        *value = term.0[item];
                    }
                }
            }
        },
    )
}

/// By what factor sources count in the posterior of arithmetic rules: through w, the vote with w, r, w of the most
/// confident, and what belief and learning make of them.
struct Counts<S: Simd> {
    weight: f32x16<S>,
    vote: f32x16<S>,
    bayes: f32x16<S>,
    most: f32x16<S>,
    belief: f32x16<S>,
    learned: f32x16<S>,
}

impl<S: Simd> Counts<S> {
    #[inline(always)]
    fn of(simd: S, pool: &Pool, wants: Wants, sums: &Sums<S>, per_weight: f32x16<S>) -> Self {
        let zero = f32x16::splat(simd, 0.0);
        let mut counts = Self {
            weight: per_weight * pool.share(Slot::Linear),
            vote: per_weight * pool.share(Slot::Vote),
            bayes: inverse(simd, sums.bayes) * pool.share(Slot::BayesianAverage),
            most: inverse(simd, sums.most_confident_weight) * pool.share(Slot::MaxVote),
            belief: zero,
            learned: zero,
        };
        if wants.rule(Slot::Belief) {
            let base = sums.belief_base + WEIGHT_FLOOR;
            counts.belief = inverse(simd, sums.belief + base) * pool.share(Slot::Belief);
        }
        if wants.rule(Slot::Adaptive) {
            let nothing = sums.learned.simd_lt(WEIGHT_FLOOR);
            let share = pool.share(Slot::Adaptive);
            counts.weight += nothing.select(per_weight * share, zero);
            counts.learned = nothing.select(zero, inverse(simd, sums.learned) * share);
        }
        counts
    }
}

/// 1 / sum; 0 for 0.
#[inline(always)]
fn inverse<S: Simd>(simd: S, sum: f32x16<S>) -> f32x16<S> {
    sum.simd_gt(0.0).select(1.0 / sum, f32x16::splat(simd, 0.0))
}

/// What the terms of all sources are read with.
struct Gather<'a, S: Simd> {
    pool: &'a Pool,
    wants: Wants,
    d: Classes,
    r: Classes,
    decision: f32x16<S>,
    runner_up: f32x16<S>,
    per_weight: f32x16<S>,
    /// ln rho_d / rho_r, where the rule asks.
    prior_odds: [f32; LANES],
}

impl<S: Simd> Gather<'_, S> {
    /// The difference of one source's terms of the posterior.
    #[inline(always)]
    fn arithmetic(&self, simd: S, source: usize, scratch: &Scratch, sums: &Sums<S>, counts: &Counts<S>) -> f32x16<S> {
        let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
        let (pool, kept) = (self.pool, &scratch.kept);
        let (w, vote) = (lanes(simd, &kept.weight, source), lanes(simd, &kept.vote, source));
        let terms = &pool.sources[source];
        // What its row counts, by w, by r, by w of the most confident, and whatever it says.
        let by_weight = w * counts.weight;
        let by_vote = w * counts.vote;
        let (mut by_r, mut by_most) = (zero, zero);
        if self.wants.rule(Slot::BayesianAverage) {
            by_r = lanes(simd, &kept.bayes, source) * counts.bayes;
        }
        if self.wants.rule(Slot::MaxVote) {
            let is_most = w.simd_gt(0.0) & lanes(simd, &kept.confidence, source).simd_eq(sums.most_confident);
            by_most = is_most.select(w, zero) * counts.most;
        }
        let by_row = counts.belief * terms.belief + counts.learned * terms.learned;
        let (at_d, at_r) = (at_class(simd, kept.p(source), &self.d), at_class(simd, kept.p(source), &self.r));
        let (is_d, is_r) =
            (vote.simd_eq(self.decision).select(one, zero), vote.simd_eq(self.runner_up).select(one, zero));
        if pool.class_weights.is_empty() {
            return (by_weight + by_row + by_r + by_most) * (at_d - at_r) + by_vote * (is_d - is_r);
        }
        let mut apart = zero;
        for (classes, p, is, sign) in [(&self.d, at_d, is_d, 1.0), (&self.r, at_r, is_r, -1.0)] {
            let factor = self.factor(simd, source, classes) * sign;
            let weight = factor * share_of(simd, &scratch.class_weight, sums.weight, classes);
            let bayes = factor * share_of(simd, &scratch.class_bayes, sums.bayes, classes);
            let most = factor * share_of(simd, &scratch.class_most, sums.most_confident_weight, classes);
            apart += (by_weight * weight + by_row * sign + by_r * bayes + by_most * most) * p + by_vote * weight * is;
        }
        apart
    }

    /// The difference of one source's terms of the posterior's logarithm.
    #[inline(always)]
    fn logarithmic(&self, simd: S, source: usize, scratch: &Scratch) -> f32x16<S> {
        let (pool, zero) = (self.pool, f32x16::splat(simd, 0.0));
        let terms = &pool.sources[source];
        if self.wants.rule(Slot::Confusion) {
            let tables = &pool.confusion[source * (pool.classes + 1) * pool.classes..];
            let mut values = [0.0; LANES];
            for (i, answer) in scratch.kept.vote[source].0.into_iter().enumerate() {
                let row = if answer < 0.0 { 0 } else { answer as usize * pool.classes };
                values[i] = tables[row + self.d[i]] - tables[row + self.r[i]];
            }
            return f32x16::load_array(simd, values);
        }
        let logs = scratch.kept.ln(source);
        if self.wants.rule(Slot::Stacked) {
            let matrix = &pool.stack[source * pool.classes * pool.classes..];
            let mut sum = zero;
            for (row, log) in matrix.chunks_exact(pool.classes).zip(logs) {
                let mut apart = [0.0; LANES];
                for i in 0..LANES {
                    apart[i] = row[self.d[i]] - row[self.r[i]];
                }
                let apart = f32x16::load_array(simd, apart);
                sum = apart.mul_add(f32x16::load_array_ref(simd, &log.0), sum);
            }
            return sum;
        }
        let (d, r) = (at_class(simd, logs, &self.d), at_class(simd, logs, &self.r));
        if self.wants.rule(Slot::Evidence) {
            return (d - r - f32x16::load_array_ref(simd, &self.prior_odds)) * terms.exponent;
        }
        let exponent = if self.wants.rule(Slot::Extremised) { pool.extremise } else { 1.0 };
        let w = lanes(simd, &scratch.kept.weight, source) * exponent;
        if pool.class_weights.is_empty() {
            return w * self.per_weight * (d - r);
        }
        let mut apart = zero;
        for (classes, log, sign) in [(&self.d, d, 1.0), (&self.r, r, -1.0)] {
            let factor = self.factor(simd, source, classes) * sign;
            apart += w * factor / at_class(simd, &scratch.class_weight, classes) * log;
        }
        apart
    }

    #[inline(always)]
    fn factor(&self, simd: S, source: usize, classes: &Classes) -> f32x16<S> {
        let factors = &self.pool.class_weights[source * self.pool.classes..];
        let mut values = [0.0; LANES];
        for (value, &class) in values.iter_mut().zip(classes) {
            *value = factors[class];
        }
        f32x16::load_array(simd, values)
    }
}

#[inline(always)]
fn indices<S: Simd>(class: f32x16<S>) -> Classes {
    let mut indices = [0; LANES];
    let class: u32x16<S> = class.to_int();
    for (index, class) in indices.iter_mut().zip(class.to_array()) {
        *index = class as usize;
    }
    indices
}

/// The lanes of one source.
#[inline(always)]
fn lanes<S: Simd>(simd: S, each: &[Lanes], source: usize) -> f32x16<S> {
    f32x16::load_array_ref(simd, &each[source].0)
}

/// The value of each item at its own class.
#[inline(always)]
fn at_class<S: Simd>(simd: S, of: &[Lanes], classes: &Classes) -> f32x16<S> {
    let mut values = [0.0; LANES];
    for item in 0..LANES {
        values[item] = of[classes[item]].0[item];
    }
    f32x16::load_array(simd, values)
}

/// total over its own class's part of it; 0 where no part is kept.
#[inline(always)]
fn share_of<S: Simd>(simd: S, each: &[Lanes], total: f32x16<S>, classes: &Classes) -> f32x16<S> {
    if each.is_empty() { f32x16::splat(simd, 0.0) } else { total * inverse(simd, at_class(simd, each, classes)) }
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
