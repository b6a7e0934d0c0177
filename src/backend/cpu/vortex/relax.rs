//! Payloads that relax towards anchors, a block at a time: table entries are looked up one by one, what is done with them is
//! for the compiler to spread over the level's lanes.

use crate::kernel::vortex::relax::{BLOCK, POSITIONS, Params};
use crate::plan::batch::Batch;

/// Places of a table that any four bits find one in.
const WIDTH: usize = 16;

/// Relaxes the batch's payloads.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let entries = 1 + batch.params::<Params>().channels as usize;
    let (positions, table) = (batch.inputs[0].plane::<u32>(0), batch.inputs[1].plane::<f32>(0));
    let [payload, refused] = &mut batch.outputs[..] else { return };
    let mut planes: Vec<&mut [f32]> = payload.planes_mut().collect();
    // By position: shares, then each channel's anchor.
    let column = |entry| std::array::from_fn(|p| table.get(p * entries + entry).copied().unwrap_or_default());
    let columns: Vec<[f32; WIDTH]> = (0..entries).map(column).collect();
    let (mut shares, mut anchors) = ([0.0; BLOCK], [0.0; BLOCK]);
    for refused in refused.planes_mut::<u32>() {
        for (block, (positions, refused)) in positions.chunks(BLOCK).zip(refused.iter_mut()).enumerate() {
            let first = BLOCK * block;
            *refused = first_bad(positions, &planes, first);
            if *refused != u32::MAX {
                one_by_one(positions, table, &mut planes, first);
                continue;
            }
            look_up(&columns[0], positions, &mut shares);
            for (plane, column) in planes.iter_mut().zip(&columns[1..]) {
                look_up(column, positions, &mut anchors);
                let values = plane[first..first + positions.len()].iter_mut();
                for ((value, share), anchor) in values.zip(&shares).zip(&anchors) {
                    *value += (anchor - *value) * share;
                }
            }
        }
    }
}

/// What a column holds for each position.
#[inline(always)]
fn look_up(column: &[f32; WIDTH], positions: &[u32], found: &mut [f32; BLOCK]) {
    for (found, &position) in found.iter_mut().zip(positions) {
        *found = column[position as usize % WIDTH];
    }
}

/// The first item of a block that stays as it is.
#[inline(always)]
fn first_bad(positions: &[u32], planes: &[&mut [f32]], first: usize) -> u32 {
    let mut fine = true;
    for &position in positions {
        fine &= position < POSITIONS;
    }
    for plane in planes {
        for value in &plane[first..first + positions.len()] {
            fine &= value.is_finite();
        }
    }
    if fine { u32::MAX } else { find(positions, planes, first) }
}

#[cold]
fn find(positions: &[u32], planes: &[&mut [f32]], first: usize) -> u32 {
    let is_bad = |item: &usize| positions[*item] >= POSITIONS || planes.iter().any(|p| !p[first + item].is_finite());
    (0..positions.len()).find(is_bad).map_or(u32::MAX, |item| item as u32)
}

/// A block in which something stays as it is.
#[cold]
fn one_by_one(positions: &[u32], table: &[f32], planes: &mut [&mut [f32]], first: usize) {
    let entries = 1 + planes.len();
    for (item, &position) in (first..).zip(positions) {
        if position < POSITIONS && planes.iter().all(|plane| plane[item].is_finite()) {
            let entry = &table[position as usize * entries..][..entries];
            for (plane, anchor) in planes.iter_mut().zip(&entry[1..]) {
                plane[item] += (anchor - plane[item]) * entry[0];
            }
        }
    }
}
