//! Sources of different skill on items of different difficulty (Whitehill, Ruvolo, Wu, Bergsma and Movellan, NeurIPS 2009).

use super::annotations::Annotations;
use super::climb::Schedule;
use super::fit::Fit;
use super::known::Known;
use super::one_coin::softmax;
use super::votes::Votes;
use crate::error::{Result, TruthError};

/// Newton's steps towards the maximum of each parameter in an iteration.
const STEPS: u32 = 2;
/// How often a step that leads down is halved.
const HALVINGS: u32 = 30;
/// A step is no longer than this: far away, a curvature says nothing.
const LONGEST: f64 = 2.0;

/// A source of skill alpha names the class of an item of easiness beta with probability 1 / (1 + exp(-alpha beta)), and errs
/// towards every other class alike, so that a label costs the same whatever the number of classes. A skill below 0 is that of a
/// source who knows better than it says; the easiness is above 0, exp(b).
///
/// Skills and b have normal priors, and what maximises their posterior is found by expectation and maximisation. All classes are
/// as frequent, as in the paper: fitted frequencies would explain what items of a rare class have in common. In an iteration each skill, and then each b, goes two steps of Newton's towards its maximum given
/// all others, steps that lead down being halved. The objective is the log-likelihood, sum over items of ln sum_k prod
/// P(label | k) / C, and the logarithms of the priors, but for constants. It never falls.
///
/// The skill is alpha; [`Fit::easiness`] are beta. How often a source is taken to have been right and wrong before counts like
/// answers on items whose b is the mean of the prior. Skills of an earlier fit are those it begins with. It runs on the host, in
/// f64, on one core.
///
/// # Examples
///
/// *Item 3 divides the sources, so that it is hard.*
///
/// ```
/// use consilience::truth::{Annotations, Glad};
///
/// let items: Vec<u32> = (0..4).flat_map(|item| [item; 4]).collect();
/// let labels = [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0];
/// let fit = Glad::default().fit(&Annotations::new(2, &items, &[0, 1, 2, 3].repeat(4), &labels)?)?;
/// assert_eq!(fit.decision(), [0, 1, 0, 1]);
/// let easiness = fit.easiness().unwrap_or_default();
/// assert!(easiness[3] < easiness[0] && fit.skill()[3] < fit.skill()[0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glad {
    /// Mean and standard deviation of the prior of skills.
    pub skill: [f64; 2],
    /// Mean and standard deviation of the prior of b, the logarithm of the easiness.
    pub easiness: [f64; 2],
    /// Iterations, at most.
    pub max_iterations: u32,
    /// It ends once an iteration raises the objective by less than this of itself.
    pub tolerance: f64,
}

impl Default for Glad {
    fn default() -> Self {
        Self { skill: [1.0, 1.0], easiness: [1.0, 1.0], max_iterations: 100, tolerance: 1e-6 }
    }
}

impl Glad {
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
    /// As [`Glad::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit; an
    /// earlier fit of other sources.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let schedule = self.schedule()?;
        let votes = Votes::new(annotations, known, [0.0; 2])?;
        let mut state = State::new(self, &votes);
        if let Some(skill) = known.skill(annotations)? {
            state.alpha.copy_from_slice(skill);
        }
        state.expect();
        let step = |state: &mut State<'_>| {
            state.maximise();
            state.expect();
            Ok(())
        };
        let (state, climb) = schedule.climb(vec![state], step, |state| Ok(state.objective()))?;
        let State { alpha, beta, posterior, .. } = state;
        Ok(votes.climbed(&posterior, alpha, climb).with_easiness(beta))
    }

    fn schedule(&self) -> Result<Schedule> {
        let means = [("the mean skill", self.skill[0]), ("the mean of ln easiness", self.easiness[0])];
        for (what, value) in means {
            TruthError::check_option(what, value, (-10.0..=10.0).contains(&value), "between -10 and 10")?;
        }
        let deviations =
            [("the deviation of skills", self.skill[1]), ("the deviation of ln easiness", self.easiness[1])];
        for (what, value) in deviations {
            TruthError::check_option(what, value, (1e-3..=1e6).contains(&value), "between 1e-3 and 1e6")?;
        }
        Schedule::new(self.max_iterations, self.tolerance, 1)
    }
}

struct State<'a> {
    prior: &'a Glad,
    votes: &'a Votes,
    /// Where each source's votes are in `of_source`, and where the last one's end.
    starts: Vec<u32>,
    /// Votes and their items.
    of_source: Vec<(u32, u32)>,
    alpha: Vec<f64>,
    b: Vec<f64>,
    beta: Vec<f64>,
    /// [B, C].
    posterior: Vec<f64>,
    /// How likely each vote is right.
    right: Vec<f64>,
    likelihood: f64,
}

impl<'a> State<'a> {
    fn new(prior: &'a Glad, votes: &'a Votes) -> Self {
        let items = votes.runs().enumerate().flat_map(|(item, run)| run.map(move |vote| (vote as u32, item as u32)));
        let mut of_source: Vec<(u32, u32)> = items.collect();
        of_source.sort_by_key(|&(vote, _)| votes.votes[vote as usize].1);
        let mut starts = vec![0];
        for count in &votes.counts {
            starts.push(starts[starts.len() - 1] + *count as u32);
        }
        let classes = votes.classes;
        Self {
            prior,
            votes,
            starts,
            of_source,
            alpha: vec![prior.skill[0]; votes.counts.len()],
            b: vec![prior.easiness[0]; votes.items()],
            beta: vec![prior.easiness[0].exp(); votes.items()],
            posterior: vec![0.0; votes.items() * classes],
            right: vec![0.0; votes.votes.len()],
            likelihood: 0.0,
        }
    }

