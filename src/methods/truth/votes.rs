//! What was said, abstentions left out, and what comes of counting it.

use super::annotations::{ABSTAINED, Annotations};
use super::fit::{Ending, Fit};

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
}

impl Votes {
    pub fn of(annotations: &Annotations) -> Self {
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
        Self { classes: annotations.classes(), starts, votes, counts }
    }

    pub fn items(&self) -> usize {
        self.starts.len() - 1
    }

    /// The votes on each item.
    pub fn of_items(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        self.starts.windows(2).map(|ends| &self.votes[ends[0] as usize..ends[1] as usize])
    }

    /// The sums of what the votes for each class weigh, [B, C].
    pub fn sums(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.items() * self.classes];
        for (row, votes) in sums.chunks_exact_mut(self.classes.max(1)).zip(self.of_items()) {
            for &(label, source) in votes {
                row[label as usize] += weights[source as usize];
            }
        }
        sums
    }

    /// How much of each source's votes a posterior agrees with, [N].
    pub fn agreements(&self, posterior: &[f64]) -> Vec<f64> {
        let mut agreements = vec![0.0; self.counts.len()];
        for (row, votes) in posterior.chunks_exact(self.classes.max(1)).zip(self.of_items()) {
            for &(label, source) in votes {
                agreements[source as usize] += row[label as usize];
            }
        }
        agreements
    }

    /// The share of each source's votes that a posterior agrees with, [N]; of a source without votes that of chance.
    pub fn agreement(&self, posterior: &[f64]) -> Vec<f64> {
        let chance = 1.0 / self.classes.max(1) as f64;
        let share = |(agrees, &of): (f64, &f64)| if of > 0.0 { agrees / of } else { chance };
        self.agreements(posterior).into_iter().zip(&self.counts).map(share).collect()
    }

    /// The fit of a method of one pass, with one value as its objective.
    pub fn fit(&self, posterior: &[f64], skill: Vec<f64>, objective: f64) -> Fit {
        Fit {
            classes: self.classes,
            posterior: posterior.iter().map(|&p| p as f32).collect(),
            skill,
            objective: vec![objective],
            iterations: 1,
            ending: Ending::Converged,
            confusions: None,
        }
    }
}

/// The classes of the largest sum, which share the item, [B, C].
pub(super) fn decided(sums: &[f64], classes: usize) -> Vec<f64> {
    let mut decided = Vec::with_capacity(sums.len());
    for row in sums.chunks_exact(classes.max(1)) {
        let winners = row.iter().filter(|&&sum| wins(row, sum)).count();
        decided.extend(row.iter().map(|&sum| if wins(row, sum) { 1.0 / winners as f64 } else { 0.0 }));
    }
    decided
}

/// Whether a sum is the largest of its row, or equals it.
pub(super) fn wins(row: &[f64], sum: f64) -> bool {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    sum >= most - EQUAL * most.abs()
}

/// Sums as shares of their item's, [B, C]; where there is nothing to share, all the same.
pub(super) fn shares(sums: &[f64], classes: usize) -> Vec<f64> {
    let mut shares = Vec::with_capacity(sums.len());
    for row in sums.chunks_exact(classes.max(1)) {
        let all: f64 = row.iter().sum();
        shares.extend(row.iter().map(|sum| if all > 0.0 { sum / all } else { 1.0 / classes as f64 }));
    }
    shares
}
