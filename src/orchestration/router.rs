//! Whom to ask: models first, something quicker first, or all at once.

mod choice;
mod complexity;
mod context;
mod options;
mod plan;

use std::collections::HashSet;
use std::slice;
use std::time::Duration;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

pub use self::choice::{Advice, Attempt, Choice, Outcome, Reason, Worth};
pub use self::complexity::Complexity;
pub use self::context::{Context, Level};
pub use self::options::{Mode, Options, Strategy};
pub use self::plan::{Demotion, Group, Plan, Role, Way};
use crate::error::{RequestError, Result, SpecError, StateError};
use crate::methods::checked::checked;
use crate::methods::learning::State;
use crate::methods::random::unit;
use crate::orchestration::Track;
pub use crate::orchestration::bandit::Learning;
use crate::orchestration::bandit::{Bandit, drawn};

/// Chooses which groups of sources are asked, in which order.
///
/// [`Router::route`] is a pure function of what was learned, the request and a number to draw by: it returns a plan with
/// its reason. [`Router::update`] learns from how it turned out.
///
/// A group whose success rate is low, or that takes longer than there is time, is asked after all others, and never at
/// once with them. Now and then it is given its place back, to see whether it has recovered: with probability
/// [`Options::probe`].
///
/// # Examples
///
/// *A simple question goes to the program, a complex one to the model.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::Router;
/// use consilience::orchestration::router::{Complexity, Group, Options, Reason};
///
/// let router = Router::new(vec![Group::ai("model"), Group::runtime("table")], Options::default())?;
/// let second = Duration::from_secs(1);
/// let simple = router.route(Complexity::of("capital of France"), second, 0);
/// assert_eq!((simple.plan.0, simple.reason), (vec![vec!["table".to_owned()], vec!["model".to_owned()]], Reason::Simple));
/// let complex = router.route(Complexity::of("Why does `a = b` move b? Explain."), second, 1);
/// assert_eq!((&complex.plan.0[0][0][..], complex.reason), ("model", Reason::Complex));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Router {
    options: Options,
    groups: Vec<Group>,
    /// One per group.
    tracks: Vec<Track>,
    bandit: Bandit,
}

impl Router {
    /// A router that has seen nothing.
    ///
    /// # Errors
    ///
    /// No groups, two of one name, no group of one of the roles, or an option outside its range.
    pub fn new(groups: Vec<Group>, options: Options) -> Result<Self> {
        options.check()?;
        check_groups(&groups)?;
        let tracks = vec![Track::default(); groups.len()];
        Ok(Self { options, groups, tracks, bandit: Bandit::new(Context::COUNT, Way::ALL.len()) })
    }

    /// Whom to ask about a request that must be answered within `time`.
    ///
    /// The same router, request and `draw` give the same choice. `draw` is any number that differs from request to
    /// request, a counter for one; what is random depends on it and on [`Options::seed`] alone.
    #[must_use]
    pub fn route(&self, complexity: Complexity, time: Duration, draw: u64) -> Choice {
        let options = &self.options;
        let mut random = SplitMix64::seed_from_u64(SplitMix64::seed_from_u64(options.seed).next_u64() ^ draw);
        let probed = unit(&mut random) < options.probe;
        let context = Context::of(&complexity, options.threshold);
        let rule = if context.rule() == Way::AiFirst { Reason::Complex } else { Reason::Simple };
        let advice = (options.strategy == Strategy::Adaptive && options.mode != Mode::Fixed).then(|| {
            let propensities = self.propensities(context);
            Advice { way: Way::ALL[drawn(&propensities, unit(&mut random))], propensities }
        });
        let (way, mut reason, propensity) = match (options.strategy, advice) {
            (Strategy::AiFirst, _) => (Way::AiFirst, Reason::Fixed, 1.0),
            (Strategy::RuntimeFirst, _) => (Way::RuntimeFirst, Reason::Fixed, 1.0),
            (Strategy::ParallelFusion, _) => (Way::AtOnce, Reason::Fixed, 1.0),
            (Strategy::Adaptive, Some(Advice { way, propensities })) if options.mode == Mode::Active => {
                (way, Reason::Drawn, propensities[way as usize])
            }
            (Strategy::Hybrid | Strategy::Adaptive, _) => (context.rule(), rule, 1.0),
        };
        let unwell = self.unwell(time);
        let probed = probed && !unwell.is_empty();
        let demoted = if probed { Vec::new() } else { unwell };
        let plan = Plan::new(&self.groups, way, &demoted);
        let whole = Plan::new(&self.groups, way, &[]);
        if plan != whole {
            let changes = |demotion: &&Demotion| Plan::new(&self.groups, way, slice::from_ref(demotion)) != whole;
            reason = match demoted.iter().find(changes).or(demoted.first()) {
                Some(Demotion::Slow { .. }) => Reason::Slow,
                Some(Demotion::Failing { .. }) | None => Reason::Failing,
            };
        }
        let first = plan.0.first().map_or(&[][..], Vec::as_slice);
        let cost = self.groups.iter().filter(|group| first.contains(&group.name)).map(|group| group.cost).sum();
        Choice { plan, way, reason, complexity, context, propensity, advice, demoted, probed, cost }
    }

