//! The shares of votes.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::annotations::Annotations;
use super::climb::Climb;
use super::fit::{Ending, Fit};
use super::known::Known;
use crate::error::Result;
use crate::kernel::em::expect::UNKNOWN;
use crate::methods::random::below;

/// The shares of an item's votes that each class has, [B, C]: those of a tie share it; of an item on which nobody voted, all
/// the same.
///
/// # Examples
///
/// *Two of three, and a tie.*
///
/// ```
/// use consilience::truth::{Annotations, majority};
///
/// let annotations = Annotations::new(2, &[0, 0, 0, 1, 1], &[0, 1, 2, 0, 1], &[1, 1, 0, 0, 1])?;
/// assert_eq!(majority(&annotations), [1.0 / 3.0, 2.0 / 3.0, 0.5, 0.5]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[must_use]
pub fn majority(annotations: &Annotations) -> Vec<f32> {
    let classes = annotations.classes();
    let mut shares = vec![0.0_f32; annotations.items() * classes];
    for (item, row) in shares.chunks_exact_mut(classes).enumerate() {
        for (_, label) in annotations.of_item(item) {
            // Nobody votes by abstaining.
            if let Some(votes) = row.get_mut(label as usize) {
                *votes += 1.0;
            }
        }
        let votes: f32 = row.iter().sum();
        if votes > 0.0 {
            row.iter_mut().for_each(|share| *share /= votes);
        } else {
            row.fill(1.0 / classes as f32);
        }
    }
    shares
}

/// The same, and the class of an item where it is known.
pub(super) fn votes(annotations: &Annotations, gold: &[u32]) -> Vec<f32> {
    let mut shares = majority(annotations);
    for (row, &known) in shares.chunks_exact_mut(annotations.classes()).zip(gold) {
        if known != UNKNOWN {
            row.fill(0.0);
            row[known as usize] = 1.0;
        }
    }
    shares
}

/// Whose votes are the most, with what becomes of a tie.
///
/// The posterior is [`majority`]'s; the skill the share of a source's votes that are the majority's decision, of a tie among m
/// classes one m-th, and that of chance, 1/C, of a source without votes. The objective is the number of votes decided so.
///
/// # Examples
///
/// *A tie that is drawn: the posterior is even but for the last bit of the class drawn.*
///
/// ```
/// use consilience::truth::{Annotations, Majority, Ties};
///
/// let annotations = Annotations::new(2, &[0, 0], &[0, 1], &[0, 1])?;
/// let drawn = |seed| Majority { ties: Ties::Seeded(seed) }.fit(&annotations).map(|fit| fit.decision()[0]);
/// let ones = (0..1000).map(drawn).sum::<Result<u32, _>>()?;
/// assert!((450..550).contains(&ones));
/// assert_eq!(drawn(7)?, drawn(7)?);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Majority {
    /// What becomes of a tie.
    pub ties: Ties,
}

/// What becomes of a tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Ties {
    /// The tied classes share the item evenly; [`Fit::decision`] names the lowest.
    #[default]
    Split,
    /// One of the tied classes is drawn for each item, by this seed and the item's index alone: its share is the next larger
    /// number, so that [`Fit::decision`] names it. Of an item without votes, any class.
    Seeded(u64),
}

impl Majority {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// None so far: annotations are checked as they are taken.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(annotations, &Known::default())
    }

    /// The same with items whose class is known. What is known of sources makes no difference: all their votes are alike.
    ///
    /// # Errors
    ///
    /// A known class of no item, that is none, or two of one item.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let classes = annotations.classes();
        let mut posterior = votes(annotations, &known.gold(annotations)?);
        // What each source's votes agree with, and how many there are.
        let mut records = vec![[0.0; 2]; annotations.sources()];
        for (item, row) in posterior.chunks_exact_mut(classes).enumerate() {
            let most = row.iter().copied().fold(0.0, f32::max);
            let tied = row.iter().filter(|&&share| share == most).count();
            for (source, label) in annotations.of_item(item) {
                if let Some(&share) = row.get(label as usize) {
                    let [agrees, all] = &mut records[source as usize];
                    *agrees += if share == most { 1.0 / tied as f64 } else { 0.0 };
                    *all += 1.0;
                }
            }
            if let (Ties::Seeded(seed), 2..) = (self.ties, tied) {
                let mut random = SplitMix64::seed_from_u64(seed);
                random = SplitMix64::seed_from_u64(random.next_u64() ^ item as u64);
                let drawn = below(&mut random, tied);
                if let Some(share) = row.iter_mut().filter(|share| **share == most).nth(drawn) {
                    *share = share.next_up();
                }
            }
        }
        let skill = |[agrees, all]: &[f64; 2]| if *all > 0.0 { agrees / all } else { 1.0 / classes as f64 };
        let objective = vec![records.iter().map(|[agrees, _]| agrees).sum()];
        let climb = Climb { objective, iterations: 1, ending: Some(Ending::Converged) };
        Ok(Fit::of(classes, posterior, records.iter().map(skill).collect(), climb))
    }
}
