//! A building that is made up: walls, doors, pillars.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::random::below;

/// Thickness of a wall.
const WALL: usize = 3;
/// Width of a door.
const DOOR: usize = 12;

/// Which cells of a square are occupied.
#[derive(Debug)]
pub struct Map {
    /// Cells on a side.
    pub size: usize,
    /// Row by row.
    pub occupied: Vec<bool>,
}

/// A room without its walls: columns and rows.
#[derive(Debug, Clone, Copy)]
struct Room {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Map {
    /// The same for a seed on every machine.
    pub fn random(size: usize, seed: u64) -> Self {
        let mut random = SplitMix64::seed_from_u64(seed);
        let mut map = Self { size, occupied: vec![true; size * size] };
        let inside = Room { left: WALL, top: WALL, right: size - WALL, bottom: size - WALL };
        map.fill(inside, false);
        // The shortest side of a room.
        let least = (size / 16).clamp(28, 140);
        let mut rooms = vec![inside];
        while let Some(room) = rooms.pop() {
            match map.divide(room, least, &mut random) {
                Some(halves) => rooms.extend(halves),
                None => map.furnish(room, &mut random),
            }
        }
        map
    }

    pub fn cells(&self) -> usize {
        self.occupied.len()
    }

    /// Whether nothing stands within so many cells of this one.
    pub fn is_clear(&self, x: usize, y: usize, within: usize) -> bool {
        let side = |at: usize| at.saturating_sub(within)..(at + within + 1).min(self.size);
        side(y).all(|y| side(x).all(|x| !self.occupied[y * self.size + x]))
    }

    fn fill(&mut self, room: Room, occupied: bool) {
        for y in room.top..room.bottom {
            self.occupied[y * self.size + room.left..y * self.size + room.right].fill(occupied);
        }
    }

    /// Puts a wall with a door across the longer side, if both halves are rooms then.
    fn divide(&mut self, room: Room, least: usize, random: &mut SplitMix64) -> Option<[Room; 2]> {
        let (width, height) = (room.right - room.left, room.bottom - room.top);
        let (long, across) = (width.max(height), width.min(height));
        let slack = long.checked_sub(2 * least + WALL)?;
        let at = least + below(random, slack + 1);
        let door = below(random, across - DOOR);
        if width >= height {
            let (left, right) = (room.left + at, room.left + at + WALL);
            self.fill(Room { left, right, ..room }, true);
            self.fill(Room { left, right, top: room.top + door, bottom: room.top + door + DOOR }, false);
            Some([Room { right: left, ..room }, Room { left: right, ..room }])
        } else {
            let (top, bottom) = (room.top + at, room.top + at + WALL);
            self.fill(Room { top, bottom, ..room }, true);
            self.fill(Room { top, bottom, left: room.left + door, right: room.left + door + DOOR }, false);
            Some([Room { bottom: top, ..room }, Room { top: bottom, ..room }])
        }
    }

    /// Up to three round pillars, not before a door.
    fn furnish(&mut self, room: Room, random: &mut SplitMix64) {
        for _ in 0..below(random, 4) {
            let radius = 2 + below(random, 4);
            let margin = DOOR + radius;
            let place = |from: usize, to: usize, random: &mut SplitMix64| {
                Some(from + margin + below(random, (to - from).checked_sub(2 * margin + 1)?))
            };
            let x = place(room.left, room.right, random);
            let Some((x, y)) = x.zip(place(room.top, room.bottom, random)) else { return };
            for row in y - radius..=y + radius {
                for column in x - radius..=x + radius {
                    if row.abs_diff(y).pow(2) + column.abs_diff(x).pow(2) <= radius * radius {
                        self.occupied[row * self.size + column] = true;
                    }
                }
            }
        }
    }
}
