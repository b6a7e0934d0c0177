//! A scanner that turns once round and measures how far it is to what stands there.

use std::f32::consts::TAU;

use consilience::bayes::InverseModel;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::RngCore;

use crate::map::Map;

/// How far a scanner sees, in cells.
pub const REACH: usize = 240;

/// Cells on a side of what a scan says.
pub const SIDE: usize = 2 * REACH + 3;

/// What a scan says of a cell.
pub const LOOKED_THROUGH: u8 = 1;
pub const HIT: u8 = 2;

/// One kind of scanner.
#[derive(Debug)]
pub struct Scanner {
    /// Rays of a turn.
    rays: u16,
    /// Standard deviation of a distance, in cells.
    noise: f32,
    /// How often an echo does not come.
    missed: f32,
    /// How often it comes from nothing on the way.
    spurious: f32,
    /// What a scan's word on a cell is worth. Counted on other maps, a hit of the two would be worth 0.99 and 0.98; but scans
    /// from places near each other err alike, and taken as independent they would be too sure.
    pub model: InverseModel,
}

pub const ALL: [Scanner; 2] = [
    Scanner { rays: 1440, noise: 0.4, missed: 0.02, spurious: 0.01, model: InverseModel { hit: 0.9, miss: 0.1 } },
    Scanner { rays: 720, noise: 1.5, missed: 0.08, spurious: 0.04, model: InverseModel { hit: 0.8, miss: 0.2 } },
];

/// What a scan says: a square of cells round the scanner's.
#[derive(Debug)]
pub struct Scan {
    /// The scanner's cell.
    pub x: usize,
    pub y: usize,
    /// Row by row, the scanner's cell in the middle; 0 where it says nothing.
    pub cells: Vec<u8>,
}

impl Scanner {
    /// One turn in the middle of this cell.
    pub fn scan(&self, map: &Map, x: usize, y: usize, random: &mut SplitMix64) -> Scan {
        let mut scan = Scan { x, y, cells: vec![0; SIDE * SIDE] };
        let turned = unit(random);
        for ray in 0..self.rays {
            let angle = TAU * (f32::from(ray) + turned) / f32::from(self.rays);
            if let Some(distance) = self.measure(map, x, y, angle, random) {
                scan.note(map.size, angle, distance);
            }
        }
        scan
    }

    /// The distance measured along a ray; `None`: no echo came.
    fn measure(&self, map: &Map, x: usize, y: usize, angle: f32, random: &mut SplitMix64) -> Option<f32> {
        let mut truth = None;
        walk(angle, |dx, dy, from, to| {
            let cell = y.wrapping_add_signed(dy) * map.size + x.wrapping_add_signed(dx);
            // The outer wall lies in every ray's way.
            if map.occupied[cell] {
                truth = Some(f32::midpoint(from, to));
            }
            truth.is_none()
        });
        // So that a ray's luck does not depend on what is in its way.
        let (missed, spurious, share, noise) = (unit(random), unit(random), unit(random), normal(random));
        if spurious < self.spurious {
            return Some(share * truth.unwrap_or(REACH as f32));
        }
        let distance = truth? + self.noise * noise;
        (missed >= self.missed && distance > 0.0 && distance < REACH as f32).then_some(distance)
    }
}

impl Scan {
    /// A ray that came back from so far.
    fn note(&mut self, size: usize, angle: f32, distance: f32) {
        let (x, y) = (self.x, self.y);
        walk(angle, |dx, dy, _, to| {
            let inside = x.checked_add_signed(dx).is_some_and(|x| x < size)
                && y.checked_add_signed(dy).is_some_and(|y| y < size);
            let is_end = to > distance;
            if inside {
                let middle = (REACH + 1) as isize;
                let cell = &mut self.cells[(middle + dy) as usize * SIDE + (middle + dx) as usize];
                // A hit counts for more than rays that pass beside it.
                *cell = (*cell).max(if is_end { HIT } else { LOOKED_THROUGH });
            }
            inside && !is_end
        });
    }
}

/// Visits the cells along a ray from the middle of a cell: their place from there, and where the ray enters and leaves them;
/// until it is told to stop, or beyond the reach.
fn walk(angle: f32, mut visit: impl FnMut(isize, isize, f32, f32) -> bool) {
    let (sin, cos) = angle.sin_cos();
    let along = |component: f32| {
        let per_cell = 1.0 / component.abs().max(1e-9);
        (if component < 0.0 { -1 } else { 1 }, per_cell, 0.5 * per_cell)
    };
    let ((step_x, per_x, mut next_x), (step_y, per_y, mut next_y)) = (along(cos), along(sin));
    let (mut x, mut y, mut from) = (0_isize, 0_isize, 0.0);
    while from < REACH as f32 {
        let to = next_x.min(next_y);
        if !visit(x, y, from, to) {
            return;
        }
        from = to;
        if next_x < next_y {
            x += step_x;
            next_x += per_x;
        } else {
            y += step_y;
            next_y += per_y;
        }
    }
}

/// In [0, 1).
fn unit(random: &mut SplitMix64) -> f32 {
    (random.next_u64() >> 40) as f32 / (1 << 24) as f32
}

/// Of the standard normal distribution (Box and Muller).
fn normal(random: &mut SplitMix64) -> f32 {
    (-2.0 * (1.0 - unit(random)).ln()).sqrt() * (TAU * unit(random)).cos()
}
