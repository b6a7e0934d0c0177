//! Two parts of a stream made one.

use super::{Item, NONE, Online, Room};
use crate::error::{Result, StateError, TruthError};
use crate::methods::truth::annotations::check_count;

impl Online {
    /// Takes over what another saw of the same sources and items, as if the two streams had run side by side: with the later
    /// clock where something is forgotten. What either believes of an item that the other does not know stays; of an item of
    /// both, it is found anew from all its annotations. Which is merged into which changes rounding alone, but where a
    /// source's label for an item replaces its earlier one: that of `other` counts as the later.
    ///
    /// It takes time in proportion to what both hold, and until it has succeeded, memory beside.
    ///
    /// # Errors
    ///
    /// Another number of classes or other options; two known classes of an item, or two known counts of a source; a duplicate where
    /// they are rejected; more than 2^32 - 2 annotations. Nothing is changed then.
    ///
    /// # Examples
    ///
    /// *Two that saw different items.*
    ///
    /// ```
    /// use consilience::truth::Online;
    ///
    /// let [mut left, mut right] = [Online::new(2, Default::default())?, Online::new(2, Default::default())?];
    /// left.add(0, 0, 1)?;
    /// right.add(1, 0, 0)?;
    /// left.merge(&right)?;
    /// assert_eq!((left.len(), left.decision(0), left.decision(1)), (2, Some(1), Some(0)));
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        StateError::check_same("classes", &self.classes, &other.classes)?;
        StateError::check_same("options", &self.options, &other.options)?;
        for (source, theirs) in other.statistics.known() {
            if let Some(mine) = self.statistics.known().get(source) {
                StateError::check_same("known counts of a source", mine, theirs)?;
            }
        }
        for (item, (mine, theirs)) in self.items.iter().zip(&other.items).enumerate() {
            if mine.gold != NONE && theirs.gold != NONE && mine.gold != theirs.gold {
                let (item, classes) = (item as u32, [mine.gold, theirs.gold]);
                return Err(TruthError::Contradiction { item, classes }.into());
            }
        }
        check_count("annotations", self.len() as u64 + other.len() as u64)?;
        let mut merged = self.clone();
        merged.take(other)?;
        *self = merged;
        Ok(())
    }

    fn take(&mut self, other: &Self) -> Result<()> {
        let [mine, theirs] = [&self.statistics, &other.statistics].map(|statistics| statistics.clock());
        self.resize([self.items().max(other.items()), self.sources()]);
        self.statistics.join(&other.statistics);
        for (&source, counts) in other.statistics.known() {
            self.statistics.know(source, counts.clone());
        }
        // What was put in so long ago by one clock was so by the other.
        let now = self.statistics.clock();
        self.items.iter_mut().filter(|item| item.counts()).for_each(|item| item.then += now - mine);
        let (symbols, classes) = (self.statistics.symbols() as u32, self.classes);
        let mut of_both = Vec::new();
        for (item, of_other) in other.items.iter().enumerate().filter(|(_, item)| item.counts()) {
            let of_item = self.items[item];
            let then = of_other.then + (now - theirs);
            if of_item.counts() {
                of_both.push(item);
            } else {
                let believed = &other.posterior[item * classes..][..classes];
                self.posterior[item * classes..][..classes].copy_from_slice(believed);
            }
            let mut cells: Vec<u32> = other.annotations.cells(of_other.last).collect();
            cells.reverse();
            for cell in cells {
                let earlier = self.earlier(item as u32, cell / symbols)?;
                self.list(item, earlier, cell);
            }
            let gold = if of_item.gold == NONE { of_other.gold } else { of_item.gold };
            self.items[item] = Item { last: self.items[item].last, gold, then: of_item.then.max(then) };
        }
        // All by the same counts, so that none comes first.
        let mut room = Room::new(classes);
        for item in of_both {
            let of_item = self.items[item];
            self.statistics.expect(self.annotations.cells(of_item.last), of_item.gold(), &mut room);
            self.posterior[item * classes..][..classes].copy_from_slice(&room.posterior);
        }
        self.recount();
        Ok(())
    }
}
