//! Sources that know, or answer without looking (Hovy, Berg-Kirkpatrick, Vaswani and Hovy, NAACL 2013).

use std::ops::Range;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use super::annotations::Annotations;
use super::climb::Climb;
use super::fit::Fit;
use super::gamma::{digamma, divergence, expected};
use super::known::Known;
use super::votes::Votes;
use crate::error::{Result, TruthError};
use crate::methods::random::unit;

/// A parameter of a prior is at least so much, and at most one through it.
const LEAST: f64 = 1e-3;
/// What the logarithms of an item's ratios sum up to at most, so that their product may be taken: e^230 is 1e100.
const EXPONENT: f64 = 230.0;

/// Of each item a source knows the class and names it, with probability theta, its competence; else it answers by its habit xi,
/// a distribution over labels, whatever the item is. So a label is as likely under every class but its own, (1 - theta) xi, and
/// costs the same whatever the number of classes.
///
/// Both are inferred by variational Bayes as in the paper, with theta by Beta(`knows`, `guesses`) and xi by
/// Dirichlet(`habit`). So are the frequencies pi of the classes, by Dirichlet(`frequencies`); the paper has all of them alike,
/// and takes sources that are right of a frequent class for such that name it by habit. The objective is the bound of the log
/// evidence, sum over items of ln sum over classes of prod exp E ln P(label | class) times exp E ln pi, less the divergences of
/// theta, xi and pi from their priors. It never falls. The fit that begins best is found by trial: of all restarts, each of so
/// many iterations, the one with the best objective is taken.
///
/// A restart draws the competences it begins with; habits begin as the labels each source gave, with `habit` added to each. What
/// a source is taken to have answered before stands for `knows` and `guesses`, at least 1e-3 each. After an earlier fit there is
/// one restart, from its competences. The skill is the mean of theta; of a source without votes that of its prior.
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
    /// The parameter of the Dirichlet prior of how frequent each class is; `None`: all are alike.
    pub frequencies: Option<f64>,
}

impl Default for Mace {
    fn default() -> Self {
        Self { restarts: 10, iterations: 50, seed: 0, knows: 0.5, guesses: 0.5, habit: 10.0, frequencies: Some(10.0) }
    }
}

impl Mace {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// An option out of its range.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(annotations, &Known::default())
    }

    /// The same with what is known.
    ///
    /// # Errors
    ///
    /// As [`Mace::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit; an
    /// earlier fit of other sources.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        self.check()?;
        let mut votes = Votes::new(annotations, known, [self.knows, self.guesses])?;
        votes.before.iter_mut().flatten().for_each(|count| *count = count.max(LEAST));
        let warm = known.skill(annotations)?;
        if votes.classes < 2 {
            let skill = votes.before.iter().map(|[knows, guesses]| knows / (knows + guesses)).collect();
            return Ok(votes.fit(&vec![1.0; votes.items()], skill, 0.0));
        }
        let mut random = SplitMix64::seed_from_u64(self.seed);
        let mut state = State::new(self, &votes);
        let mut best: Option<(Climb, Parameters)> = None;
        for _ in 0..if warm.is_some() { 1 } else { self.restarts } {
            state.begin(|source| warm.map_or_else(|| unit(&mut random), |skill| skill[source].clamp(0.0, 1.0)));
            let mut climb = Climb { iterations: self.iterations, ..Climb::default() };
            for iteration in 0..self.iterations {
                if iteration > 0 {
                    state.maximise();
                }
                climb.objective.push(state.expect());
            }
            if best.as_ref().is_none_or(|(best, _)| climb.height() > best.height()) {
                best = Some((climb, state.parameters.clone()));
            }
        }
        let (climb, parameters) = best.unwrap_or_else(|| (Climb::default(), state.parameters.clone()));
        state.parameters = parameters;
        state.tabulate();
        Ok(votes.climbed(&state.posterior(), state.skill(), climb))
    }

    fn check(&self) -> Result<()> {
        for (what, value) in [("the number of restarts", self.restarts), ("the number of iterations", self.iterations)]
        {
            TruthError::check_option(what, value, value > 0, "at least 1")?;
        }
        let priors = [("the prior of knowing", self.knows), ("the prior of guessing", self.guesses)];
        for (what, value) in priors
            .into_iter()
            .chain([("the prior of habits", self.habit), ("the prior of frequencies", self.frequencies.unwrap_or(1.0))])
        {
            TruthError::check_option(what, value, (LEAST..=1e6).contains(&value), "between 1e-3 and 1e6")?;
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
    /// Dirichlet parameters of the frequencies of classes, `[C]`, if they are inferred.
    pi: Option<Vec<f64>>,
}

struct State<'a> {
    prior: &'a Mace,
    votes: &'a Votes,
    /// Of each vote, C x source + label.
    cells: Vec<u32>,
    /// How many votes are of each cell, [N, C].
    counts: Vec<f64>,
    parameters: Parameters,
    /// How frequent each class is by its mean logarithm, `[C]`, and all of them.
    frequencies: Vec<f64>,
    all: f64,
    /// ln of how likely each cell is under another class, [N, C].
    wrong: Vec<f64>,
    /// How much likelier it is under its own, less 1, [N, C]; the logarithm of that and 1, and the largest of those.
    odds: Vec<f64>,
    right: Vec<f64>,
    most_right: f64,
    /// How much of each cell's votes its own class has, [N, C].
    masses: Vec<f64>,
    /// How much of the items each class has, `[C]`.
    class_masses: Vec<f64>,
    /// Of the item at hand, what each label that was given weighs; of every other its frequency.
    weights: Vec<f64>,
    /// The same of logarithms, and nothing.
    logs: Vec<f64>,
}

