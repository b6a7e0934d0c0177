//! One source's opinions of a tile: from the form they come in to probabilities, checked on the way.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::fusion::pool::forms::{Decoding, labels, rows};
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::fusion::pool::{Tile, forms};
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::sum::{BLOCK, Sum};
use crate::backend::cpu::transpose::{LANES, Lanes, to_columns};
use crate::kernel::fusion::pool::Pool;
use crate::spec::OnInvalid;
use crate::tensor::{Evidence, Form, SUM_TOLERANCE, SUM_TOLERANCE_BF16, SUM_TOLERANCE_F16};

/// What is known of a source's opinions on a tile.
pub(super) struct Opinion<S: Simd> {
    /// Whether the source gave an opinion, valid or not.
    pub given: mask32x16<S>,
    /// Whether the opinion can be used.
    pub valid: mask32x16<S>,
    /// Whether the row was divided by its sum, as the policy asks.
    pub mended: mask32x16<S>,
    /// Whether the source was asked and declined.
    pub abstained: mask32x16<S>,
    /// The largest probability, the second largest, and the class voted for.
    pub largest: f32x16<S>,
    pub second: f32x16<S>,
    pub class: f32x16<S>,
    /// -sum p ln p.
    pub entropy: f32x16<S>,
    /// A label that is not written out as a row: the probability of its class and that of each other one. Otherwise
    /// probabilities are in `Scratch::p`, their logarithms in `Scratch::ln`.
    pub label: Option<(f32x16<S>, f32x16<S>)>,
}

/// Reads the opinions of one source; those that it gives with them are its confidences.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
pub(super) fn decode<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    source: usize,
    tile: Tile,
    given_confidence: Option<f32x16<S>>,
    scratch: &mut Scratch,
) -> Opinion<S> {
    let asked = match evidence.presence(source) {
        None if tile.len == LANES => mask32x16::splat(simd, true),
        _ => mask32x16::from_bitmask(simd, asked(evidence, source, tile)),
    };
    let inverse_temperature = pool.sources[source].inverse_temperature;
    if let Some(labels) = labels(simd, evidence, source, tile, asked) {
        return label(simd, pool, labels, given_confidence, inverse_temperature, scratch, wants);
    }
    let mut filled = std::mem::take(&mut scratch.rows);
    let values = rows(evidence, source, tile, &mut filled);
    let opinion = row(simd, pool, wants, pool.forms[source], inverse_temperature, values, asked, scratch);
    scratch.rows = filled;
    opinion
}

/// One bit per item of the tile that the source was asked about.
#[inline(always)]
fn asked(evidence: &Evidence<'_>, source: usize, tile: Tile) -> u64 {
    match evidence.presence(source) {
        None => (1 << tile.len) - 1,
        Some(presence) => {
            let flags = &presence[tile.first..tile.first + tile.len];
            flags.iter().enumerate().fold(0, |bits, (i, &present)| bits | u64::from(present) << i)
        }
    }
}

/// A hard label: its confidence for its class, the rest shared by the others.
#[inline(always)]
fn label<S: Simd>(
    simd: S,
    pool: &Pool,
    labels: forms::Labels<S>,
    confidence: Option<f32x16<S>>,
    inverse_temperature: f32,
    scratch: &mut Scratch,
    wants: Wants,
) -> Opinion<S> {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let others = (pool.classes.max(2) - 1) as f32;
    let (mut high, mut low) = (one, zero);
    let mut valid = labels.valid;
    if let Some(confidence) = confidence.filter(|_| pool.classes > 1) {
        let share = confidence.simd_ge(0.0) & confidence.simd_le(1.0);
        high = share.select(confidence, zero);
        low = (one - high) / others;
        valid &= share;
        if inverse_temperature != 1.0 {
            let log = |p: f32x16<S>| ln(simd, p.max(f32::MIN_POSITIVE));
            let most = log(high.max(low));
            let power = |p: f32x16<S>| p.simd_gt(0.0).select(exp(simd, (log(p) - most) * inverse_temperature), zero);
            let (a, b) = (power(high), power(low));
            let sum = a + b * others;
            (high, low) = (a / sum, b / sum);
        }
    }
    let (largest, second) = (high.max(low), if pool.classes > 2 { high.min(low).max(low) } else { high.min(low) });
    let mut opinion = Opinion {
        given: labels.given,
        valid,
        mended: mask32x16::splat(simd, false),
        abstained: labels.abstained,
        largest,
        second: if pool.classes > 1 { second } else { zero },
        class: labels.class,
        entropy: zero,
        label: Some((high, low)),
    };
    if wants.entropy {
        let term = |p: f32x16<S>| p * ln(simd, p.max(f32::MIN_POSITIVE));
        let classes = if pool.classes > 1 { others } else { 0.0 };
        opinion.entropy = (zero - term(high) - term(low) * classes).max(0.0);
    }
    if !wants.labels_add {
        let mut k = zero;
        for p in &mut scratch.p {
            let p_k = labels.class.simd_eq(k).select(high, low);
            valid.select(p_k, zero).store_array(&mut p.0);
            k += 1.0;
        }
        if wants.ln {
            logarithms(simd, &scratch.p, &mut scratch.ln);
        }
        opinion.label = None;
    }
    opinion
}

