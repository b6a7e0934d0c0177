//! One source's rows of a tile: from the encoding to probabilities, checked on the way.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::fusion::pool::{Scratch, Wants};
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::sum::{BLOCK, Sum};
use crate::backend::cpu::transpose::{Lanes, to_columns};
use crate::kernel::fusion::pool::Pool;
use crate::spec::OnInvalid;
use crate::tensor::{Encoding, SUM_TOLERANCE};

/// What is known of a source's rows; its probabilities are in `Scratch::p`, their logarithms in `Scratch::ln`.
pub(super) struct Rows<S: Simd> {
    /// Whether the row can be used.
    pub valid: mask32x16<S>,
    /// Whether the row was divided by its sum.
    pub mended: mask32x16<S>,
    /// The largest probability, and the lowest class that has it.
    pub largest: f32x16<S>,
    pub class: f32x16<S>,
    /// -sum p ln p.
    pub entropy: f32x16<S>,
}

/// Reads the rows; `present` says which are opinions at all.
#[inline(always)]
pub(super) fn decode<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    rows: &[f32],
    present: mask32x16<S>,
    scratch: &mut Scratch,
) -> Rows<S> {
    to_columns(simd, rows, &mut scratch.p);
    let (p, logs) = (&mut scratch.p, &mut scratch.ln);
    let zero = f32x16::splat(simd, 0.0);
    // Before the exponential, which can make two values equal that are not.
    let (mut largest, class) = if wants.largest { argmax(simd, p) } else { (zero, zero) };
    let (possible, sum) = match pool.encoding {
        Encoding::Probabilities => probabilities(simd, p),
        Encoding::LogProbabilities => {
            largest = exp(simd, largest);
            log_probabilities(simd, p, logs)
        }
        Encoding::Logits => {
            let (possible, scale) = logits(simd, p, logs);
            largest = scale;
            (possible, f32x16::splat(simd, 1.0))
        }
    };
    let near = (sum - 1.0).abs().simd_le(SUM_TOLERANCE);
    let mut valid = present & possible & near;
    let mut mended = mask32x16::splat(simd, false);
    if pool.on_invalid == OnInvalid::Renormalise {
        mended = present & possible & !near & sum.simd_ge(f32::MIN_POSITIVE) & sum.simd_le(f32::MAX);
        if mended.any_true() {
            let sum = mended.select(sum, f32x16::splat(simd, 1.0));
            divide(simd, p, logs, sum);
            largest /= sum;
            valid |= mended;
        }
    }
    if !valid.all_true() {
        fill(simd, p, logs, valid);
        largest = valid.select(largest, zero);
    }
    if wants.ln && pool.encoding == Encoding::Probabilities {
        for (log, p) in logs.iter_mut().zip(p.iter()) {
            let p = f32x16::load_array_ref(simd, &p.0);
            ln(simd, p.max(f32::MIN_POSITIVE)).store_array(&mut log.0);
        }
    }
    let mut entropy = zero;
    if wants.disagreement {
        let mut sum = Sum::new(simd);
        for (logs, ps) in logs.chunks(BLOCK).zip(p.chunks(BLOCK)) {
            let mut block = zero;
            for (log, p) in logs.iter().zip(ps) {
                // A logarithm of negative infinity belongs to a probability of zero, which adds nothing.
                let log = f32x16::load_array_ref(simd, &log.0).max(f32::MIN);
                block -= f32x16::load_array_ref(simd, &p.0) * log;
            }
            sum.push(simd, block);
        }
        entropy = sum.total();
    }
    Rows { valid, mended, largest, class, entropy }
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