/// What the classes of an item weigh together, as a multiple of e^`exponent`; and `unit` of its frequency each that nobody
/// named.
struct Weighed {
    exponent: f64,
    sum: f64,
    unit: f64,
}

impl<'a> State<'a> {
    fn new(prior: &'a Mace, votes: &'a Votes) -> Self {
        let classes = votes.classes;
        let cells: Vec<u32> = votes.votes.iter().map(|&(label, source)| source * classes as u32 + label).collect();
        let mut counts = vec![0.0; votes.counts.len() * classes];
        cells.iter().for_each(|&cell| counts[cell as usize] += 1.0);
        let zeros = vec![0.0; counts.len()];
        let parameters = Parameters { theta: vec![[0.0; 2]; votes.counts.len()], xi: zeros.clone(), pi: None };
        Self {
            prior,
            votes,
            cells,
            counts,
            parameters,
            frequencies: vec![1.0 / classes as f64; classes],
            all: 1.0,
            wrong: zeros.clone(),
            odds: zeros.clone(),
            right: zeros.clone(),
            most_right: 0.0,
            masses: zeros,
            class_masses: vec![0.0; classes],
            weights: vec![0.0; classes],
            logs: vec![0.0; classes],
        }
    }

    /// Begins anew with a competence of each source, which weighs as much as its votes.
    fn begin(&mut self, mut competence: impl FnMut(usize) -> f64) {
        for (source, theta) in self.parameters.theta.iter_mut().enumerate() {
            let ([knows, guesses], count, drawn) =
                (self.votes.before[source], self.votes.counts[source], competence(source));
            *theta = [knows + count * drawn, guesses + count * (1.0 - drawn)];
        }
        for (xi, count) in self.parameters.xi.iter_mut().zip(&self.counts) {
            *xi = count + self.prior.habit;
        }
        self.parameters.pi = self.prior.frequencies.map(|parameter| vec![parameter; self.votes.classes]);
        self.tabulate();
    }

