//! Medians and trimmed means: one class of every source in order of size.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::fusion::pool::accumulate::Sums;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::sum::{BLOCK, Sum};
use crate::backend::cpu::transpose::Lanes;
use crate::kernel::fusion::pool::{MIDDLE_FLOOR, Pool, Slot, trimmed_off};

/// Puts the posteriors of `Median` and `Trimmed` into the scratch memory; `per_weight` makes the linear pool of its sums.
#[inline(always)]
pub(super) fn middles<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    sums: &mut Sums<S>,
    per_weight: f32x16<S>,
    scratch: &mut Scratch,
) {
    let trim = sums.count.to_array().map(|count| trimmed_off(pool.trim, count));
    let trim = f32x16::load_array(simd, trim);
    for k in 0..pool.classes {
        for (source, value) in scratch.column.iter_mut().enumerate() {
            *value = scratch.kept.p(source)[k];
        }
        sort(simd, &mut scratch.column);
        if wants.rule(Slot::Median) {
            median(simd, &scratch.column, sums.count).store_array(&mut scratch.median[k].0);
        }
        if wants.rule(Slot::Trimmed) {
            trimmed(simd, &scratch.column, sums.count, trim).store_array(&mut scratch.trimmed[k].0);
        }
    }
    for middle in [&mut scratch.median, &mut scratch.trimmed].into_iter().filter(|middle| !middle.is_empty()) {
        let mut total = Sum::new(simd);
        for block_of_p in middle.chunks(BLOCK) {
            let mut block = f32x16::splat(simd, 0.0);
            for p in block_of_p {
                block += f32x16::load_array_ref(simd, &p.0);
            }
            total.push(simd, block);
        }
        let total = total.total();
        let none = sums.present & total.simd_lt(MIDDLE_FLOOR);
        sums.no_middle |= none;
        let scale = 1.0 / total.max(MIDDLE_FLOOR);
        for (p, linear) in middle.iter_mut().zip(&scratch.linear) {
            let linear = f32x16::load_array_ref(simd, &linear.0) * per_weight;
            none.select(linear, f32x16::load_array_ref(simd, &p.0) * scale).store_array(&mut p.0);
        }
    }
}

/// Batcher's odd-even merge sort (Knuth, volume 3, algorithm 5.2.2M): the same exchanges whatever the values.
#[inline(always)]
fn sort<S: Simd>(simd: S, values: &mut [Lanes]) {
    let n = values.len();
    let top = n.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            for i in 0..n.saturating_sub(d) {
                if i & p == r {
                    let a = f32x16::load_array_ref(simd, &values[i].0);
                    let b = f32x16::load_array_ref(simd, &values[i + d].0);
                    a.min(b).store_array(&mut values[i].0);
                    a.max(b).store_array(&mut values[i + d].0);
                }
            }
            if q == p {
                break;
            }
            (d, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
}

/// The middle one of the first `count`, or the mean of the middle two.
#[inline(always)]
fn median<S: Simd>(simd: S, sorted: &[Lanes], count: f32x16<S>) -> f32x16<S> {
    let zero = f32x16::splat(simd, 0.0);
    let (lower, upper) = (((count - 1.0) * 0.5).floor(), (count * 0.5).floor());
    let (mut sum, mut i) = (zero, zero);
    for value in sorted {
        let half = f32x16::load_array_ref(simd, &value.0) * 0.5;
        sum += i.simd_eq(lower).select(half, zero) + i.simd_eq(upper).select(half, zero);
        i += 1.0;
    }
    sum
}

/// The mean of the first `count` without `trim` at either end.
#[inline(always)]
fn trimmed<S: Simd>(simd: S, sorted: &[Lanes], count: f32x16<S>, trim: f32x16<S>) -> f32x16<S> {
    let zero = f32x16::splat(simd, 0.0);
    let end = count - trim;
    let (mut sum, mut i) = (zero, zero);
    for value in sorted {
        let inside = i.simd_ge(trim) & i.simd_lt(end);
        sum += inside.select(f32x16::load_array_ref(simd, &value.0), zero);
        i += 1.0;
    }
    sum / (end - trim).max(1.0)
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[test]
    fn every_number_of_values_is_sorted() {
        let level = Level::new();
        for n in 0..40_usize {
            let value = |i: usize, lane: usize| ((i * 7919 + lane * 31) % 101) as f32;
            let mut values: Vec<Lanes> = (0..n).map(|i| Lanes(std::array::from_fn(|lane| value(i, lane)))).collect();
            dispatch!(level, simd => sort(simd, &mut values));
            for lane in 0..16 {
                let mut want: Vec<f32> = (0..n).map(|i| value(i, lane)).collect();
                want.sort_by(f32::total_cmp);
                assert_eq!(values.iter().map(|v| v.0[lane]).collect::<Vec<_>>(), want, "{n} values");
            }
        }
    }
}
