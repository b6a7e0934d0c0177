//! Scans from all over the map, counted cell by cell.

use consilience::bayes::CellCounts;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::map::Map;
use crate::random::below;
use crate::scanner::{ALL, HIT, LOOKED_THROUGH, REACH, SIDE, Scan};

/// Scans held at a time.
const HELD: usize = 64;
/// Rows of a band, which one thread counts.
const BAND: usize = 64;

/// How often each scanner hit and looked through each cell. The scanners take turns; which thread does what changes nothing.
pub fn counts(map: &Map, scans: usize, seed: u64) -> Vec<Vec<CellCounts>> {
    let mut planes = vec![vec![CellCounts::default(); map.cells()]; ALL.len()];
    for first in (0..scans).step_by(HELD) {
        let held: Vec<(usize, Scan)> = (first..scans.min(first + HELD))
            .into_par_iter()
            .map(|number| (number % ALL.len(), scan(map, number, seed)))
            .collect();
        for (scanner, plane) in planes.iter_mut().enumerate() {
            plane.par_chunks_mut(BAND * map.size).enumerate().for_each(|(band, rows)| {
                for (_, scan) in held.iter().filter(|(by, _)| *by == scanner) {
                    count(scan, map.size, band * BAND, rows);
                }
            });
        }
    }
    planes
}

/// The scan of this number, at a place that is free.
fn scan(map: &Map, number: usize, seed: u64) -> Scan {
    let mut random = SplitMix64::seed_from_u64(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    loop {
        let (x, y) = (below(&mut random, map.size), below(&mut random, map.size));
        if map.is_clear(x, y, 2) {
            return ALL[number % ALL.len()].scan(map, x, y, &mut random);
        }
    }
}

/// Counts what the scan says of the rows that begin at `top`.
fn count(scan: &Scan, size: usize, top: usize, rows: &mut [CellCounts]) {
    let bottom = top + rows.len() / size;
    // The scan's square begins one row beyond its reach.
    for y in top.max(scan.y.saturating_sub(REACH + 1))..bottom.min(scan.y + REACH + 2) {
        let row = &scan.cells[(y + REACH + 1 - scan.y) * SIDE..][..SIDE];
        let (from, to) = (scan.x.saturating_sub(REACH + 1), size.min(scan.x + REACH + 2));
        let row = &row[from + REACH + 1 - scan.x..];
        for (cell, said) in rows[(y - top) * size + from..(y - top) * size + to].iter_mut().zip(row) {
            match *said {
                LOOKED_THROUGH => cell.miss(),
                HIT => cell.hit(),
                _ => {}
            }
        }
    }
}
