//! The gradient of a pool by the numbers of its opinions: `kernel/fusion/gradient.rs` has the formula. Each tile is walked
//! over twice: for the sums over sources that its pull depends on, then to turn the pull into each source's own numbers.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16};

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::accumulate::{Sums, accumulate, confidence, refuse};
use crate::backend::cpu::fusion::pool::decode::{Opinion, decode};
use crate::backend::cpu::fusion::pool::forms::{Decoding, rows};
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Walk, Wants};
use crate::backend::cpu::fusion::pool::weigh::{Fallback, Weight};
use crate::backend::cpu::sum::{BLOCK, Sum};
use crate::backend::cpu::transpose::{LANES, Lanes, to_columns, to_rows};
use crate::kernel::fusion::pool::{Pool, Slot};
use crate::spec::OnInvalid;
use crate::tensor::Evidence;

/// A range of items: what is known of the posterior, [items, C], and where each source's gradient goes, [items, C] each.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Range<'a> {
    pub posterior: &'a [f32],
    /// dF / dP.
    pub upstream: &'a [f32],
    pub planes: Vec<&'a mut [f32]>,
}

impl Range<'_> {
    /// The first `items` items, and the rest.
    pub(in crate::backend::cpu) fn split_at(self, items: usize, classes: usize) -> (Self, Self) {
        let at = items * classes;
        let (posterior, posterior_rest) = self.posterior.split_at(at);
        let (upstream, upstream_rest) = self.upstream.split_at(at);
        let (planes, planes_rest) = self.planes.into_iter().map(|plane| plane.split_at_mut(at)).unzip();
        let rest = Self { posterior: posterior_rest, upstream: upstream_rest, planes: planes_rest };
        (Self { posterior, upstream, planes }, rest)
    }
}

/// The gradients of the items from `first` on that the range has. Answers the lowest one with an invalid opinion, where the
/// policy does not mend it; what is written then means nothing.
pub(in crate::backend::cpu) fn run(
    level: Level,
    pool: &Pool,
    evidence: &Evidence<'_>,
    first: usize,
    range: Range<'_>,
) -> Option<usize> {
    dispatch!(level, simd => tiles(simd, pool, evidence, first, range))
}

#[inline(always)]
fn tiles<S: Simd>(simd: S, pool: &Pool, evidence: &Evidence<'_>, first: usize, mut range: Range<'_>) -> Option<usize> {
    let wants = Wants::of(pool);
    let walk = Walk::of(pool, wants, evidence);
    let mut scratch = Scratch::of(pool, wants, walk);
    // The product of experts has no weights, and where all are present those of a log pool are known.
    let is_known = match walk {
        _ if wants.rule(Slot::Linear) => false,
        _ if wants.rule(Slot::Evidence) => true,
        Walk::Dense | Walk::Tally => pool.on_invalid != OnInvalid::Missing,
        Walk::General => false,
    };
    let known = Sums::steady(simd, pool, wants, 0.0);
    let mut sums = known;
    let mut rows = vec![0.0; LANES * pool.classes];
    let mut columns = Columns::of(pool.classes);
    let items = range.posterior.len() / pool.classes;
    let mut done = 0;
    while done < items {
        let tile = Tile { first: first + done, len: LANES.min(items - done) };
        let values = done * pool.classes..(done + tile.len) * pool.classes;
        let mut fallback = None;
        // Known weights may come to nothing too.
        if !is_known || Fallback::after(simd, &known, None).is_some() && !wants.rule(Slot::Evidence) {
            fallback = sum(simd, pool, wants, evidence, tile, &mut scratch, &mut sums);
        }
        columns.load(simd, &range.posterior[values.clone()], &range.upstream[values.clone()], &mut rows);
        pull(simd, pool, wants, &sums, &scratch, &mut columns);
        for (source, plane) in range.planes.iter_mut().enumerate() {
            let given = confidence(simd, evidence, source, tile);
            let mut opinion = decode(simd, pool, wants, evidence, source, tile, given, &mut scratch);
            refuse(&mut opinion, given);
            let refused = (opinion.given & !opinion.valid).to_bitmask() & ((1 << tile.len) - 1);
            if refused != 0 && pool.on_invalid != OnInvalid::Missing {
                return Some(tile.first + refused.trailing_zeros() as usize);
            }
            let factor = factor(simd, pool, wants, source, &opinion, fallback, &sums, &scratch);
            push(simd, pool, wants, evidence, source, tile, &opinion, factor, &mut scratch, &mut columns);
            let plane = &mut plane[values.clone()];
            if tile.len == LANES {
                to_rows(simd, &columns.out, plane);
            } else {
                to_rows(simd, &columns.out, &mut rows);
                plane.copy_from_slice(&rows[..plane.len()]);
            }
        }
        done += tile.len;
    }
    None
}

