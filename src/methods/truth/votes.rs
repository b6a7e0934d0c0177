//! What was said, abstentions left out, and what comes of counting it.

use std::ops::Range;

use super::annotations::{ABSTAINED, Annotations};
use super::climb::Climb;
use super::fit::{Ending, Fit};
use super::known::Known;
use crate::error::Result;
use crate::kernel::em::expect::UNKNOWN;

/// Sums as close as this, of the larger one, are equal: they may have been added in another order.
const EQUAL: f64 = 1e-12;

/// The votes on each item. Within an item they are sorted, so that the order of the annotations changes no bit of a sum.
#[derive(Debug)]
pub(super) struct Votes {
    pub classes: usize,
    /// Where each item's votes begin, and where the last one's end.
    pub starts: Vec<u32>,
    /// Labels and who gave them.
    pub votes: Vec<(u32, u32)>,
    /// How often each source voted.
    pub counts: Vec<f64>,
    /// The class of each item, or [`UNKNOWN`].
    pub gold: Vec<u32>,
    /// How often each source is taken to have been right before, and wrong.
    pub before: Vec<[f64; 2]>,
}

impl Votes {
    /// With what is known, where nothing is of sources: so often right, and wrong.
    pub fn new(annotations: &Annotations, known: &Known<'_>, default: [f64; 2]) -> Result<Self> {
        let mut starts = Vec::with_capacity(annotations.items() + 1);
        starts.push(0);
        let mut votes = Vec::with_capacity(annotations.len());
        let mut counts = vec![0.0; annotations.sources()];
        for item in 0..annotations.items() {
            let begin = votes.len();
            for (source, label) in annotations.of_item(item).filter(|&(_, label)| label != ABSTAINED) {
                votes.push((label, source));
                counts[source as usize] += 1.0;
            }
            votes[begin..].sort_unstable();
            starts.push(votes.len() as u32);
        }
        let (gold, before) = (known.gold(annotations)?, known.accuracies(annotations, default)?);
        Ok(Self { classes: annotations.classes(), starts, votes, counts, gold, before })
    }

    pub fn items(&self) -> usize {
        self.gold.len()
    }

    /// Where each item's votes are.
    pub fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        self.starts.windows(2).map(|ends| ends[0] as usize..ends[1] as usize)
    }

    /// The votes on each item.
    pub fn of_items(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        self.runs().map(|run| &self.votes[run])
    }

    /// The class of an item, where it is known.
    pub fn known(&self, item: usize) -> Option<usize> {
        let class = self.gold[item];
        (class != UNKNOWN).then_some(class as usize)
    }

    /// The sums of what the votes for each class weigh, [B, C].
    pub fn sums(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.items() * self.classes];
        for (row, votes) in sums.chunks_exact_mut(self.classes).zip(self.of_items()) {
            for &(label, source) in votes {
                row[label as usize] += weights[source as usize];
            }
        }
        sums
    }

    /// The classes of the largest sum, which share the item, or the one known, [B, C].
    pub fn decided(&self, sums: &[f64]) -> Vec<f64> {
        let mut decided = Vec::with_capacity(sums.len());
        for row in sums.chunks_exact(self.classes) {
            let winners = row.iter().filter(|&&sum| wins(row, sum)).count();
            decided.extend(row.iter().map(|&sum| if wins(row, sum) { 1.0 / winners as f64 } else { 0.0 }));
        }
        self.settle(&mut decided);
        decided
    }

    /// Sums as shares of their item's, [B, C]; where there is nothing to share, all the same; those of a known class are its.
    pub fn shares(&self, sums: &[f64]) -> Vec<f64> {
        let mut shares = Vec::with_capacity(sums.len());
        for row in sums.chunks_exact(self.classes) {
            let all: f64 = row.iter().sum();
            shares.extend(row.iter().map(|sum| if all > 0.0 { sum / all } else { 1.0 / self.classes as f64 }));
        }
        self.settle(&mut shares);
        shares
    }

    /// Gives each item of a known class to it.
    pub fn settle(&self, posterior: &mut [f64]) {
        for (item, row) in posterior.chunks_exact_mut(self.classes).enumerate() {
            if let Some(class) = self.known(item) {
                row.fill(0.0);
                row[class] = 1.0;
            }
        }
    }

    /// How many of each source's votes a posterior agrees with, and how often it was right before, `[N]`.
    pub fn agreements(&self, posterior: &[f64]) -> Vec<f64> {
        let mut agreements: Vec<f64> = self.before.iter().map(|before| before[0]).collect();
        for (row, votes) in posterior.chunks_exact(self.classes).zip(self.of_items()) {
            for &(label, source) in votes {
                agreements[source as usize] += row[label as usize];
            }
        }
        agreements
    }

    /// How often each source voted, and before.
    pub fn totals(&self) -> impl Iterator<Item = f64> {
        self.counts.iter().zip(&self.before).map(|(count, [right, wrong])| count + right + wrong)
    }

    /// The share of that that a posterior agrees with, `[N]`; of a source without votes that of chance.
    pub fn agreement(&self, posterior: &[f64]) -> Vec<f64> {
        let chance = 1.0 / self.classes as f64;
        let share = |(agrees, of): (f64, f64)| if of > 0.0 { agrees / of } else { chance };
        self.agreements(posterior).into_iter().zip(self.totals()).map(share).collect()
    }

    /// The fit of a method of one pass, with one value as its objective.
    pub fn fit(&self, posterior: &[f64], skill: Vec<f64>, objective: f64) -> Fit {
        let climb = Climb { objective: vec![objective], iterations: 1, ending: Some(Ending::Converged) };
        self.climbed(posterior, skill, climb)
    }

    /// The fit of one that climbed.
    pub fn climbed(&self, posterior: &[f64], skill: Vec<f64>, climb: Climb) -> Fit {
        Fit::of(self.classes, posterior.iter().map(|&p| p as f32).collect(), skill, climb)
    }
}

/// Whether a sum is the largest of its row, or equals it.
fn wins(row: &[f64], sum: f64) -> bool {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    sum >= most - EQUAL * most.abs()
}
