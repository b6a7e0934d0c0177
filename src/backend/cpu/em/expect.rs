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
    let Params { classes, prior, hard, subtypes, .. } = batch.params();
    let (classes, subtypes) = (classes as usize, subtypes as usize);
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
            let row = sized::<C>(row);
            row.copy_from_slice(log_prior);
            let mut rest = &cells[begins[item] as usize..ends[item] as usize];
            let mut offset = 0.0;
            while rest.len() > RUN {
                let (run, behind) = rest.split_at(RUN);
                add_rows::<C>(logs, run, row);
                let best = largest(row);
                row.iter_mut().for_each(|z| *z -= best);
                offset += best;
                rest = behind;
            }
            add_rows::<C>(logs, rest, row);
            let (mut best, known) = (largest(row), gold[item]);
            if known != UNKNOWN || hard != 0 {
                let decision = || row.iter().position(|&z| z == best).unwrap_or_default();
                let first = if known == UNKNOWN { decision() } else { known as usize * subtypes };
                let behind = if known == UNKNOWN { first + 1 } else { first + subtypes };
                // Whose exponentials are 0.
                row[..first].fill(f32::MIN);
                row[behind..].fill(f32::MIN);
                best = largest(row);
            }
            *evidence = offset + best;
            row.iter_mut().for_each(|z| *z -= best);
        }
        exponentials(simd, rows);
        let mut sums = [1.0; BLOCK];
        mass.fill(0.0);
        for (row, sum) in rows.chunks_exact_mut(classes).zip(&mut sums) {
            let (row, mass) = (sized::<C>(row), sized::<C>(mass));
            *sum = row.iter().sum();
            let share = 1.0 / *sum;
            for (p, mass) in row.iter_mut().zip(mass) {
                *p *= share;
                *mass += *p;
            }
        }
        for (evidence, sums) in evidence.chunks_mut(LANES).zip(sums.as_chunks().0) {
            let logarithms = ln(simd, f32x16::simd_from(simd, *sums)).to_array();
            evidence.iter_mut().zip(logarithms).for_each(|(evidence, logarithm)| *evidence += logarithm);
        }
    }
}

/// A row of which the compiler knows the length, where C is not 0.
#[inline(always)]
fn sized<const C: usize>(row: &mut [f32]) -> &mut [f32] {
    if C == 0 { row } else { &mut row[..C] }
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    row.iter().copied().fold(f32::MIN, f32::max)
}

/// The exponential of each value.
#[inline(always)]
fn exponentials<S: Simd>(simd: S, values: &mut [f32]) {
    let (whole, rest) = values.as_chunks_mut::<LANES>();
    for values in whole {
        *values = exp(simd, f32x16::simd_from(simd, *values)).to_array();
    }
    let mut values = [0.0; LANES];
    values[..rest.len()].copy_from_slice(rest);
    rest.copy_from_slice(&exp(simd, f32x16::simd_from(simd, values)).to_array()[..rest.len()]);
}