    /// What each cell says, by the parameters.
    fn tabulate(&mut self) {
        let classes = self.votes.classes;
        if let Some(pi) = &self.parameters.pi {
            let all = digamma(pi.iter().sum());
            self.frequencies.iter_mut().zip(pi).for_each(|(frequency, &pi)| *frequency = (digamma(pi) - all).exp());
        }
        self.all = self.frequencies.iter().sum();
        self.weights.copy_from_slice(&self.frequencies);
        self.most_right = 0.0;
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
                self.odds[cell] = x.exp();
                self.most_right = self.most_right.max(self.right[cell]);
            }
        }
    }

    /// How much of each cell and of the items each class has, by what each cell says; returns the objective.
    fn expect(&mut self) -> f64 {
        self.masses.fill(0.0);
        self.class_masses.fill(0.0);
        let mut bound = self.counts.iter().zip(&self.wrong).map(|(count, wrong)| count * wrong).sum::<f64>();
        // The logarithm of a product in place of the sum of logarithms, as far as it can be held.
        let (mut product, mut unnamed) = (1.0_f64, 0.0);
        for (item, run) in self.votes.runs().enumerate() {
            if let Some(class) = self.votes.known(item) {
                for i in run.filter(|&i| self.votes.votes[i].0 as usize == class) {
                    bound += self.right[self.cells[i] as usize];
                    self.masses[self.cells[i] as usize] += 1.0;
                }
                bound += self.frequencies[class].ln();
                self.class_masses[class] += 1.0;
                continue;
            }
            let Weighed { exponent, sum, unit } = self.weigh(run.clone());
            bound += exponent;
            product *= sum;
            let share = 1.0 / sum;
            for (&(label, _), &cell) in self.votes.votes[run.clone()].iter().zip(&self.cells[run.clone()]) {
                self.masses[cell as usize] += share * self.weights[label as usize];
            }
            for &(label, _) in &self.votes.votes[run.clone()] {
                let (weight, frequency) = (&mut self.weights[label as usize], self.frequencies[label as usize]);
                // Once for each label: the second time, nothing is left.
                self.class_masses[label as usize] += share * (*weight - unit * frequency);
                *weight = unit * frequency;
            }
            if unit < 1.0 {
                self.forget(run);
            }
            unnamed += unit / sum;
            if !(1e-200..1e200).contains(&product) {
                bound += product.ln();
                product = 1.0;
            }
        }
        for (mass, frequency) in self.class_masses.iter_mut().zip(&self.frequencies) {
            // The difference may be less than nothing by rounding.
            *mass = (*mass + unnamed * frequency).max(0.0);
        }
        bound + product.ln() - self.divergence()
    }

    /// Weighs each label given of an item, by the product of its ratios or, where that cannot be held, the sum of their
    /// logarithms.
    fn weigh(&mut self, run: Range<usize>) -> Weighed {
        let (votes, cells) = (&self.votes.votes[run.clone()], &self.cells[run.clone()]);
        if run.len() as f64 * self.most_right < EXPONENT {
            let mut sum = self.all;
            for (&(label, _), &cell) in votes.iter().zip(cells) {
                let weight = &mut self.weights[label as usize];
                let more = *weight * self.odds[cell as usize];
                *weight += more;
                sum += more;
            }
            return Weighed { exponent: 0.0, sum, unit: 1.0 };
        }
        for (&(label, _), &cell) in votes.iter().zip(cells) {
            self.logs[label as usize] += self.right[cell as usize];
        }
        let exponent = votes.iter().map(|&(label, _)| self.logs[label as usize]).fold(0.0, f64::max);
        let unit = (-exponent).exp();
        votes.iter().for_each(|&(label, _)| self.weights[label as usize] = unit * self.frequencies[label as usize]);
        let mut sum = unit * self.all;
        for &(label, _) in votes {
            let label = label as usize;
            let weight = self.frequencies[label] * (self.logs[label] - exponent).exp();
            sum += weight - self.weights[label];
            self.weights[label] = weight;
        }
        votes.iter().for_each(|&(label, _)| self.logs[label as usize] = 0.0);
        Weighed { exponent, sum, unit }
    }

    /// Leaves no label of an item with a weight.
    fn forget(&mut self, run: Range<usize>) {
        for &(label, _) in &self.votes.votes[run] {
            self.weights[label as usize] = self.frequencies[label as usize];
        }
    }

    /// The parameters, by how much of each cell its own class has.
    fn maximise(&mut self) {
        let classes = self.votes.classes;
        for (source, theta) in self.parameters.theta.iter_mut().enumerate() {
            *theta = self.votes.before[source];
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
        if let (Some(pi), Some(parameter)) = (&mut self.parameters.pi, self.prior.frequencies) {
            pi.iter_mut().zip(&self.class_masses).for_each(|(pi, mass)| *pi = parameter + mass);
        }
        self.tabulate();
    }

    /// How far the parameters are from their priors, sum of KL(Beta) and KL(Dirichlet).
    fn divergence(&self) -> f64 {
        let Parameters { theta, xi, pi } = &self.parameters;
        let alike = |parameter| vec![parameter; self.votes.classes];
        let habits = alike(self.prior.habit);
        let dirichlet = |a: &[f64], b: &[f64]| divergence(a, b, expected(a));
        let of_theta: f64 = theta.iter().zip(&self.votes.before).map(|(theta, before)| dirichlet(theta, before)).sum();
        let of_xi: f64 = xi.chunks_exact(self.votes.classes).map(|xi| dirichlet(xi, &habits)).sum();
        let of_pi = pi.as_ref().zip(self.prior.frequencies).map(|(pi, parameter)| dirichlet(pi, &alike(parameter)));
        of_theta + of_xi + of_pi.unwrap_or_default()
    }

    /// The posterior, [B, C].
    fn posterior(&mut self) -> Vec<f64> {
        let mut posterior = Vec::with_capacity(self.votes.items() * self.votes.classes);
        for run in self.votes.runs() {
            let (row, Weighed { sum, unit, .. }) = (posterior.len(), self.weigh(run.clone()));
            posterior.extend(self.frequencies.iter().map(|frequency| frequency * unit / sum));
            for &(label, _) in &self.votes.votes[run.clone()] {
                posterior[row + label as usize] = self.weights[label as usize] / sum;
            }
            self.forget(run);
        }
        self.votes.settle(&mut posterior);
        posterior
    }

    fn skill(&self) -> Vec<f64> {
        self.parameters.theta.iter().map(|[knows, guesses]| knows / (knows + guesses)).collect()
    }
}