/// A row of values.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "all of it is the kernel's state, inlined into one loop")]
fn row<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    form: Form,
    inverse_temperature: f32,
    rows: &[f32],
    asked: mask32x16<S>,
    scratch: &mut Scratch,
) -> Opinion<S> {
    let (p, logs) = (&mut scratch.p[..], &mut scratch.ln[..]);
    let zero = f32x16::splat(simd, 0.0);
    let decoding = Decoding::of(form);
    let Read { mut largest, class, possible, near, sum } = read(simd, wants, decoding, rows, p, logs);
    let divisible = sum.simd_ge(f32::MIN_POSITIVE) & sum.simd_le(f32::MAX);
    let mut valid = asked & possible & near;
    let mut mended = mask32x16::splat(simd, false);
    if pool.on_invalid == OnInvalid::Renormalise {
        mended = asked & possible & !near & divisible;
        valid |= mended;
    }
    let is_divided = decoding.is_divided();
    if is_divided || mended.any_true() {
        let by = if is_divided { valid } else { mended };
        let sum = by.select(sum, f32x16::splat(simd, 1.0));
        divide(simd, p, logs, sum);
        largest /= sum;
    }
    if wants.ln && !decoding.has_logarithms() {
        logarithms(simd, p, logs);
    }
    if inverse_temperature != 1.0 {
        largest = temper(simd, p, logs, inverse_temperature);
    }
    if !valid.all_true() {
        fill(simd, p, logs, valid);
        largest = valid.select(largest, zero);
    }
    let entropy = if wants.entropy { entropy(simd, p, logs) } else { zero };
    let second = if wants.second { second_largest(simd, p, class) } else { zero };
    let none = mask32x16::splat(simd, false);
    Opinion { given: asked, valid, mended, abstained: none, largest, second, class, entropy, label: None }
}

/// What rows of values turned out to be.
pub(super) struct Read<S: Simd> {
    /// The largest probability and its class, where [`Wants::largest`] asks.
    pub largest: f32x16<S>,
    pub class: f32x16<S>,
    /// Whether the values can be an opinion, but for their sum.
    pub possible: mask32x16<S>,
    /// Whether their sum is what it should be.
    pub near: mask32x16<S>,
    pub sum: f32x16<S>,
}

/// Rows of values to columns of probabilities, with their logarithms where the values are such and those are wanted.
#[inline(always)]
pub(super) fn read<S: Simd>(
    simd: S,
    wants: Wants,
    decoding: Decoding,
    rows: &[f32],
    p: &mut [Lanes],
    logs: &mut [Lanes],
) -> Read<S> {
    to_columns(simd, rows, p);
    let zero = f32x16::splat(simd, 0.0);
    // Before the exponential, which can make two values equal that are not.
    let (mut largest, class) = if wants.largest { argmax(simd, p) } else { (zero, zero) };
    let (possible, sum) = match decoding {
        Decoding::Probabilities | Decoding::RoundedBf16 | Decoding::RoundedF16 | Decoding::Shares => {
            probabilities(simd, p)
        }
        Decoding::LogProbabilities => {
            largest = exp(simd, largest);
            log_probabilities(simd, p, logs)
        }
        Decoding::Logits => {
            let (possible, scale) = logits(simd, p, logs);
            largest = scale;
            (possible, f32x16::splat(simd, 1.0))
        }
    };
    let near = match decoding {
        Decoding::Shares => sum.simd_ge(f32::MIN_POSITIVE) & sum.simd_le(f32::MAX),
        Decoding::RoundedBf16 => (sum - 1.0).abs().simd_le(SUM_TOLERANCE_BF16),
        Decoding::RoundedF16 => (sum - 1.0).abs().simd_le(SUM_TOLERANCE_F16),
        _ => (sum - 1.0).abs().simd_le(SUM_TOLERANCE),
    };
    Read { largest, class, possible, near, sum }
}