/// What a tile's gradient is made of, [C] lanes each.
struct Columns {
    /// P.
    posterior: Vec<Lanes>,
    /// G, and then what every source's gradient is a multiple of: dF / dS_k of a linear pool, else h_k.
    pull: Vec<Lanes>,
    /// x of one source, where it is not p.
    x: Vec<Lanes>,
    /// One source's gradient.
    out: Vec<Lanes>,
}

impl Columns {
    fn of(classes: usize) -> Self {
        let lanes = || vec![Lanes::ZERO; classes];
        Self { posterior: lanes(), pull: lanes(), x: lanes(), out: lanes() }
    }

    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, posterior: &[f32], upstream: &[f32], rows: &mut [f32]) {
        for (values, columns) in [(posterior, &mut self.posterior), (upstream, &mut self.pull)] {
            if values.len() == rows.len() {
                to_columns(simd, values, columns);
            } else {
                rows[values.len()..].fill(0.0);
                rows[..values.len()].copy_from_slice(values);
                to_columns(simd, rows, columns);
            }
        }
    }
}

/// The sums over sources of a tile, and which weights fell back.
#[inline(never)]
fn sum<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    tile: Tile,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) -> Option<Fallback<S>> {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut fallback = None;
            loop {
                accumulate(simd, pool, wants, evidence, tile, scratch, fallback, sums);
                match Fallback::after(simd, sums, fallback) {
                    Some(next) => fallback = Some(next),
                    None => return fallback,
                }
            }
        },
    )
}

/// From G to what every source's gradient is a multiple of.
#[inline(always)]
fn pull<S: Simd>(simd: S, pool: &Pool, wants: Wants, sums: &Sums<S>, scratch: &Scratch, columns: &mut Columns) {
    let one = f32x16::splat(simd, 1.0);
    let mean = dot(simd, &columns.posterior, &columns.pull);
    let inverse_temperature = pool.inverse_temperature;
    if !wants.rule(Slot::Linear) {
        for (pull, p) in columns.pull.iter_mut().zip(&columns.posterior) {
            let pull_k = (f32x16::load_array_ref(simd, &pull.0) - mean) * inverse_temperature;
            (f32x16::load_array_ref(simd, &p.0) * pull_k).store_array(&mut pull.0);
        }
        return;
    }
    // Scratch::linear is W S.
    let weight = sums.present.select(sums.weight, one);
    if inverse_temperature == 1.0 {
        let total = total(simd, &scratch.linear);
        let scale = sums.present.select(weight / total, f32x16::splat(simd, 0.0));
        for pull in &mut columns.pull {
            ((f32x16::load_array_ref(simd, &pull.0) - mean) * scale).store_array(&mut pull.0);
        }
        return;
    }
    for ((pull, p), linear) in columns.pull.iter_mut().zip(&columns.posterior).zip(&scratch.linear) {
        let linear = f32x16::load_array_ref(simd, &linear.0);
        let pull_k = (f32x16::load_array_ref(simd, &pull.0) - mean) * inverse_temperature;
        let slope = f32x16::load_array_ref(simd, &p.0) * pull_k * weight / linear;
        linear.simd_gt(0.0).select(slope, f32x16::splat(simd, 0.0)).store_array(&mut pull.0);
    }
}

/// What the pull is multiplied by for one source: w_n / W, or e_n; 0 where it is absent.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
fn factor<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    source: usize,
    opinion: &Opinion<S>,
    fallback: Option<Fallback<S>>,
    sums: &Sums<S>,
    scratch: &Scratch,
) -> f32x16<S> {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let terms = &pool.sources[source];
    if wants.rule(Slot::Evidence) {
        return opinion.valid.select(f32x16::splat(simd, terms.exponent), zero);
    }
    let weight = Weight::of(simd, pool, wants, terms, opinion, None, zero, fallback, scratch);
    weight.w / sums.present.select(sums.weight, one)
}