    /// The posterior of items and the log-likelihood, by the parameters.
    fn expect(&mut self) {
        let classes = self.votes.classes;
        // Of one class every vote is right, whatever the skill.
        let others = (classes.max(2) as f64 - 1.0).ln();
        self.likelihood = 0.0;
        for (item, run) in self.votes.runs().enumerate() {
            let row = &mut self.posterior[item * classes..(item + 1) * classes];
            row.fill(-(classes as f64).ln());
            for &(label, source) in &self.votes.votes[run.clone()] {
                let x = self.alpha[source as usize] * self.beta[item];
                // ln P(label | its class) - ln P(label | another).
                row[label as usize] += x + others;
                self.likelihood -= softplus(x).0 + others;
            }
            self.likelihood += match self.votes.known(item) {
                Some(class) => {
                    let log = row[class];
                    row.fill(0.0);
                    row[class] = 1.0;
                    log
                }
                None => softmax(row),
            };
            for (right, &(label, _)) in self.right[run.clone()].iter_mut().zip(&self.votes.votes[run]) {
                *right = row[label as usize];
            }
        }
    }

    /// The parameters, by the posterior of items.
    fn maximise(&mut self) {
        if self.votes.classes < 2 {
            return;
        }
        let (beta, right, before) = (&self.beta, &self.right, self.prior.easiness[0].exp());
        for (source, alpha) in self.alpha.iter_mut().enumerate() {
            let run = self.starts[source] as usize..self.starts[source + 1] as usize;
            let votes =
                self.of_source[run].iter().map(|&(vote, item)| (1.0, right[vote as usize], beta[item as usize]));
            let [often, seldom] = self.votes.before[source];
            let votes = votes.chain([(often, 1.0, before), (seldom, 0.0, before)]);
            *alpha = ascend(*alpha, |alpha| {
                let mut sum = normal(alpha, self.prior.skill);
                for (weight, right, beta) in votes.clone() {
                    let [value, slope, curvature] = vote(right, alpha * beta);
                    sum = [
                        sum[0] + weight * value,
                        sum[1] + weight * slope * beta,
                        sum[2] + weight * curvature * beta * beta,
                    ];
                }
                sum
            });
        }
        for (item, run) in self.votes.runs().enumerate() {
            let votes = self.votes.votes[run.clone()].iter().zip(&self.right[run]);
            self.b[item] = ascend(self.b[item], |b| {
                let (mut sum, beta) = (normal(b, self.prior.easiness), b.exp());
                for (&(_, source), &right) in votes.clone() {
                    let x = self.alpha[source as usize] * beta;
                    // The curvature but for what is uncertain of it, which may point down.
                    let [value, slope, curvature] = vote(right, x);
                    sum = [sum[0] + value, sum[1] + slope * x, sum[2] + curvature * x * x];
                }
                sum
            });
            self.beta[item] = self.b[item].exp();
        }
    }

    fn objective(&self) -> f64 {
        let before = self.prior.easiness[0].exp();
        let of_source = |(&alpha, [often, seldom]): (&f64, &[f64; 2])| {
            let (wrong, x) = (softplus(alpha * before).0, alpha * before);
            normal(alpha, self.prior.skill)[0] + often * (x - wrong) - seldom * wrong
        };
        let skills: f64 = self.alpha.iter().zip(&self.votes.before).map(of_source).sum();
        let easiness: f64 = self.b.iter().map(|&b| normal(b, self.prior.easiness)[0]).sum();
        self.likelihood + skills + easiness
    }
}

/// ln(1 + e^x), and its derivative.
fn softplus(x: f64) -> (f64, f64) {
    let e = (-x.abs()).exp();
    (x.max(0.0) + e.ln_1p(), if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) })
}

/// The expected log-likelihood of a vote that is right with some probability, its slope, and how fast that falls.
fn vote(right: f64, x: f64) -> [f64; 3] {
    let (value, slope) = softplus(x);
    [right * x - value, right - slope, slope * (1.0 - slope)]
}

/// The same of a normal prior's logarithm, but for its constant.
fn normal(x: f64, [mean, deviation]: [f64; 2]) -> [f64; 3] {
    let precision = 1.0 / (deviation * deviation);
    [-0.5 * precision * (x - mean) * (x - mean), -precision * (x - mean), precision]
}

/// Some steps up from a start, of a function with its slope and how fast that falls.
fn ascend(start: f64, of: impl Fn(f64) -> [f64; 3]) -> f64 {
    let (mut at, mut here) = (start, of(start));
    for _ in 0..STEPS {
        let mut step = (here[1] / here[2]).clamp(-LONGEST, LONGEST);
        for _ in 0..HALVINGS {
            let there = of(at + step);
            if there[0] >= here[0] {
                (at, here) = (at + step, there);
                break;
            }
            step *= 0.5;
        }
    }
    at
}
