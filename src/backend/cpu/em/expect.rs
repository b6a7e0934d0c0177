//! The twin of `shaders/em/expect.wgsl`: a block's sums first, then its exponentials, sixteen at a time, then what they sum to.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::{add_rows, by_classes};
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::em::expect::{BLOCK, Params, RUN, UNKNOWN};
use crate::plan::batch::Batch;

/// The posteriors of the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, batch: Batch<'_>) {
    let classes = batch.params::<Params>().classes;
    by_classes!(classes, of<S>(simd, batch));
}

#[inline(always)]
fn of<const C: usize, S: Simd>(simd: S, mut batch: Batch<'_>) {
    let Params { classes, prior, hard, .. } = batch.params();
    let classes = classes as usize;
    let [runs, gold, cells, logs] = &batch.inputs[..] else { return };
    let (begins, ends): (&[u32], &[u32]) = (runs.plane(0), runs.plane(1));
    let (gold, cells, logs): (&[u32], &[u32], &[f32]) = (gold.plane(0), cells.plane(0), logs.plane(0));
    let log_prior = &logs[prior as usize * classes..][..classes];
    let [posterior, evidence, masses] = &mut batch.outputs[..] else { return };
    let planes =
        (posterior.planes_mut::<f32>().next(), evidence.planes_mut::<f32>().next(), masses.planes_mut().next());
    let (Some(posterior), Some(evidence), Some(masses)) = planes else { return };
    let blocks = posterior.chunks_mut(BLOCK * classes).zip(evidence.chunks_mut(BLOCK));
    for ((first, (rows, evidence)), mass) in (0..).step_by(BLOCK).zip(blocks).zip(masses.chunks_exact_mut(classes)) {
        for ((item, row), evidence) in (first..).zip(rows.chunks_exact_mut(classes)).zip(evidence.iter_mut()) {
            row.copy_from_slice(log_prior);
            let mut rest = &cells[begins[item] as usize..ends[item] as usize];
            let mut offset = 0.0;
            while rest.len() > RUN {
                let (run, behind) = rest.split_at(RUN);
                add_rows::<C>(logs, run, row);
                let best = row.iter().copied().fold(f32::MIN, f32::max);
                row.iter_mut().for_each(|z| *z -= best);
                offset += best;
                rest = behind;
            }
            add_rows::<C>(logs, rest, row);
            let (mut best, mut decision) = (f32::MIN, 0);
            for (k, &z) in row.iter().enumerate() {
                if z > best {
                    (best, decision) = (z, k);
                }
            }
            let known = gold[item];
            if known != UNKNOWN || hard != 0 {
                let one = if known == UNKNOWN { decision } else { known as usize };
                *evidence = offset + row[one];
                // What is left once the exponentials are taken: 1 and 0.
                row.fill(f32::MIN);
                row[one] = 0.0;
            } else {
                *evidence = offset + best;
                row.iter_mut().for_each(|z| *z -= best);
            }
        }
        map(simd, rows, |x| exp(simd, x));
        let mut sums = [1.0; BLOCK];
        mass.fill(0.0);
        for (row, sum) in rows.chunks_exact_mut(classes).zip(&mut sums) {
            *sum = row.iter().sum();
            for (p, mass) in row.iter_mut().zip(mass.iter_mut()) {
                *p /= *sum;
                *mass += *p;
            }
        }
        map(simd, &mut sums, |x| ln(simd, x));
        evidence.iter_mut().zip(sums).for_each(|(evidence, ln_sum)| *evidence += ln_sum);
    }
}

/// Each value through a function of sixteen.
#[inline(always)]
fn map<S: Simd>(simd: S, values: &mut [f32], f: impl Fn(f32x16<S>) -> f32x16<S>) {
    let (whole, rest) = values.as_chunks_mut::<LANES>();
    for values in whole {
        *values = f(f32x16::simd_from(simd, *values)).to_array();
    }
    if !rest.is_empty() {
        let mut values = [1.0; LANES];
        values[..rest.len()].copy_from_slice(rest);
        rest.copy_from_slice(&f(f32x16::simd_from(simd, values)).to_array()[..rest.len()]);
    }
}