/// One source's gradient, from its opinions in the scratch memory. Those of a row that is no opinion are zeros there, and
/// so is its factor.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
fn push<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    source: usize,
    tile: Tile,
    opinion: &Opinion<S>,
    factor: f32x16<S>,
    scratch: &mut Scratch,
    columns: &mut Columns,
) {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let Columns { pull, x, out, .. } = columns;
    let is_linear = wants.rule(Slot::Linear);
    if is_linear {
        for ((out, pull), p) in out.iter_mut().zip(&*pull).zip(&scratch.p) {
            let d = f32x16::load_array_ref(simd, &pull.0) * factor;
            (f32x16::load_array_ref(simd, &p.0) * d).store_array(&mut out.0);
        }
    } else {
        for ((out, pull), log) in out.iter_mut().zip(&*pull).zip(&scratch.ln) {
            let log = f32x16::load_array_ref(simd, &log.0);
            let is_free = log.simd_gt(wants.ln_floor) & log.simd_le(0.0);
            is_free.select(f32x16::load_array_ref(simd, &pull.0) * factor, zero).store_array(&mut out.0);
        }
    }
    let inverse_temperature = pool.sources[source].inverse_temperature;
    let is_tempered = inverse_temperature != 1.0;
    if is_tempered {
        let sum = total(simd, out);
        subtract(simd, out, &scratch.p, sum, one * inverse_temperature);
    }
    let decoding = Decoding::of(pool.forms[source]);
    let divided = if decoding.is_divided() { opinion.valid } else { opinion.mended };
    match decoding {
        // What was tempered has a sum of zero.
        Decoding::Logits | Decoding::LogProbabilities if is_tempered => {}
        Decoding::Logits => {
            let sum = total(simd, out);
            subtract(simd, out, &scratch.p, sum, one);
        }
        Decoding::LogProbabilities => {
            let sum = divided.select(total(simd, out), zero);
            subtract(simd, out, &scratch.p, sum, one);
        }
        Decoding::Probabilities | Decoding::RoundedBf16 | Decoding::RoundedF16 | Decoding::Shares => {
            let is_x = !is_tempered && !divided.any_true();
            if !is_x {
                let mut filled = std::mem::take(&mut scratch.rows);
                to_columns(simd, rows(evidence, source, tile, &mut filled), x);
                scratch.rows = filled;
            }
            let sum = divided.select(total(simd, out), zero);
            let s = if is_x { one } else { divided.select(total(simd, x), one) };
            let x = if is_x { &scratch.p } else { &*x };
            for ((out, pull), x) in out.iter_mut().zip(&*pull).zip(x) {
                let slope = if is_linear && !is_tempered {
                    f32x16::load_array_ref(simd, &pull.0) * factor / s
                } else {
                    let x = f32x16::load_array_ref(simd, &x.0);
                    x.simd_gt(0.0).select(f32x16::load_array_ref(simd, &out.0) / x, zero)
                };
                (slope - sum / s).store_array(&mut out.0);
            }
        }
    }
}

/// (a - p sum) times a scale.
#[inline(always)]
fn subtract<S: Simd>(simd: S, a: &mut [Lanes], p: &[Lanes], sum: f32x16<S>, scale: f32x16<S>) {
    for (a, p) in a.iter_mut().zip(p) {
        let without = f32x16::load_array_ref(simd, &a.0) - f32x16::load_array_ref(simd, &p.0) * sum;
        (without * scale).store_array(&mut a.0);
    }
}

/// The sum over classes.
#[inline(always)]
fn total<S: Simd>(simd: S, xs: &[Lanes]) -> f32x16<S> {
    let mut sum = Sum::new(simd);
    for xs in xs.chunks(BLOCK) {
        let mut block = f32x16::splat(simd, 0.0);
        for x in xs {
            block += f32x16::load_array_ref(simd, &x.0);
        }
        sum.push(simd, block);
    }
    sum.total()
}

/// The sum over classes of products.
#[inline(always)]
fn dot<S: Simd>(simd: S, xs: &[Lanes], ys: &[Lanes]) -> f32x16<S> {
    let mut sum = Sum::new(simd);
    for (xs, ys) in xs.chunks(BLOCK).zip(ys.chunks(BLOCK)) {
        let mut block = f32x16::splat(simd, 0.0);
        for (x, y) in xs.iter().zip(ys) {
            block = f32x16::load_array_ref(simd, &x.0).mul_add(f32x16::load_array_ref(simd, &y.0), block);
        }
        sum.push(simd, block);
    }
    sum.total()
}
