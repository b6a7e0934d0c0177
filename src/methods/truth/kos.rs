//! Messages between items and sources (Karger, Oh and Shah, NeurIPS 2011).

use std::ops::Range;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use super::annotations::Annotations;
use super::climb::Climb;
use super::fit::Fit;
use super::known::Known;
use super::votes::Votes;
use crate::error::{Result, TruthError};
use crate::methods::random::unit;

/// Of two classes a vote A is -1 for the first or 1 for the second. An item tells each source what the others say, x = sum A y
/// over the item's other votes; a source tells each item how far its other votes are confirmed, y = mean A x over those. After so
/// many iterations the sign of sum A y over all of an item's votes is its class. Of more classes, each is told from all others
/// in this way.
///
/// Messages are divided by the largest after each iteration, which changes no sign and keeps them finite. The lead of a class is
/// sum A y over sum |y| of the item's votes; posteriors are as 1 + lead, which is no probability of being right; of an item
/// without votes they are even. The skill is sum A x over sum |x| of all of a source's votes, from -1 to 1, and 0 without votes.
/// The objective is the sum over items of the lead of the class that is decided for, or known: no other decisions have a larger.
/// It is one value, for messages are no ascent.
///
/// The paper's y are sums. It is about sources with as many votes each, of whom means say the same; else what those with most
/// votes tell, right or wrong, outgrows all else from iteration to iteration, until answers are no better than chance. Such is
/// [`Kos::sums`].
///
/// A known class is the largest message an item can send, and a source that is taken to have been right or wrong before has
/// heard it so often. An earlier fit's skills are the first messages y.
///
/// # Examples
///
/// *Two that agree, and one that says the opposite.*
///
/// ```
/// use consilience::truth::{Annotations, Kos};
///
/// let annotations = Annotations::new(2, &[0, 0, 0, 1, 1, 1], &[0, 1, 2, 0, 1, 2], &[1, 1, 0, 0, 0, 1])?;
/// let fit = Kos::default().fit(&annotations)?;
/// assert_eq!((fit.decision(), fit.skill()), (vec![1, 0], &[1.0, 1.0, -1.0][..]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kos {
    /// Iterations.
    pub iterations: u32,
    /// Whether sources send sums as in the paper, not means.
    pub sums: bool,
    /// The seed of the first messages y, normal with mean and variance 1 as in the paper; `None`: all are 1, so that the first
    /// x are a vote's majority among the others.
    pub seed: Option<u64>,
}

impl Default for Kos {
    fn default() -> Self {
        Self { iterations: 5, sums: false, seed: None }
    }
}

impl Kos {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// No iteration.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(annotations, &Known::default())
    }

    /// The same with what is known.
    ///
    /// # Errors
    ///
    /// As [`Kos::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit; an earlier fit of
    /// other sources.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        TruthError::check_option("the number of iterations", self.iterations, self.iterations > 0, "at least 1")?;
        let votes = Votes::new(annotations, known, [0.0; 2])?;
        let first = match known.skill(annotations)? {
            Some(skill) => votes.votes.iter().map(|&(_, source)| skill[source as usize]).collect(),
            None => self.first(votes.votes.len()),
        };
        let classes = votes.classes;
        let mut posterior = vec![0.0; votes.items() * classes];
        let mut told = vec![[0.0; 2]; annotations.sources()];
        // Of two classes one is told from the other both ways alike.
        for class in if classes == 2 { 1..2 } else { 0..classes } {
            let of_class = self.messages(&votes, &first, class, &mut told);
            for (row, lead) in posterior.chunks_exact_mut(classes).zip(of_class) {
                row[class] = 1.0 + lead;
                if classes == 2 {
                    row[0] = 1.0 - lead;
                }
            }
        }
        let skill = told.iter().map(|&[says, all]| if all > 0.0 { says / all } else { 0.0 }).collect();
        let lead = |(item, row): (usize, &[f64])| match votes.known(item) {
            Some(class) => row[class] - 1.0,
            None => row.iter().copied().fold(0.0, f64::max) - 1.0,
        };
        let objective = vec![posterior.chunks_exact(classes).enumerate().map(lead).sum()];
        let climb = Climb { objective, iterations: self.iterations, ..Climb::default() };
        Ok(votes.climbed(&votes.shares(&posterior), skill, climb))
    }

    /// The lead of a class over all others, of each item; adds sum A x and sum |x| of each source.
    fn messages(&self, votes: &Votes, first: &[f64], class: usize, told: &mut [[f64; 2]]) -> Vec<f64> {
        let sign = |of: usize| if of == class { 1.0 } else { -1.0 };
        let signs: Vec<f64> = votes.votes.iter().map(|&(label, _)| sign(label as usize)).collect();
        let (mut x, mut y) = (vec![0.0; first.len()], first.to_vec());
        let mut sums = vec![0.0; told.len()];
        let others: Vec<f64> = votes.totals().map(|all| if self.sums { 1.0 } else { (all - 1.0).max(1.0) }).collect();
        for _ in 0..self.iterations {
            for run in votes.runs() {
                let all: f64 = run.clone().map(|i| signs[i] * y[i]).sum();
                run.for_each(|i| x[i] = all - signs[i] * y[i]);
            }
            scale(&mut x);
            for (item, run) in votes.runs().enumerate() {
                if let Some(known) = votes.known(item) {
                    x[run].fill(sign(known));
                }
            }
            sums.iter_mut().zip(&votes.before).for_each(|(sum, [right, wrong])| *sum = right - wrong);
            for (i, &(_, source)) in votes.votes.iter().enumerate() {
                sums[source as usize] += signs[i] * x[i];
            }
            for (i, &(_, source)) in votes.votes.iter().enumerate() {
                y[i] = (sums[source as usize] - signs[i] * x[i]) / others[source as usize];
            }
            scale(&mut y);
        }
        for ((told, sum), [right, wrong]) in told.iter_mut().zip(&sums).zip(&votes.before) {
            *told = [told[0] + sum, told[1] + right + wrong];
        }
        votes.votes.iter().zip(&x).for_each(|(&(_, source), x)| told[source as usize][1] += x.abs());
        let lead = |run: Range<usize>| {
            let says: f64 = run.clone().map(|i| signs[i] * y[i]).sum();
            let all: f64 = run.map(|i| y[i].abs()).sum();
            if all > 0.0 { says / all } else { 0.0 }
        };
        votes.runs().map(lead).collect()
    }

    fn first(&self, len: usize) -> Vec<f64> {
        let Some(seed) = self.seed else { return vec![1.0; len] };
        let mut random = SplitMix64::seed_from_u64(seed);
        // Box and Muller, 1958.
        let mut normal = || {
            let radius = (-2.0 * (1.0 - unit(&mut random)).ln()).sqrt();
            radius * (std::f64::consts::TAU * unit(&mut random)).cos()
        };
        (0..len).map(|_| 1.0 + normal()).collect()
    }
}

/// Divides messages by the largest.
fn scale(messages: &mut [f64]) {
    let most = messages.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    if most > 0.0 {
        messages.iter_mut().for_each(|x| *x /= most);
    }
}
