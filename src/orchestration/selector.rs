//! How a request is carried out: from the cache, one after another, side by side, or on other machines.

mod arm;
mod choice;
mod context;
mod estimate;
mod options;
mod situation;

use std::time::Duration;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

pub use self::arm::{Arm, Infeasible, Masks};
pub use self::choice::{Advice, Choice, Outcome, Reason};
pub use self::context::{Context, Held, Work};
pub use self::estimate::Estimate;
use self::estimate::LogLatencies;
pub(super) use self::estimate::above_zero;
pub use self::options::Options;
pub use self::situation::Situation;
use crate::error::{Result, SpecError, StateError};
use crate::methods::checked::checked;
use crate::methods::learning::State;
use crate::methods::random::unit;
use crate::orchestration::bandit::{Bandit, drawn};
pub use crate::orchestration::router::{Learning, Mode};

/// Chooses how a request is carried out, and learns from how that turned out.
///
/// The cache is looked into first. Where it holds all that is needed, that is the answer: [`Arm::Cache`]. Otherwise the
/// other arms concern what is missing, and nothing else. The rule takes, of those that can be taken,
///
/// | arm | where |
/// |---|---|
/// | [`Arm::Sequential`] | more than [`Options::cached`] of what is needed is held, or such a share of the rest is about to be: what is left is not worth a lane |
/// | [`Arm::ParallelGpu`] for a batch, [`Arm::ParallelCpu`] | the benefit is above [`Options::parallel_benefit`] and the complexity below [`Options::complexity`] |
/// | [`Arm::Distributed`] | the work is above [`Options::costly`] and the benefit above [`Options::distributed_benefit`] |
/// | [`Arm::Distributed`], [`Arm::ParallelGpu`], [`Arm::ParallelCpu`] | one after another it takes longer than there is time |
/// | [`Arm::Sequential`] | otherwise |
///
/// and what is not known speaks for nothing. A bandit expects more of the rule's arm than of the others until it learns
/// better; the probability of an arm is that of being the best of those that can be taken. An answer at the pace x earns
/// 3 b c / (3 b + x): x is the latency over the work that the request was expected to be, or else over [`Options::scale`],
/// b the pace of the quickest arm in that context so far, as a geometric mean, and c how right the answer was, 1 where that
/// is not known. A failure earns nothing. So the quickest arm earns three quarters and one that takes three times as long a
/// half, whatever the request's size and however much quicker than one after another both of them are.
///
/// How long an arm takes is learned in logarithms, per context.
///
/// # Examples
///
/// *Three slow sources, of which one is held.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::Selector;
/// use consilience::orchestration::selector::{Arm, Options, Reason, Situation};
///
/// let selector = Selector::new(Options::default())?;
/// let work = Some(Duration::from_millis(300));
/// let situation = Situation { work, benefit: Some(2.0), complexity: 0.4, ..Situation::new(3, 1) };
/// let choice = selector.choose(&situation, 0)?;
/// assert_eq!((choice.arm, choice.reason), (Arm::ParallelCpu, Reason::Parallel));
/// assert_eq!(choice.fallbacks, [Arm::Sequential]);
/// assert_eq!(choice.estimate.map(|estimate| estimate.mean), Some(Duration::from_millis(150)));
/// assert_eq!(selector.choose(&Situation::new(3, 3), 1)?.arm, Arm::Cache);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Selector {
    options: Options,
    bandit: Bandit,
    /// Per context one of each arm.
    latencies: Vec<[LogLatencies; Arm::ALL.len()]>,
    /// The same of latencies over the work expected.
    paces: Vec<[LogLatencies; Arm::ALL.len()]>,
}

/// How many times as long as the quickest an arm takes that earns a half.
const HALF: f64 = 3.0;