    /// The groups that are to be asked last.
    fn unwell(&self, time: Duration) -> Vec<Demotion> {
        let of = |(group, track): (&Group, &Track)| {
            if track.observations() < self.options.warm_up {
                return None;
            }
            let name = || group.name.clone();
            let (success, latency) = (track.success()?, track.latency()?);
            if success < self.options.least_success {
                return Some(Demotion::Failing { group: name(), success });
            }
            (latency > time).then(|| Demotion::Slow { group: name(), latency })
        };
        self.groups.iter().zip(&self.tracks).filter_map(of).collect()
    }

    /// Learns how a choice turned out: the groups' tracks from the attempts, the way's reward in its context. Of a way
    /// whose plan was changed by a demotion, no reward is learned.
    ///
    /// # Errors
    ///
    /// A reward outside [0, 1], an attempt of an unknown group. Nothing is learned then.
    pub fn update(&mut self, choice: &Choice, outcome: &Outcome) -> Result<()> {
        if let Some(value) = outcome.reward.filter(|reward| !(0.0..=1.0).contains(reward)) {
            return Err(SpecError::OutOfRange { what: "the reward".to_owned(), value, must: "in [0, 1]" }.into());
        }
        let indexed = outcome.attempts.iter().map(|attempt| Ok((self.index_of(&attempt.group)?, attempt)));
        let indexed: Vec<(usize, &Attempt)> = indexed.collect::<Result<_>>()?;
        for (index, attempt) in indexed {
            self.tracks[index].observe(attempt.success, attempt.latency, attempt.cost);
        }
        if let Some(reward) = outcome.reward
            && choice.plan == Plan::new(&self.groups, choice.way, &[])
        {
            self.bandit.learn(choice.context.index(), choice.way as usize, reward, self.options.learning.discount);
        }
        Ok(())
    }

    /// How a group did so far.
    ///
    /// # Errors
    ///
    /// An unknown group.
    pub fn track(&self, group: &str) -> Result<&Track> {
        Ok(&self.tracks[self.index_of(group)?])
    }

    fn index_of(&self, name: &str) -> Result<usize> {
        let index = self.groups.iter().position(|group| group.name == name);
        Ok(index.ok_or_else(|| {
            let known: Vec<&str> = self.groups.iter().map(|group| &group.name[..]).collect();
            RequestError::UnknownName { what: "group", name: name.to_owned(), known: known.join(", ") }
        })?)
    }

    /// The groups, in the order given.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// How it chooses.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The probability with which the bandit takes each way in a context, in the order of [`Way::ALL`].
    #[must_use]
    pub fn propensities(&self, context: Context) -> [f64; Way::ALL.len()] {
        let rule = context.rule() as usize;
        self.bandit.propensities(context.index(), rule, [true; Way::ALL.len()], &self.options.learning)
    }

    /// How many rewards of a way in a context are remembered.
    #[must_use]
    pub fn rewards(&self, context: Context, way: Way) -> f64 {
        self.bandit.weight(context.index(), way as usize)
    }

    /// Chooses by another strategy from now on; what was learned stays.
    pub fn set_strategy(&mut self, strategy: Strategy) {
        self.options.strategy = strategy;
    }

    /// Chooses in another mode from now on; what was learned stays.
    pub fn set_mode(&mut self, mode: Mode) {
        self.options.mode = mode;
    }

    /// Adds what another router learned: its tracks and its rewards.
    ///
    /// # Errors
    ///
    /// Other groups, or options that differ in more than mode and seed.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let comparable = |options: &Options| Options { mode: Mode::Fixed, seed: 0, ..*options };
        StateError::check_same("options", &comparable(&self.options), &comparable(&other.options))?;
        StateError::check_same("groups", &self.groups, &other.groups)?;
        self.tracks.iter_mut().zip(&other.tracks).for_each(|(mine, theirs)| mine.merge(theirs));
        self.bandit.merge(&other.bandit);
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        self.options.check().map_err(|error| error.to_string())?;
        check_groups(&self.groups).map_err(|error| error.to_string())?;
        if self.tracks.len() != self.groups.len() {
            return Err(format!("{} tracks of {} groups", self.tracks.len(), self.groups.len()));
        }
        let of = |context, way: usize| format!("{} in {:?}", Way::ALL[way].name(), Context::at(context));
        self.bandit.check(Context::COUNT, Way::ALL.len(), of)
    }
}

checked!(Router);

impl State for Router {
    const KIND: &'static str = "router";
    const VERSION: u32 = 2;
}

fn check_groups(groups: &[Group]) -> Result<()> {
    if groups.is_empty() {
        return Err(RequestError::NoSources.into());
    }
    let mut names = HashSet::new();
    if let Some(twice) = groups.iter().find(|group| !names.insert(&group.name)) {
        return Err(RequestError::DuplicateName { what: "groups", name: twice.name.clone() }.into());
    }
    for role in Role::ALL {
        if !groups.iter().any(|group| group.role == role) {
            let known: Vec<String> =
                groups.iter().map(|group| format!("{} ({})", group.name, group.role.name())).collect();
            let (what, name) = ("group in the role", role.name().to_owned());
            return Err(RequestError::UnknownName { what, name, known: known.join(", ") }.into());
        }
    }
    Ok(())
}
