//! Messages between items and sources (Karger, Oh and Shah, NeurIPS 2011).

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::annotations::Annotations;
use super::fit::{Ending, Fit};
use super::votes::Votes;
use crate::error::{Result, TruthError};

/// Of two classes a vote A is -1 for the first or 1 for the second. An item tells each source what the others say, x = sum A y
/// over the item's other votes; a source tells each item how far its other votes are confirmed, y = sum A x over those. After so
/// many iterations the sign of sum A y over all of an item's votes is its class.
///
/// Messages are divided by the largest after each iteration, which changes no sign and keeps them finite. The posterior is the
/// share of |y| that speaks for a class, which is no probability of being right; of an item without votes both are 1/2. The
/// skill is sum A x over sum |x| of all of a source's votes, from -1 to 1, and 0 without votes. There is no objective.
///
/// It was made for sources with about as many votes each. Where few voted far more often than the rest, what they tell outgrows
/// all else from iteration to iteration, and the answer may be worse than the majority's.
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
    /// The seed of the first messages y, normal with mean and variance 1 as in the paper; `None`: all are 1, so that the first
    /// x are a vote's majority among the others.
    pub seed: Option<u64>,
}

impl Default for Kos {
    fn default() -> Self {
        Self { iterations: 20, seed: None }
    }
}

impl Kos {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// Other than two classes; no iteration.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        if annotations.classes() != 2 {
            let (what, value) = ("the number of classes", annotations.classes() as f64);
            return Err(TruthError::Option { what, value, must: "2 for messages, whose sign is the class" }.into());
        }
        if self.iterations == 0 {
            let (what, must) = ("the number of iterations", "at least 1");
            return Err(TruthError::Option { what, value: 0.0, must }.into());
        }
        let votes = Votes::of(annotations);
        let signs: Vec<f64> = votes.votes.iter().map(|&(label, _)| f64::from(label) * 2.0 - 1.0).collect();
        let mut y = self.first(votes.votes.len());
        let mut x = vec![0.0; y.len()];
        let mut skill = vec![0.0; annotations.sources()];
        for _ in 0..self.iterations {
            for ends in votes.starts.windows(2) {
                let run = ends[0] as usize..ends[1] as usize;
                let all: f64 = run.clone().map(|i| signs[i] * y[i]).sum();
                run.for_each(|i| x[i] = all - signs[i] * y[i]);
            }
            scale(&mut x);
            skill.fill(0.0);
            for (i, &(_, source)) in votes.votes.iter().enumerate() {
                skill[source as usize] += signs[i] * x[i];
            }
            for (i, &(_, source)) in votes.votes.iter().enumerate() {
                y[i] = skill[source as usize] - signs[i] * x[i];
            }
            scale(&mut y);
        }
        let mut told = vec![0.0; skill.len()];
        votes.votes.iter().zip(&x).for_each(|(&(_, source), x)| told[source as usize] += x.abs());
        for (skill, told) in skill.iter_mut().zip(told) {
            *skill = if told > 0.0 { *skill / told } else { 0.0 };
        }
        let mut posterior = Vec::with_capacity(votes.items() * 2);
        for ends in votes.starts.windows(2) {
            let run = ends[0] as usize..ends[1] as usize;
            let says: f64 = run.clone().map(|i| signs[i] * y[i]).sum();
            let all: f64 = run.map(|i| y[i].abs()).sum();
            let lead = if all > 0.0 { says / all } else { 0.0 };
            posterior.extend([(1.0 - lead) / 2.0, (1.0 + lead) / 2.0]);
        }
        let fit = votes.fit(&posterior, skill, 0.0);
        Ok(Fit { objective: Vec::new(), iterations: self.iterations, ending: Ending::Iterations, ..fit })
    }

    fn first(&self, len: usize) -> Vec<f64> {
        let Some(seed) = self.seed else { return vec![1.0; len] };
        let mut random = SplitMix64::seed_from_u64(seed);
        let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        // Box and Muller, 1958.
        let mut normal = || (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
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
