//! Which way did best on requests like this one: discounted Thompson sampling per context.

use serde::{Deserialize, Serialize};

use super::{Complexity, Way};

/// What requests have in common that are learned from together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// How complex they are.
    pub level: Level,
    /// Whether there is code or mathematics in them.
    pub technical: bool,
}

/// A quarter of the complexity scores: two below the threshold t and two from it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below t/2.
    Trivial,
    /// Below t.
    Simple,
    /// Below halfway between t and [`Complexity::MOST`].
    Complex,
    /// From there on.
    Hard,
}

impl Context {
    /// How many there are.
    pub const COUNT: usize = 8;

    pub(super) fn of(complexity: &Complexity, threshold: f64) -> Self {
        let score = complexity.score();
        let level = match score {
            _ if score < threshold / 2.0 => Level::Trivial,
            _ if score < threshold => Level::Simple,
            _ if score < f64::midpoint(threshold, Complexity::MOST) => Level::Complex,
            _ => Level::Hard,
        };
        Self { level, technical: complexity.code || complexity.math }
    }

    /// The way the rule takes: models first where it is complex.
    pub(super) fn rule(self) -> Way {
        match self.level {
            Level::Trivial | Level::Simple => Way::RuntimeFirst,
            Level::Complex | Level::Hard => Way::AiFirst,
        }
    }

    fn index(self) -> usize {
        2 * self.level as usize + usize::from(self.technical)
    }

    fn at(index: usize) -> Self {
        let level = [Level::Trivial, Level::Simple, Level::Complex, Level::Hard][index / 2];
        Self { level, technical: index % 2 == 1 }
    }
}

/// What is expected before anything is learned, how fast it is forgotten, how much is always tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// How much of a context's past is kept at each reward in it, g in (0, 1].
    pub discount: f64,
    /// The reward that the rule's way is expected to have, in [0, 1].
    pub rule: f64,
    /// The reward that the other ways are expected to have, in [0, 1].
    pub others: f64,
    /// How many rewards these expectations are worth, in [0, 10^6].
    pub strength: f64,
    /// The least probability of any way, in [0, 1/3].
    pub floor: f64,
}

impl Default for Learning {
    /// The last hundred or so rewards of a context are remembered; the rule is expected to earn 0.75 and the others 0.5,
    /// which four rewards outweigh; no least probability.
    fn default() -> Self {
        Self { discount: 0.99, rule: 0.75, others: 0.5, strength: 4.0, floor: 0.0 }
    }
}

/// Sum of discounted rewards, and of discounted ones.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tally {
    reward: f64,
    weight: f64,
}

/// The rewards of each way in each context.
///
/// The reward of a way has the posterior Beta(1 + k m + s, 1 + k (1 - m) + n - s): m is its expected reward, worth k
/// rewards, s the discounted sum of its rewards and n their discounted number. At a reward in a context, all of its ways
/// forget (Raj and Kalyani, 2017), so that a way not taken for long drifts back to what was expected of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bandit {
    contexts: [[Tally; Way::ALL.len()]; Context::COUNT],
}

/// The largest sum, at which a posterior is still wide enough to be integrated in f64.
const MOST: f64 = 1e9;

impl Bandit {
    /// The probability of each way to be the best one: that with which Thompson sampling takes it.
    pub(super) fn propensities(&self, context: Context, learning: &Learning) -> [f64; Way::ALL.len()] {
        let tallies = &self.contexts[context.index()];
        let mut posteriors = [(1.0, 1.0); Way::ALL.len()];
        for ((posterior, tally), way) in posteriors.iter_mut().zip(tallies).zip(Way::ALL) {
            let expected = if way == context.rule() { learning.rule } else { learning.others };
            *posterior = (
                1.0 + learning.strength * expected + tally.reward,
                1.0 + learning.strength * (1.0 - expected) + (tally.weight - tally.reward).max(0.0),
            );
        }
        let spare = 1.0 - learning.floor * Way::ALL.len() as f64;
        best_of(posteriors).map(|p| learning.floor + spare * p)
    }

    pub(super) fn learn(&mut self, context: Context, way: Way, reward: f64, discount: f64) {
        let tallies = &mut self.contexts[context.index()];
        for tally in &mut *tallies {
            tally.reward *= discount;
            tally.weight *= discount;
        }
        let tally = &mut tallies[way as usize];
        tally.reward = (tally.reward + reward).min(MOST);
        tally.weight = (tally.weight + 1.0).min(MOST);
    }

    pub(super) fn weight(&self, context: Context, way: Way) -> f64 {
        self.contexts[context.index()][way as usize].weight
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.contexts.as_flattened_mut().iter_mut().zip(other.contexts.as_flattened()) {
            mine.reward = (mine.reward + theirs.reward).min(MOST);
            mine.weight = (mine.weight + theirs.weight).min(MOST);
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (index, tallies) in self.contexts.iter().enumerate() {
            for (tally, way) in tallies.iter().zip(Way::ALL) {
                let &Tally { reward, weight } = tally;
                // Discounted, the two are rounded apart.
                if !((0.0..=MOST).contains(&weight) && (0.0..=weight * (1.0 + 1e-9)).contains(&reward)) {
                    let (context, name) = (Context::at(index), way.name());
                    return Err(format!("rewards of {reward} in {weight} for {name} in {context:?}"));
                }
            }
        }
        Ok(())
    }
}

/// The nodes of the integral.
const NODES: usize = 128;

/// The probability of each of several independent Beta variables, given as (a, b) of at least 1, to be the largest: the
/// integral of its density times the others' distribution functions, by the midpoint rule where any of them has mass.
///
/// The sum is one whatever the rule's error. Against 20 000 nodes, over posteriors of at most 100 rewards the error was
/// below 4e-4, of at most 1 000 below 4e-3; it grows where one posterior is much narrower than another.
fn best_of<const N: usize>(posteriors: [(f64, f64); N]) -> [f64; N] {
    let (mut from, mut to) = (1.0_f64, 0.0_f64);
    for (a, b) in posteriors {
        let mean = a / (a + b);
        let reach = 8.0 * (mean * (1.0 - mean) / (a + b + 1.0)).sqrt();
        from = from.min(mean - reach);
        to = to.max(mean + reach);
    }
    let (from, to) = (from.max(0.0), to.min(1.0));
    let node = |k: usize| from + (to - from) * (k as f64 + 0.5) / NODES as f64;
    let logs: [(f64, f64); NODES] = std::array::from_fn(|k| (node(k).ln(), (1.0 - node(k)).ln()));

    // Each density at the nodes, and its sum below them with half the node's own.
    let mut masses = [[0.0; NODES]; N];
    let mut below = [[0.0; NODES]; N];
    for ((masses, below), (a, b)) in masses.iter_mut().zip(&mut below).zip(posteriors) {
        let density = logs.map(|(x, rest)| (a - 1.0) * x + (b - 1.0) * rest);
        let most = density.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        *masses = density.map(|log| (log - most).exp());
        let mut sum = 0.0;
        for (below, mass) in below.iter_mut().zip(&*masses) {
            *below = sum + mass / 2.0;
            sum += mass;
        }
        masses.iter_mut().for_each(|mass| *mass /= sum);
        below.iter_mut().for_each(|below| *below /= sum);
    }
    let mut best = [0.0; N];
    for (i, best) in best.iter_mut().enumerate() {
        let others = |k: usize| (0..N).filter(|&j| j != i).map(|j| below[j][k]).product::<f64>();
        *best = (0..NODES).map(|k| masses[i][k] * others(k)).sum();
    }
    let sum: f64 = best.iter().sum();
    best.map(|p| p / sum)
}