/// ln p; negative infinity for zero.
#[inline(always)]
pub(super) fn logarithms<S: Simd>(simd: S, p: &[Lanes], logs: &mut [Lanes]) {
    for (log, p) in logs.iter_mut().zip(p) {
        let p = f32x16::load_array_ref(simd, &p.0);
        let log_p = ln(simd, p.max(f32::MIN_POSITIVE));
        p.simd_gt(0.0).select(log_p, f32x16::splat(simd, f32::NEG_INFINITY)).store_array(&mut log.0);
    }
}

/// p^(1/T) over its sum, with its logarithms, and the largest of each row.
#[inline(never)]
fn temper<S: Simd>(simd: S, p: &mut [Lanes], logs: &mut [Lanes], inverse_temperature: f32) -> f32x16<S> {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut most = f32x16::splat(simd, f32::MIN);
            for log in logs.iter() {
                most = most.max(f32x16::load_array_ref(simd, &log.0));
            }
            let mut sum = Sum::new(simd);
            for (ps, logs) in p.chunks_mut(BLOCK).zip(logs.chunks_mut(BLOCK)) {
                let mut block = f32x16::splat(simd, 0.0);
                for (p, log) in ps.iter_mut().zip(logs) {
                    let x = (f32x16::load_array_ref(simd, &log.0) - most) * inverse_temperature;
                    let y = exp(simd, x);
                    block += y;
                    x.store_array(&mut log.0);
                    y.store_array(&mut p.0);
                }
                sum.push(simd, block);
            }
            let sum = sum.total();
            let (ln_sum, scale) = (ln(simd, sum), 1.0 / sum);
            for (p, log) in p.iter_mut().zip(logs) {
                (f32x16::load_array_ref(simd, &log.0) - ln_sum).store_array(&mut log.0);
                (f32x16::load_array_ref(simd, &p.0) * scale).store_array(&mut p.0);
            }
            scale
        },
    )
}

/// -sum p ln p of each row.
#[inline(always)]
pub(super) fn entropy<S: Simd>(simd: S, p: &[Lanes], logs: &[Lanes]) -> f32x16<S> {
    let mut sum = Sum::new(simd);
    for (logs, ps) in logs.chunks(BLOCK).zip(p.chunks(BLOCK)) {
        let mut block = f32x16::splat(simd, 0.0);
        for (log, p) in logs.iter().zip(ps) {
            // A logarithm of negative infinity belongs to a probability of zero, which adds nothing.
            let log = f32x16::load_array_ref(simd, &log.0).max(f32::MIN);
            block -= f32x16::load_array_ref(simd, &p.0) * log;
        }
        sum.push(simd, block);
    }
    sum.total()
}

/// The largest value of the other classes than `class`; 0 where there is none.
#[inline(always)]
pub(super) fn second_largest<S: Simd>(simd: S, p: &[Lanes], class: f32x16<S>) -> f32x16<S> {
    let mut second = f32x16::splat(simd, 0.0);
    let mut k = second;
    for p in p {
        let other = f32x16::load_array_ref(simd, &p.0).max(second);
        second = k.simd_eq(class).select(second, other);
        k += 1.0;
    }
    second
}

/// Whether no value is negative, and the sum of each row, which is NaN or infinite if a value is.
#[inline(always)]
fn probabilities<S: Simd>(simd: S, p: &[Lanes]) -> (mask32x16<S>, f32x16<S>) {
    let zero = f32x16::splat(simd, 0.0);
    let (mut sum, mut least) = (Sum::new(simd), zero);
    for block_of_p in p.chunks(BLOCK) {
        let mut block = zero;
        for p in block_of_p {
            let p = f32x16::load_array_ref(simd, &p.0);
            block += p;
            least = least.min(p);
        }
        sum.push(simd, block);
    }
    (least.simd_ge(0.0), sum.total())
}

