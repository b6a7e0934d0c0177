//! What requests have in common that are learned from together.

use serde::{Deserialize, Serialize};

use super::{Options, Situation};

/// The requests that are learned from together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// How long what is missing takes.
    pub work: Work,
    /// How much of what is needed is held, or about to be.
    pub held: Held,
    /// Whether there are so many items that they are a batch.
    pub batch: bool,
    /// Whether others wait to be asked side by side.
    pub busy: bool,
}

/// How long what is missing takes, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// That is not known.
    Unknown,
    /// At most a tenth of [`Options::costly`].
    Little,
    /// At most [`Options::costly`].
    Some,
    /// More.
    Much,
}

/// How much of what is needed is held, or about to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Nothing.
    Nothing,
    /// At most the share [`Options::cached`].
    Part,
    /// More.
    Most,
}

impl Context {
    /// How many there are.
    pub const COUNT: usize = 48;

    pub(super) fn of(situation: &Situation, options: &Options) -> Self {
        let work = match situation.work {
            None => Work::Unknown,
            Some(work) if work <= options.costly / 10 => Work::Little,
            Some(work) if work <= options.costly => Work::Some,
            Some(_) => Work::Much,
        };
        let held = match situation.soon() {
            0.0 => Held::Nothing,
            share if share <= options.cached => Held::Part,
            _ => Held::Most,
        };
        Self { work, held, batch: situation.items >= options.batch, busy: situation.busy }
    }

    pub(super) fn index(self) -> usize {
        (3 * self.work as usize + self.held as usize) * 4 + 2 * usize::from(self.batch) + usize::from(self.busy)
    }

    pub(super) fn at(index: usize) -> Self {
        let work = [Work::Unknown, Work::Little, Work::Some, Work::Much][index / 12];
        let held = [Held::Nothing, Held::Part, Held::Most][index / 4 % 3];
        Self { work, held, batch: index / 2 % 2 == 1, busy: index % 2 == 1 }
    }
}
