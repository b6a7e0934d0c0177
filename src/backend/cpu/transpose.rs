//! Sixteen rows to columns and back, in 4 x 4 blocks: items become lanes, so that every sum over classes is a plain
//! vector operation and an item's bits do not depend on its neighbours.

#[cfg(target_arch = "x86_64")]
use fearless_simd::Level;
use fearless_simd::prelude::*;
use fearless_simd::{f32x4, f32x16};

/// Items in a tile.
pub(super) const LANES: usize = 16;

/// One value of each item of a tile, on a cache line of its own.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// Zeros.
    pub(super) const ZERO: Self = Self([0.0; LANES]);
}

/// `rows` [16, C] to `columns` [C][16].
#[inline(always)]
pub(super) fn to_columns<S: Simd>(simd: S, rows: &[f32], columns: &mut [Lanes]) {
    let classes = columns.len();
    let rows = &rows[..LANES * classes];
    if let [first, second] = columns {
        let (low, high) = (f32x16::from_slice(simd, &rows[..LANES]), f32x16::from_slice(simd, &rows[LANES..]));
        let (evens, odds) = low.deinterleave(high);
        evens.store_array(&mut first.0);
        odds.store_array(&mut second.0);
        return;
    }
    if classes < 4 {
        for (item, row) in rows.chunks_exact(classes).enumerate() {
            for (column, &value) in columns.iter_mut().zip(row) {
                column.0[item] = value;
            }
        }
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if let Level::Avx2(avx2) = simd.level() {
        return eight_rows::to_columns(avx2, rows, columns);
    }
    for (quarter, rows) in rows.chunks_exact(4 * classes).enumerate() {
        let rows = four(rows, classes);
        let mut class = 0;
        while class < classes {
            // The last block overlaps the one before it rather than running past the row.
            let k = class.min(classes - 4);
            let row = |i: usize| f32x4::from_slice(simd, &rows[i][k..k + 4]);
            let block = transpose([row(0), row(1), row(2), row(3)]);
            for (column, values) in columns[k..k + 4].iter_mut().zip(block) {
                values.store_slice(&mut column.0[4 * quarter..][..4]);
            }
            class += 4;
        }
    }
}

/// `columns` [C][16] to `rows` [16, C].
#[inline(always)]
pub(super) fn to_rows<S: Simd>(simd: S, columns: &[Lanes], rows: &mut [f32]) {
    let classes = columns.len();
    let rows = &mut rows[..LANES * classes];
    if let [first, second] = columns {
        let (evens, odds) = (f32x16::load_array_ref(simd, &first.0), f32x16::load_array_ref(simd, &second.0));
        let (low, high) = evens.interleave(odds);
        low.store_slice(&mut rows[..LANES]);
        high.store_slice(&mut rows[LANES..]);
        return;
    }
    if classes < 4 {
        for (item, row) in rows.chunks_exact_mut(classes).enumerate() {
            for (column, value) in columns.iter().zip(row) {
                *value = column.0[item];
            }
        }
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if let Level::Avx2(avx2) = simd.level() {
        return eight_rows::to_rows(avx2, columns, rows);
    }
    for (quarter, rows) in rows.chunks_exact_mut(4 * classes).enumerate() {
        let mut rows = four_mut(rows, classes);
        let mut class = 0;
        while class < classes {
            let k = class.min(classes - 4);
            let column = |i: usize| f32x4::from_slice(simd, &columns[k + i].0[4 * quarter..][..4]);
            let block = transpose([column(0), column(1), column(2), column(3)]);
            for (row, values) in rows.iter_mut().zip(block) {
                values.store_slice(&mut row[k..k + 4]);
            }
            class += 4;
        }
    }
}

/// The four rows, cut so that one check of a range serves all.
#[inline(always)]
fn four(rows: &[f32], classes: usize) -> [&[f32]; 4] {
    let (first, rows) = rows.split_at(classes);
    let (second, rows) = rows.split_at(classes);
    let (third, fourth) = rows.split_at(classes);
    [first, second, third, &fourth[..classes]]
}

#[inline(always)]
fn four_mut(rows: &mut [f32], classes: usize) -> [&mut [f32]; 4] {
    let (first, rows) = rows.split_at_mut(classes);
    let (second, rows) = rows.split_at_mut(classes);
    let (third, fourth) = rows.split_at_mut(classes);
    [first, second, third, &mut fourth[..classes]]
}

#[inline(always)]
fn transpose<S: Simd>([a, b, c, d]: [f32x4<S>; 4]) -> [f32x4<S>; 4] {
    let (ac_low, ac_high) = a.interleave(c);
    let (bd_low, bd_high) = b.interleave(d);
    let (first, second) = ac_low.interleave(bd_low);
    let (third, fourth) = ac_high.interleave(bd_high);
    [first, second, third, fourth]
}

/// Eight rows at a time, whose blocks transpose in the two halves of a register alike: half the instructions, and columns
/// stored in the width they are read in. Of narrower stores no load could be forwarded.
#[cfg(target_arch = "x86_64")]
mod eight_rows {
    use std::arch::x86_64::{__m256, _mm256_unpackhi_ps, _mm256_unpacklo_ps};

    use fearless_simd::prelude::*;
    use fearless_simd::{Avx2, f32x4, f32x8};

    use super::{Lanes, four, four_mut};

    /// For C >= 4.
    #[inline(always)]
    pub(super) fn to_columns(avx2: Avx2, rows: &[f32], columns: &mut [Lanes]) {
        let classes = columns.len();
        for (half, rows) in rows.chunks_exact(8 * classes).enumerate() {
            let (low, high) = rows.split_at(4 * classes);
            let (low, high) = (four(low, classes), four(high, classes));
            let mut class = 0;
            while class < classes {
                let k = class.min(classes - 4);
                let row = |i: usize| -> __m256 {
                    let (low, high) = (&low[i][k..k + 4], &high[i][k..k + 4]);
                    f32x4::from_slice(avx2, low).combine(f32x4::from_slice(avx2, high)).into()
                };
                let block = transpose(avx2, row(0), row(1), row(2), row(3));
                for (column, values) in columns[k..k + 4].iter_mut().zip(block) {
                    let values: f32x8<Avx2> = values.simd_into(avx2);
                    values.store_slice(&mut column.0[8 * half..][..8]);
                }
                class += 4;
            }
        }
    }

    /// For C >= 4.
    #[inline(always)]
    pub(super) fn to_rows(avx2: Avx2, columns: &[Lanes], rows: &mut [f32]) {
        let classes = columns.len();
        for (half, rows) in rows.chunks_exact_mut(8 * classes).enumerate() {
            let (low, high) = rows.split_at_mut(4 * classes);
            let (low, high) = (four_mut(low, classes), four_mut(high, classes));
            let mut class = 0;
            while class < classes {
                let k = class.min(classes - 4);
                let of = &columns[k..k + 4];
                let column = |i: usize| -> __m256 { f32x8::from_slice(avx2, &of[i].0[8 * half..][..8]).into() };
                let block = transpose(avx2, column(0), column(1), column(2), column(3));
                for (i, values) in block.into_iter().enumerate() {
                    let (first, second) = halves(avx2, values);
                    first.store_slice(&mut low[i][k..k + 4]);
                    second.store_slice(&mut high[i][k..k + 4]);
                }
                class += 4;
            }
        }
    }

    #[inline(always)]
    fn halves(avx2: Avx2, x: __m256) -> (f32x4<Avx2>, f32x4<Avx2>) {
        let x: f32x8<Avx2> = x.simd_into(avx2);
        x.split()
    }

    fearless_simd::kernel!(
        /// Transposes both halves.
        #[inline(always)]
        fn transpose(avx2: Avx2, a: __m256, b: __m256, c: __m256, d: __m256) -> [__m256; 4] {
            let _ = avx2;
            let (ac_low, ac_high) = (_mm256_unpacklo_ps(a, c), _mm256_unpackhi_ps(a, c));
            let (bd_low, bd_high) = (_mm256_unpacklo_ps(b, d), _mm256_unpackhi_ps(b, d));
            [
                _mm256_unpacklo_ps(ac_low, bd_low),
                _mm256_unpackhi_ps(ac_low, bd_low),
                _mm256_unpacklo_ps(ac_high, bd_high),
                _mm256_unpackhi_ps(ac_high, bd_high),
            ]
        }
    );
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[test]
    fn there_and_back_moves_every_value() {
        for classes in [1, 2, 3, 4, 5, 10, 17] {
            let rows: Vec<f32> = (0..LANES * classes).map(|i| i as f32).collect();
            let mut columns = vec![Lanes([0.0; LANES]); classes];
            let mut back = vec![0.0; rows.len()];
            let level = Level::new();
            dispatch!(level, simd => to_columns(simd, &rows, &mut columns));
            for (k, column) in columns.iter().enumerate() {
                assert_eq!(column.0, std::array::from_fn(|item| (item * classes + k) as f32));
            }
            dispatch!(level, simd => to_rows(simd, &columns, &mut back));
            assert_eq!(back, rows);
        }
    }
}
