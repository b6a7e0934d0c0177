//! The twin of `shaders/em/normalise.wgsl`.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::bayes::special::gamma::digamma;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::em::normalise::{Logarithms, Params};
use crate::plan::batch::Batch;

const ONE_COIN: u32 = Logarithms::OneCoin as u32;
const EXPECTED: u32 = Logarithms::Expected as u32;

/// The logarithms of the batch's sources.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let params: Params = batch.params();
    let (c, symbols) = (params.classes as usize, params.symbols as usize);
    let [sources, firsts, parts, counts] = &batch.inputs[..] else { return };
    let (sources, firsts): (&[u32], &[u32]) = (sources.plane(0), firsts.plane(0));
    let (parts, counts): (&[f32], &[f32]) = (parts.plane(0), counts.plane(0));
    let [logs, sums] = &mut batch.outputs[..] else { return };
    let (Some(logs), Some(sums)) = (logs.planes_mut::<f32>().next(), sums.planes_mut::<f32>().next()) else { return };
    let rows = logs.chunks_exact_mut(symbols * c).zip(sums.chunks_exact_mut(symbols * c));
    for (&source, (logs, sums)) in sources.iter().zip(rows) {
        let first = source as usize * symbols;
        // n[l, k]
        for (cell, n) in (first..).zip(sums.chunks_exact_mut(c)) {
            n.fill(0.0);
            for part in parts[firsts[cell] as usize * c..firsts[cell + 1] as usize * c].chunks_exact(c) {
                n.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            }
            n.iter_mut().zip(&counts[cell * c..]).for_each(|(sum, x)| *sum += x);
        }
        match params.logarithms {
            EXPECTED if source == params.prior => {
                let class_count = params.class_count;
                expected_prior(simd, &sums[..c], &counts[first * c..], params.subtypes as usize, class_count, logs);
            }
            _ if source == params.prior => {
                let whole: f32 = sums[..c].iter().sum();
                logs[..c].iter_mut().zip(&*sums).for_each(|(log, n)| *log = logarithm(*n, whole, c));
            }
            EXPECTED => expected(simd, sums, c, logs),
            ONE_COIN => one_coin(sums, c, logs),
            _ => {
                for k in 0..c {
                    let whole: f32 = sums[k..].iter().step_by(c).sum();
                    let column = logs[k..].iter_mut().step_by(c).zip(sums[k..].iter().step_by(c));
                    column.for_each(|(log, n)| *log = logarithm(*n, whole, symbols));
                }
            }
        }
    }
}

/// Of one accuracy.
#[inline(always)]
fn one_coin(sums: &[f32], c: usize, logs: &mut [f32]) {
    let (mut right, mut wrong) = (0.0, 0.0);
    for (l, n) in sums.chunks_exact(c).take(c).enumerate() {
        for (k, n) in n.iter().enumerate() {
            *(if k == l { &mut right } else { &mut wrong }) += n;
        }
    }
    let (whole, others) = (right + wrong, (c - 1).max(1) as f32);
    let [is_right, is_wrong] = [logarithm(right, whole, c), logarithm(wrong / others, whole, c)];
    for (l, logs) in logs.chunks_exact_mut(c).enumerate() {
        // An abstention says nothing of the class.
        logs.fill(if l < c { is_wrong } else { 0.0 });
        if let Some(log) = logs.get_mut(l) {
            *log = is_right;
        }
    }
}

/// Expected logarithms of a source's answers.
#[inline(always)]
fn expected<S: Simd>(simd: S, sums: &[f32], c: usize, logs: &mut [f32]) {
    for first in (0..c).step_by(LANES) {
        let width = (c - first).min(LANES);
        let mut whole = [0.0; LANES];
        for n in sums.chunks_exact(c) {
            whole.iter_mut().zip(&n[first..first + width]).for_each(|(sum, n)| *sum += n);
        }
        whole[width..].fill(1.0);
        let whole = digamma(simd, f32x16::simd_from(simd, whole));
        for (n, logs) in sums.chunks_exact(c).zip(logs.chunks_exact_mut(c)) {
            let mut lanes = [1.0; LANES];
            lanes[..width].copy_from_slice(&n[first..first + width]);
            let expected = digamma(simd, f32x16::simd_from(simd, lanes)) - whole;
            logs[first..first + width].copy_from_slice(&expected.to_array()[..width]);
        }
    }
}

/// Expected logarithms of how frequent classes and their subtypes are.
#[inline(always)]
fn expected_prior<S: Simd>(simd: S, sums: &[f32], counts: &[f32], subtypes: usize, class_count: f32, logs: &mut [f32]) {
    let digamma = |x: f32| digamma(simd, f32x16::splat(simd, x)).to_array()[0];
    let (whole, before): (f32, f32) = (sums.iter().sum(), counts[..sums.len()].iter().sum());
    let all = digamma(whole - before + (sums.len() / subtypes) as f32 * class_count);
    let classes = sums.chunks_exact(subtypes).zip(counts.chunks_exact(subtypes)).zip(logs.chunks_exact_mut(subtypes));
    for ((sums, counts), logs) in classes {
        let (sum, of_class): (f32, f32) = (sums.iter().sum(), counts.iter().sum());
        let log = digamma((sum - of_class).max(0.0) + class_count) - all;
        let one = digamma(sum);
        logs.iter_mut().zip(sums).for_each(|(to, &n)| *to = if subtypes > 1 { log + digamma(n) - one } else { log });
    }
}

/// Nothing is known of what never was: all is as likely.
#[inline(always)]
fn logarithm(part: f32, whole: f32, count: usize) -> f32 {
    if whole <= 0.0 { -(count as f32).ln() } else { (part / whole).max(f32::MIN_POSITIVE).ln() }
}