impl Selector {
    /// A selector that has seen nothing.
    ///
    /// # Errors
    ///
    /// An option outside its range.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        let bandit = Bandit::new(Context::COUNT, Arm::ALL.len());
        let none = || vec![Default::default(); Context::COUNT];
        Ok(Self { options, bandit, latencies: none(), paces: none() })
    }

    /// How to carry out a request.
    ///
    /// The same selector, situation and `draw` give the same choice. `draw` is any number that differs from request to
    /// request, a counter for one; what is random depends on it and on [`Options::seed`] alone.
    ///
    /// # Errors
    ///
    /// Nothing is needed, more is held than needed, no items, or a number outside its range.
    pub fn choose(&self, situation: &Situation, draw: u64) -> Result<Choice> {
        situation.check()?;
        let options = &self.options;
        let masked = situation.masked(options);
        let open = masked.map(|mask| mask.is_none());
        let (rule, why) = situation.rule(options, |arm| open[arm as usize]);
        let context = Context::of(situation, options);
        let is_choice = open.iter().filter(|open| **open).count() > 1;
        let advice = (is_choice && options.mode != Mode::Fixed).then(|| {
            let seed = SplitMix64::seed_from_u64(options.seed).next_u64() ^ draw;
            let propensities = self.bandit.propensities(context.index(), rule as usize, open, &options.learning);
            let at = unit(&mut SplitMix64::seed_from_u64(seed));
            Advice { arm: Arm::ALL[drawn(&propensities, at)], propensities }
        });
        let (arm, reason, propensity) = match advice {
            Some(Advice { arm, propensities }) if options.mode == Mode::Active => {
                (arm, Reason::Drawn, propensities[arm as usize])
            }
            _ => (rule, why, 1.0),
        };
        let simpler = |other: &Arm| *other == Arm::Sequential || open[*other as usize];
        let fallbacks = Arm::ALL[1..].iter().rev().filter(|other| match arm {
            Arm::Cache => **other == Arm::Sequential,
            _ => **other < arm && simpler(other),
        });
        let fallbacks = fallbacks.copied().collect();
        let estimate = self.estimate(context, arm).or_else(|| stated(situation, arm));
        Ok(Choice { arm, reason, propensity, advice, fallbacks, masked, estimate, context, work: situation.work })
    }

    /// Learns how a choice turned out: the reward of its arm, and how long that took unless it failed. Of a full hit, which
    /// was no choice, no reward is learned.
    ///
    /// # Errors
    ///
    /// A correctness outside [0, 1]. Nothing is learned then.
    pub fn update(&mut self, choice: &Choice, outcome: &Outcome) -> Result<()> {
        let correctness = outcome.correctness.unwrap_or(1.0);
        SpecError::check("the correctness", correctness, "in [0, 1]", (0.0..=1.0).contains(&correctness))?;
        let (context, arm) = (choice.context.index(), choice.arm);
        let discount = self.options.learning.discount;
        if outcome.success {
            self.latencies[context][arm as usize].observe(above_zero(outcome.latency), discount);
        }
        if arm != Arm::Cache {
            let speed = if outcome.success { self.speed(choice, outcome.latency) } else { 0.0 };
            self.bandit.learn(context, arm as usize, correctness * speed, discount);
        }
        Ok(())
    }

    /// How fast an arm was, beside the quickest in its context.
    fn speed(&mut self, choice: &Choice, latency: Duration) -> f64 {
        let work = choice.work.filter(|work| !work.is_zero()).unwrap_or(self.options.scale);
        let pace = above_zero(latency) / work.as_secs_f64();
        let paces = &mut self.paces[choice.context.index()];
        paces[choice.arm as usize].observe(pace, self.options.learning.discount);
        let quickest = paces.iter().filter_map(LogLatencies::geometric_mean).fold(f64::INFINITY, f64::min);
        HALF * quickest / (HALF * quickest + pace)
    }

    /// How long an arm took on requests of a context; `None` where it answered none.
    #[must_use]
    pub fn estimate(&self, context: Context, arm: Arm) -> Option<Estimate> {
        self.latencies[context.index()][arm as usize].estimate()
    }

    /// How many rewards of an arm in a context are remembered.
    #[must_use]
    pub fn rewards(&self, context: Context, arm: Arm) -> f64 {
        self.bandit.weight(context.index(), arm as usize)
    }

    /// How it chooses.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Chooses in another mode from now on; what was learned stays.
    pub fn set_mode(&mut self, mode: Mode) {
        self.options.mode = mode;
    }

    /// Adds what another selector learned.
    ///
    /// # Errors
    ///
    /// Options that differ in more than mode and seed.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let comparable = |options: &Options| Options { mode: Mode::Fixed, seed: 0, ..*options };
        StateError::check_same("options", &comparable(&self.options), &comparable(&other.options))?;
        self.bandit.merge(&other.bandit);
        for (mine, theirs) in [(&mut self.latencies, &other.latencies), (&mut self.paces, &other.paces)] {
            mine.iter_mut().flatten().zip(theirs.iter().flatten()).for_each(|(mine, theirs)| mine.merge(theirs));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        self.options.check().map_err(|error| error.to_string())?;
        let of = |context, arm: usize| format!("{} in {:?}", Arm::ALL[arm].name(), Context::at(context));
        self.bandit.check(Context::COUNT, Arm::ALL.len(), of)?;
        for (what, all) in [("latencies", &self.latencies), ("paces", &self.paces)] {
            if all.len() != Context::COUNT {
                return Err(format!("{what} in {} contexts, there are {}", all.len(), Context::COUNT));
            }
            all.iter().flatten().try_for_each(LogLatencies::check)?;
        }
        Ok(())
    }
}

checked!(Selector);

impl State for Selector {
    const KIND: &'static str = "selector";
    const VERSION: u32 = 2;
}

/// What follows from the work and the benefit that a request was given with.
fn stated(situation: &Situation, arm: Arm) -> Option<Estimate> {
    let work = situation.work.filter(|_| arm != Arm::Cache)?;
    if !arm.is_side_by_side() {
        return Some(Estimate::stated(work));
    }
    let latency = Duration::try_from_secs_f64(work.as_secs_f64() / situation.benefit?).ok()?;
    Some(Estimate::stated(latency))
}