/// Logarithms to probabilities: whether all are numbers, and the sum of each row.
#[inline(always)]
fn log_probabilities<S: Simd>(simd: S, p: &mut [Lanes], logs: &mut [Lanes]) -> (mask32x16<S>, f32x16<S>) {
    let mut sum = Sum::new(simd);
    let mut numbers = mask32x16::splat(simd, true);
    keep(p, logs);
    for block_of_p in p.chunks_mut(BLOCK) {
        let mut block = f32x16::splat(simd, 0.0);
        for p in block_of_p {
            let x = f32x16::load_array_ref(simd, &p.0);
            numbers &= x.simd_lt(f32::INFINITY);
            let y = exp(simd, x);
            block += y;
            y.store_array(&mut p.0);
        }
        sum.push(simd, block);
    }
    (numbers, sum.total())
}

/// Softmax: whether all are numbers and one at least is finite, and the probability of the largest.
#[inline(always)]
fn logits<S: Simd>(simd: S, p: &mut [Lanes], logs: &mut [Lanes]) -> (mask32x16<S>, f32x16<S>) {
    let mut numbers = mask32x16::splat(simd, true);
    let mut most = f32x16::splat(simd, f32::NEG_INFINITY);
    for p in p.iter() {
        let x = f32x16::load_array_ref(simd, &p.0);
        numbers &= x.simd_lt(f32::INFINITY);
        most = most.max(x);
    }
    numbers &= most.simd_ge(f32::MIN);
    let most = numbers.select(most, f32x16::splat(simd, 0.0));
    let mut sum = Sum::new(simd);
    for p in p.iter_mut() {
        (f32x16::load_array_ref(simd, &p.0) - most).store_array(&mut p.0);
    }
    keep(p, logs);
    for block_of_p in p.chunks_mut(BLOCK) {
        let mut block = f32x16::splat(simd, 0.0);
        for p in block_of_p {
            let y = exp(simd, f32x16::load_array_ref(simd, &p.0));
            block += y;
            y.store_array(&mut p.0);
        }
        sum.push(simd, block);
    }
    let sum = numbers.select(sum.total(), f32x16::splat(simd, 1.0));
    if !logs.is_empty() {
        let ln_sum = ln(simd, sum);
        for log in logs.iter_mut() {
            (f32x16::load_array_ref(simd, &log.0) - ln_sum).store_array(&mut log.0);
        }
    }
    let scale = 1.0 / sum;
    for p in p.iter_mut() {
        (f32x16::load_array_ref(simd, &p.0) * scale).store_array(&mut p.0);
    }
    (numbers, scale)
}

/// The values are logarithms already: keeps them where they are wanted.
#[inline(always)]
fn keep(p: &[Lanes], logs: &mut [Lanes]) {
    for (log, p) in logs.iter_mut().zip(p) {
        *log = *p;
    }
}

/// The rows divided by their sums.
#[inline(always)]
fn divide<S: Simd>(simd: S, p: &mut [Lanes], logs: &mut [Lanes], sum: f32x16<S>) {
    for p in p {
        (f32x16::load_array_ref(simd, &p.0) / sum).store_array(&mut p.0);
    }
    let ln_sum = ln(simd, sum);
    for log in logs {
        (f32x16::load_array_ref(simd, &log.0) - ln_sum).store_array(&mut log.0);
    }
}

/// Something finite in the place of rows that are no opinions: it will be weighted with zero.
#[inline(always)]
fn fill<S: Simd>(simd: S, p: &mut [Lanes], logs: &mut [Lanes], valid: mask32x16<S>) {
    let zero = f32x16::splat(simd, 0.0);
    for lanes in p.iter_mut().chain(logs) {
        valid.select(f32x16::load_array_ref(simd, &lanes.0), zero).store_array(&mut lanes.0);
    }
}

/// The largest value of each row, and the lowest class that has it.
#[inline(always)]
pub(super) fn argmax<S: Simd>(simd: S, p: &[Lanes]) -> (f32x16<S>, f32x16<S>) {
    let mut largest = f32x16::splat(simd, f32::NEG_INFINITY);
    let mut class = f32x16::splat(simd, 0.0);
    let mut k = class;
    for p in p {
        let p = f32x16::load_array_ref(simd, &p.0);
        let more = p.simd_gt(largest);
        largest = more.select(p, largest);
        class = more.select(k, class);
        k += 1.0;
    }
    (largest, class)
}
