//! What was heard of sources, and by which way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Origin;
use crate::error::{PartialError, Result};
use crate::methods::checked::checked;
use crate::methods::partial::{Gathered, Said};

/// What was heard of sources on one item, and by which way: [`Gathered`] with an [`Origin`] for each opinion.
///
/// It merges as that does. Where the same opinion came by two ways, it is put down to the simpler in the order of
/// [`Way`](super::Way), then the cheaper, so that merging stays associative, commutative and idempotent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Heard {
    gathered: Gathered<String>,
    origins: BTreeMap<String, Origin>,
}

impl Heard {
    /// Nothing yet, over so many classes.
    ///
    /// # Errors
    ///
    /// No class.
    pub fn new(classes: usize) -> Result<Self> {
        Ok(Self { gathered: Gathered::new(classes)?, origins: BTreeMap::new() })
    }

    /// Takes what a source said, unless it said something later, and answers whether it did.
    ///
    /// # Errors
    ///
    /// As [`Gathered::insert`]. Nothing is changed then.
    pub fn insert(&mut self, source: impl Into<String>, said: Said, origin: Origin) -> Result<bool> {
        let (source, generation) = (source.into(), said.generation);
        let later = self.gathered.insert(source.clone(), said)?;
        self.put_down(&source, generation, later, origin);
        Ok(later)
    }

    /// Takes all that was heard elsewhere: of each source what it said last.
    ///
    /// # Errors
    ///
    /// As [`Gathered::merge`]. Nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let before = self.generations();
        self.gathered.merge(&other.gathered)?;
        for (source, said) in other.gathered.said() {
            let later = before.get(source).is_none_or(|&held| said.generation > held);
            if let Some(&origin) = other.origins.get(source) {
                self.put_down(source, said.generation, later, origin);
            }
        }
        Ok(())
    }

    /// What each source said.
    #[must_use]
    pub const fn gathered(&self) -> &Gathered<String> {
        &self.gathered
    }

    /// By which way a source's opinion came.
    #[must_use]
    pub fn origin(&self, source: &str) -> Option<Origin> {
        self.origins.get(source).copied()
    }

    /// Whether the source has been heard.
    #[must_use]
    pub fn has(&self, source: &str) -> bool {
        self.origins.contains_key(source)
    }

    fn generations(&self) -> BTreeMap<String, u64> {
        self.gathered.said().map(|(source, said)| (source.clone(), said.generation)).collect()
    }

    /// Notes where the opinion of this generation came from, if it is the one that is held.
    fn put_down(&mut self, source: &str, generation: u64, later: bool, origin: Origin) {
        match self.origins.get_mut(source) {
            Some(held) if later => *held = origin,
            Some(held) if self.gathered.get(source).is_some_and(|said| said.generation == generation) => {
                *held = held.of_both(origin);
            }
            Some(_) => {}
            None => drop(self.origins.insert(source.to_owned(), origin)),
        }
    }

    fn check(&self) -> Result<(), PartialError> {
        let without = |source: &str| PartialError::NoOrigin { source_name: source.to_owned() };
        let mut said = self.gathered.said();
        if let Some((source, _)) = said.find(|(source, _)| !self.has(source)) {
            return Err(without(source));
        }
        match self.origins.keys().find(|source| self.gathered.get(source.as_str()).is_none()) {
            Some(source) => Err(without(source)),
            None => Ok(()),
        }
    }
}

checked!(Heard);
