//! Sources that know, or answer without looking (Hovy, Berg-Kirkpatrick, Vaswani and Hovy, NAACL 2013).

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::annotations::Annotations;
use super::fit::{Ending, Fit};
use super::gamma::{digamma, ln_gamma};
use super::votes::Votes;
use crate::error::{Result, TruthError};

/// Of each item a source knows the class and names it, with probability theta, its competence; else it answers by its habit xi,
/// a distribution over labels, whatever the item is. All classes are as likely beforehand. So a label is as likely under every
/// class but its own, (1 - theta) xi, and costs the same whatever the number of classes.
///
/// Both are inferred by variational Bayes as in the paper, with theta by Beta(`knows`, `guesses`) and xi by
/// Dirichlet(`habit`). The objective is the bound of the log evidence, sum over items of ln sum over classes of 1/C prod
/// exp E ln P(label | class), less the divergences of theta and xi from their priors. It never falls. The fit that begins best
/// is found by trial: of all restarts, each of so many iterations, the one with the best objective is taken.
///
/// A restart draws the competences it begins with; habits begin as the labels each source gave, with `habit` added to each. The
/// skill is the mean of theta; of a source without votes that of its prior. Of an item without votes every class is as likely.
///
/// # Examples
///
/// *Source 3 says 0 of everything.*
///
/// ```
/// use consilience::truth::{Annotations, Mace};
///
/// let items: Vec<u32> = (0..20).flat_map(|item| [item; 4]).collect();
/// let sources: Vec<u32> = (0..20).flat_map(|_| 0..4).collect();
/// let labels: Vec<u32> = (0..20).flat_map(|item| [item % 2, item % 2, item % 2, 0]).collect();
/// let fit = Mace::default().fit(&Annotations::new(2, &items, &sources, &labels)?)?;
/// assert_eq!(fit.decision(), [0, 1].repeat(10));
/// assert!(fit.skill()[0] > 0.9 && fit.skill()[3] < 0.2);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mace {
    /// Fits that are tried.
    pub restarts: u32,
    /// Iterations of each.
    pub iterations: u32,
    /// What the competences that each begins with are drawn by.
    pub seed: u64,
    /// The first parameter of the Beta prior of a competence.
    pub knows: f64,
    /// The second.
    pub guesses: f64,
    /// The parameter of the Dirichlet prior of a habit, of each label.
    pub habit: f64,
}

impl Default for Mace {
    fn default() -> Self {
        Self { restarts: 10, iterations: 50, seed: 0, knows: 0.5, guesses: 0.5, habit: 10.0 }
    }
}

impl Mace {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// An option out of its range.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.check()?;
        let votes = Votes::of(annotations);
        if votes.classes < 2 {
            let skill = vec![self.knows / (self.knows + self.guesses); annotations.sources()];
            return Ok(votes.fit(&vec![1.0; votes.items() * votes.classes], skill, 0.0));
        }
        let mut random = SplitMix64::seed_from_u64(self.seed);
        let mut state = State::new(self, &votes);
        let mut best: Option<(Vec<f64>, Parameters)> = None;
        for _ in 0..self.restarts {
            state.begin(&mut random);
            let mut objective = Vec::with_capacity(self.iterations as usize);
            for iteration in 0..self.iterations {
                if iteration > 0 {
                    state.maximise();
                }
                objective.push(state.expect());
            }
            let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NEG_INFINITY);
            if best.as_ref().is_none_or(|(values, _)| last(&objective) > last(values)) {
                best = Some((objective, state.parameters.clone()));
            }
        }
        let Some((objective, parameters)) = best else { return Ok(votes.fit(&[], Vec::new(), 0.0)) };
        state.parameters = parameters;
        state.tabulate();
        let fit = votes.fit(&state.posterior(), state.skill(), 0.0);
        Ok(Fit { objective, iterations: self.iterations, ending: Ending::Iterations, ..fit })
    }

    fn check(&self) -> Result<()> {
        let option = |what, value, must| Err(TruthError::Option { what, value, must }.into());
        for (what, value) in [("the number of restarts", self.restarts), ("the number of iterations", self.iterations)]
        {
            if value == 0 {
                return option(what, 0.0, "at least 1");
            }
        }
        let priors = [("the prior of knowing", self.knows), ("the prior of guessing", self.guesses)];
        for (what, value) in priors.into_iter().chain([("the prior of habits", self.habit)]) {
            if !(1e-3..=1e6).contains(&value) {
                return option(what, value, "between 1e-3 and 1e6");
            }
        }
        Ok(())
    }
}

