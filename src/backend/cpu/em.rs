//! The twins of the kernels of expectation and maximisation.

pub(super) mod collect;
pub(super) mod expect;
pub(super) mod normalise;

/// Runs a twin made for the number of classes, which keeps a row in registers, or the one for any number, 0.
macro_rules! by_classes {
    ($classes:expr, $run:ident<$($level:ident)?>($($argument:expr),*)) => {
        match $classes {
            2 => $run::<2 $(, $level)?>($($argument),*),
            3 => $run::<3 $(, $level)?>($($argument),*),
            4 => $run::<4 $(, $level)?>($($argument),*),
            5 => $run::<5 $(, $level)?>($($argument),*),
            6 => $run::<6 $(, $level)?>($($argument),*),
            8 => $run::<8 $(, $level)?>($($argument),*),
            10 => $run::<10 $(, $level)?>($($argument),*),
            _ => $run::<0 $(, $level)?>($($argument),*),
        }
    };
}
use by_classes;

/// Adds the rows of a table, each of C, to a row, in order.
#[inline(always)]
fn add_rows<const C: usize>(table: &[f32], rows: &[u32], row: &mut [f32]) {
    if C == 0 {
        let classes = row.len();
        for &place in rows {
            let from = &table[place as usize * classes..][..classes];
            row.iter_mut().zip(from).for_each(|(sum, x)| *sum += x);
        }
        return;
    }
    let table = table.as_chunks::<C>().0;
    let Some(row) = row.first_chunk_mut::<C>() else { return };
    // Sums that stay in registers.
    let mut sums = *row;
    for &place in rows {
        let from = &table[place as usize];
        for k in 0..C {
            sums[k] += from[k];
        }
    }
    *row = sums;
}
