//! What each source said last.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Debug;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::pool::Pool;
use super::sums::Sums;
use crate::error::{Error, LengthError, PartialError, Result, SpecError};
use crate::methods::calibration::posterior;

/// The largest weight of an opinion.
pub const MOST_WEIGHT: f32 = 1e6;

/// What one source said of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Which of the source's answers it is: the latest counts.
    pub generation: u64,
    /// When it was said, since a time that all agree on.
    pub at: Duration,
    /// How much it weighs beside others, from 0 to [`MOST_WEIGHT`].
    pub weight: f32,
    /// A distribution over the classes, `[C]`.
    pub opinion: Vec<f32>,
}

impl Said {
    /// The first answer of a source, of weight 1, at time 0.
    #[must_use]
    pub fn now(opinion: &[f32]) -> Self {
        Self { generation: 0, at: Duration::ZERO, weight: 1.0, opinion: opinion.to_vec() }
    }
}

/// What each source said last of an item; `S` names a source.
///
/// It is serialised as the number of classes and a list of pairs; what is read back is checked as what is inserted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Read<S>",
    bound(serialize = "S: Serialize", deserialize = "S: Deserialize<'de> + Ord + Clone + Debug")
)]
pub struct Gathered<S> {
    classes: usize,
    #[serde(serialize_with = "as_pairs")]
    said: BTreeMap<S, Said>,
}

/// What was read and is not checked yet. A list, for a map would take two entries of one source for one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<S> {
    classes: usize,
    said: Vec<(S, Said)>,
}

fn as_pairs<S: Serialize, T: Serializer>(said: &BTreeMap<S, Said>, serializer: T) -> Result<T::Ok, T::Error> {
    serializer.collect_seq(said)
}

impl<S: Ord + Clone + Debug> TryFrom<Read<S>> for Gathered<S> {
    type Error = Error;

    fn try_from(read: Read<S>) -> Result<Self> {
        let mut gathered = Self::new(read.classes)?;
        for (source, said) in read.said {
            if gathered.said.contains_key(&source) {
                return Err(PartialError::Overlap { source_name: format!("{source:?}") }.into());
            }
            gathered.insert(source, said)?;
        }
        Ok(gathered)
    }
}

impl<S: Ord + Clone + Debug> Gathered<S> {
    /// Nothing yet, over so many classes.
    ///
    /// # Errors
    ///
    /// No class.
    pub fn new(classes: usize) -> Result<Self> {
        SpecError::check("the number of classes", classes as f64, "at least one", classes > 0)?;
        Ok(Self { classes, said: BTreeMap::new() })
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What a source said.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, source: &Q) -> Option<&Said>
    where
        S: Borrow<Q>,
    {
        self.said.get(source)
    }

    /// What each source said, in the order of sources.
    pub fn said(&self) -> impl ExactSizeIterator<Item = (&S, &Said)> {
        self.said.iter()
    }

    /// Takes what a source said, unless it said something later, and answers whether it did.
    ///
    /// # Errors
    ///
    /// No distribution over the classes; a weight out of its range; something else than the source said before under the same
    /// generation. Nothing is changed then.
    pub fn insert(&mut self, source: S, said: Said) -> Result<bool> {
        posterior::check_row(self.classes, 0, &said.opinion)?;
        if !(0.0..=MOST_WEIGHT).contains(&said.weight) {
            let (source_name, weight) = (format!("{source:?}"), said.weight);
            return Err(PartialError::Weight { source_name, weight, at_most: MOST_WEIGHT }.into());
        }
        match self.said.entry(source) {
            Entry::Vacant(place) => {
                place.insert(said);
                Ok(true)
            }
            Entry::Occupied(mut place) => {
                let later = is_later(place.key(), &said, place.get())?;
                if later {
                    place.insert(said);
                }
                Ok(later)
            }
        }
    }

    /// Takes all that was gathered elsewhere: of each source what it said last.
    ///
    /// # Errors
    ///
    /// Another number of classes; a source that said two things under one generation. Nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        LengthError::check("the classes of what was gathered elsewhere", self.classes, other.classes)?;
        let mut later = Vec::new();
        for (source, said) in &other.said {
            match self.said.get(source) {
                Some(held) if !is_later(source, said, held)? => {}
                _ => later.push((source.clone(), said.clone())),
            }
        }
        self.said.extend(later);
        Ok(())
    }

    /// What a rule needs of it.
    ///
    /// # Errors
    ///
    /// More weight than the sums hold.
    pub fn sums(&self, pool: Pool) -> Result<Sums<S>> {
        self.sums_at(pool, Duration::ZERO, |_| None)
    }

    /// The same, with each weight halved for every half-life of its source that has passed since it was said; without a
    /// half-life it keeps its weight, as it does until then. Who has come to weigh nothing by that is not in the sums.
    ///
    /// # Errors
    ///
    /// As [`Gathered::sums`].
    pub fn sums_at(&self, pool: Pool, now: Duration, half_life: impl Fn(&S) -> Option<Duration>) -> Result<Sums<S>> {
        let mut sums = Sums::new(pool, self.classes);
        for (source, said, weight) in self.aged(now, half_life) {
            if let Some(weight) = weight {
                sums.add(source, weight, &said.opinion)?;
            }
        }
        Ok(sums)
    }

    /// What each source said, with what it weighs by now; nothing where the age has left nothing of it.
    pub(crate) fn aged(
        &self,
        now: Duration,
        half_life: impl Fn(&S) -> Option<Duration>,
    ) -> impl Iterator<Item = (&S, &Said, Option<f64>)> {
        self.said.iter().map(move |(source, said)| {
            let age = now.saturating_sub(said.at).as_secs_f64();
            let share = match half_life(source).map(|half_life| half_life.as_secs_f64()) {
                // What is of no duration is over at once.
                Some(0.0) => f64::from(u8::from(age == 0.0)),
                Some(half_life) => (-age / half_life).exp2(),
                None => 1.0,
            };
            (source, said, (share > 0.0).then(|| f64::from(said.weight) * share))
        })
    }
}

/// Whether a source said something after what is held.
fn is_later<S: Debug>(source: &S, said: &Said, held: &Said) -> Result<bool, PartialError> {
    if said.generation == held.generation && said != held {
        let (source_name, generation) = (format!("{source:?}"), said.generation);
        return Err(PartialError::Contradiction { source_name, generation });
    }
    Ok(said.generation > held.generation)
}