/// What is inferred of sources.
#[derive(Debug, Clone)]
struct Parameters {
    /// Beta parameters of each competence.
    theta: Vec<[f64; 2]>,
    /// Dirichlet parameters of each habit, [N, C].
    xi: Vec<f64>,
}

struct State<'a> {
    prior: &'a Mace,
    votes: &'a Votes,
    /// Of each vote, C x source + label.
    cells: Vec<u32>,
    /// How many votes are of each cell, [N, C].
    counts: Vec<f64>,
    parameters: Parameters,
    /// ln of how likely each cell is under another class, [N, C].
    wrong: Vec<f64>,
    /// ln of how much likelier it is under its own, [N, C].
    right: Vec<f64>,
    /// How much of each cell's votes its own class has, [N, C].
    masses: Vec<f64>,
    /// Of the item at hand, what each label that was given weighs, and where its votes end.
    groups: Vec<(f64, usize)>,
}

impl<'a> State<'a> {
    fn new(prior: &'a Mace, votes: &'a Votes) -> Self {
        let classes = votes.classes as u32;
        let cells: Vec<u32> = votes.votes.iter().map(|&(label, source)| source * classes + label).collect();
        let all = votes.counts.len() * votes.classes;
        let mut counts = vec![0.0; all];
        cells.iter().for_each(|&cell| counts[cell as usize] += 1.0);
        let parameters = Parameters {
            theta: vec![[0.0; 2]; votes.counts.len()],
            xi: counts.iter().map(|n| n + prior.habit).collect(),
        };
        let (wrong, right, masses) = (vec![0.0; all], vec![0.0; all], vec![0.0; all]);
        Self {
            prior,
            votes,
            cells,
            counts,
            parameters,
            wrong,
            right,
            masses,
            groups: Vec::with_capacity(votes.classes),
        }
    }

    /// Begins anew: competences are drawn, with the weight of a source's votes.
    fn begin(&mut self, random: &mut SplitMix64) {
        for (theta, count) in self.parameters.theta.iter_mut().zip(&self.votes.counts) {
            let drawn = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            *theta = [self.prior.knows + count * drawn, self.prior.guesses + count * (1.0 - drawn)];
        }
        for (xi, count) in self.parameters.xi.iter_mut().zip(&self.counts) {
            *xi = count + self.prior.habit;
        }
        self.tabulate();
    }

    /// What each cell says, by the parameters.
    fn tabulate(&mut self) {
        let classes = self.votes.classes;
        for (source, &[knows, guesses]) in self.parameters.theta.iter().enumerate() {
            let both = digamma(knows + guesses);
            let (ln_knows, ln_guesses) = (digamma(knows) - both, digamma(guesses) - both);
            let cells = source * classes..(source + 1) * classes;
            let all = digamma(self.parameters.xi[cells.clone()].iter().sum());
            for cell in cells {
                self.wrong[cell] = ln_guesses + digamma(self.parameters.xi[cell]) - all;
                // ln(1 + e^x), which the ratio may be too large for.
                let x = ln_knows - self.wrong[cell];
                self.right[cell] = x.max(0.0) + (-x.abs()).exp().ln_1p();
            }
        }
    }

