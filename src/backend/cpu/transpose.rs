//! Sixteen rows to columns and back, in 4 x 4 blocks: items become lanes, so that every sum over classes is a plain
//! vector operation and an item's bits do not depend on its neighbours.

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
    let mut class = 0;
    while class < classes {
        // The last block overlaps the one before it rather than running past the row.
        let k = class.min(classes - 4);
        for item in (0..LANES).step_by(4) {
            let row = |i: usize| f32x4::from_slice(simd, &rows[(item + i) * classes + k..][..4]);
            let block = transpose([row(0), row(1), row(2), row(3)]);
            for (column, values) in columns[k..k + 4].iter_mut().zip(block) {
                values.store_slice(&mut column.0[item..item + 4]);
            }
        }
        class += 4;
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
    let mut class = 0;
    while class < classes {
        let k = class.min(classes - 4);
        for item in (0..LANES).step_by(4) {
            let column = |i: usize| f32x4::from_slice(simd, &columns[k + i].0[item..item + 4]);
            let block = transpose([column(0), column(1), column(2), column(3)]);
            for (i, values) in block.into_iter().enumerate() {
                values.store_slice(&mut rows[(item + i) * classes + k..][..4]);
            }
        }
        class += 4;
    }
}

#[inline(always)]
fn transpose<S: Simd>([a, b, c, d]: [f32x4<S>; 4]) -> [f32x4<S>; 4] {
    let (ac_low, ac_high) = a.interleave(c);
    let (bd_low, bd_high) = b.interleave(d);
    let (first, second) = ac_low.interleave(bd_low);
    let (third, fourth) = ac_high.interleave(bd_high);
    [first, second, third, fourth]
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
