//! The annotations of each item, as lists in one vector that only grows.

use serde::{Deserialize, Serialize};

/// No annotation, or no known class.
pub(super) const NONE: u32 = u32::MAX;

/// Of each annotation the cell, symbols x source + symbol, and the place of the one before it of the same item, or [`NONE`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Lists {
    nodes: Vec<[u32; 2]>,
}

impl Lists {
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Puts one at the end of a list, of which `last` is the place of the last one.
    pub fn push(&mut self, last: &mut u32, cell: u32) {
        self.nodes.push([cell, *last]);
        *last = self.nodes.len() as u32 - 1;
    }

    /// Puts another cell where one is, and answers with that one.
    pub fn replace(&mut self, place: u32, cell: u32) -> u32 {
        std::mem::replace(&mut self.nodes[place as usize][0], cell)
    }

    /// The places and cells of a list, from the last to the first.
    pub fn walk(&self, last: u32) -> impl Iterator<Item = (u32, u32)> {
        let mut next = last;
        std::iter::from_fn(move || {
            // `NONE` is no place either.
            let &[cell, before] = self.nodes.get(next as usize)?;
            Some((std::mem::replace(&mut next, before), cell))
        })
    }

    pub fn cells(&self, last: u32) -> impl Iterator<Item = u32> {
        self.walk(last).map(|(_, cell)| cell)
    }

    /// Refuses cells that are none, and lists that do not end or that share an annotation.
    pub fn check(&self, lasts: impl Iterator<Item = u32>, cells: u64) -> Result<(), String> {
        for (place, &[cell, before]) in self.nodes.iter().enumerate() {
            if u64::from(cell) >= cells {
                return Err(format!("the answer {cell} of annotation {place} is none, it must be below {cells}"));
            }
            // So every list ends.
            if before != NONE && before as usize >= place {
                return Err(format!(
                    "annotation {place} comes after annotation {before}, which must be an earlier one"
                ));
            }
        }
        let mut met = vec![false; self.nodes.len()];
        for last in lasts {
            if last != NONE && last as usize >= self.nodes.len() {
                return Err(format!("the last annotation of an item is {last}, there are {}", self.nodes.len()));
            }
            for (place, _) in self.walk(last) {
                if std::mem::replace(&mut met[place as usize], true) {
                    return Err(format!("annotation {place} is in two lists, it must be in one"));
                }
            }
        }
        match met.iter().position(|met| !met) {
            None => Ok(()),
            Some(place) => Err(format!("annotation {place} is of no item")),
        }
    }
}