    /// How much of each cell its own class has, by what each cell says; returns the objective.
    fn expect(&mut self) -> f64 {
        let classes = self.votes.classes as f64;
        self.masses.fill(0.0);
        let mut bound = self.counts.iter().zip(&self.wrong).map(|(count, wrong)| count * wrong).sum::<f64>()
            - self.votes.items() as f64 * classes.ln();
        // The logarithm of a product in place of the sum of logarithms, as far as it can be held.
        let mut product = 1.0_f64;
        for ends in self.votes.starts.windows(2) {
            let (begin, end) = (ends[0] as usize, ends[1] as usize);
            if begin == end {
                product *= classes;
            } else {
                let (most, sum) = self.weigh(begin, end);
                bound += most;
                product *= sum;
                let mut at = begin;
                for &(weight, until) in &self.groups {
                    let share = weight / sum;
                    self.cells[at..until].iter().for_each(|&cell| self.masses[cell as usize] += share);
                    at = until;
                }
            }
            if product > 1e200 {
                bound += product.ln();
                product = 1.0;
            }
        }
        bound + product.ln() - self.divergence()
    }

    /// What each label given of an item weighs, as a multiple of e^most, and the sum of that over all classes.
    fn weigh(&mut self, begin: usize, end: usize) -> (f64, f64) {
        self.groups.clear();
        let (mut at, mut most) = (begin, 0.0_f64);
        while at < end {
            let label = self.votes.votes[at].0;
            let mut sum = 0.0;
            while at < end && self.votes.votes[at].0 == label {
                sum += self.right[self.cells[at] as usize];
                at += 1;
            }
            most = most.max(sum);
            self.groups.push((sum, at));
        }
        // Nothing speaks for the classes that were not named.
        let mut sum = (self.votes.classes - self.groups.len()) as f64 * (-most).exp();
        for (weight, _) in &mut self.groups {
            *weight = (*weight - most).exp();
            sum += *weight;
        }
        (most, sum)
    }

    /// The parameters, by how much of each cell its own class has.
    fn maximise(&mut self) {
        let classes = self.votes.classes;
        for (source, theta) in self.parameters.theta.iter_mut().enumerate() {
            *theta = [self.prior.knows, self.prior.guesses];
            for cell in source * classes..(source + 1) * classes {
                // Of votes for the class, those that were known: theta of theta + (1 - theta) xi.
                let known = self.masses[cell] * -(-self.right[cell]).exp_m1();
                theta[0] += known;
                // The difference may be less than nothing by rounding.
                let guessed = (self.counts[cell] - known).max(0.0);
                theta[1] += guessed;
                self.parameters.xi[cell] = self.prior.habit + guessed;
            }
        }
        self.tabulate();
    }

    /// How far the parameters are from their priors, sum of KL(Beta) and KL(Dirichlet).
    fn divergence(&self) -> f64 {
        let prior = [self.prior.knows, self.prior.guesses];
        let habits = vec![self.prior.habit; self.votes.classes];
        let of_theta = self.parameters.theta.iter().map(|theta| dirichlet(theta, &prior)).sum::<f64>();
        let of_xi = self.parameters.xi.chunks_exact(self.votes.classes).map(|xi| dirichlet(xi, &habits)).sum::<f64>();
        of_theta + of_xi
    }

    /// The posterior, [B, C].
    fn posterior(&mut self) -> Vec<f64> {
        let votes = self.votes;
        let mut posterior = Vec::with_capacity(votes.items() * votes.classes);
        for ends in votes.starts.windows(2) {
            let (begin, end) = (ends[0] as usize, ends[1] as usize);
            let (most, sum) = self.weigh(begin, end);
            let row = posterior.len();
            posterior.resize(row + votes.classes, (-most).exp() / sum);
            for &(weight, until) in &self.groups {
                posterior[row + votes.votes[until - 1].0 as usize] = weight / sum;
            }
        }
        posterior
    }

    fn skill(&self) -> Vec<f64> {
        self.parameters.theta.iter().map(|[knows, guesses]| knows / (knows + guesses)).collect()
    }
}

/// KL(Dirichlet(a) || Dirichlet(b)).
fn dirichlet(a: &[f64], b: &[f64]) -> f64 {
    let (all_a, all_b) = (a.iter().sum(), b.iter().sum());
    let both = digamma(all_a);
    let each = |(&a, &b): (&f64, &f64)| ln_gamma(b) - ln_gamma(a) + (a - b) * (digamma(a) - both);
    ln_gamma(all_a) - ln_gamma(all_b) + a.iter().zip(b).map(each).sum::<f64>()
}
