//! Multiplicative weights with a bound on what they cost: Hedge, Fixed Share and exponentiated gradient, with sleepers.

mod options;
mod regret;
mod round;

use serde::{Deserialize, Serialize};

pub use self::options::{Feedback, HedgeOptions, Rate};
use self::round::Round;
use super::check::{self, MOST};
use super::lesson::Lesson;
use super::loss::Loss;
use super::resident::Held;
use super::state::State;
use crate::engine::{Engine, Resident};
use crate::error::{Result, StateError};
use crate::methods::checked::checked;
use crate::tensor::Evidence;

/// Weights that fall exponentially with each source's loss, and what they cost against the best source.
///
/// A round is a labelled item on which at least one source gives an opinion. With p the weights of the sources awake in
/// it, normalised over them, and l_n their losses in [0, 1],
///
/// w_n <- w_n exp(-eta l_n) / Z, Z = sum_awake p_m exp(-eta l_m)
///
/// for the sources awake: their mass together stays what it was, and sleepers keep their weights (Hedge: Freund and
/// Schapire 1997; sleepers: Freund, Schapire, Singer and Warmuth 1997). A source that is missing or abstains sleeps.
/// With a share alpha above zero each awake source then gives alpha of its weight to the other awake ones, in equal parts
/// (Fixed Share: Herbster and Warmuth 1998), so that no source is lost for good where the best one changes. With
/// [`Feedback::Gradient`] l_n is the gradient of the pool's loss (exponentiated gradient: Kivinen and Warmuth 1997).
///
/// Weights are kept as logarithms, so that none of them is ever lost to underflow.
///
/// # What is proven
///
/// The mixture's loss is, under [`Loss::ZeroOne`](super::Loss), sum p_n l_n: the expected loss of following one source
/// drawn by its weight. Under the other losses it is that of the linear pool sum p_n p_n(k), which by convexity is no more
/// (for `Log` the pool is of the clipped probabilities).
///
/// - [`Hedge::regret`] <= [`Hedge::bound`] for every source, over the rounds in which it was awake.
/// - With `Feedback::Gradient` and all sources awake in every round, the mixture's loss less that of any one *convex
///   combination* of the sources, its weights fixed with hindsight, is no more than [`Hedge::bound`] either.
/// - With a share, no source ever asleep and nothing merged, the mixture's loss less that of the best *sequence* of sources
///   that changes m times is no more than [`Hedge::tracking_bound`].
///
/// # Examples
///
/// *Two sources, of which one is always wrong.*
///
/// ```
/// use consilience::learning::{Feedback, Hedge, HedgeOptions, Loss, Rate};
/// use consilience::Evidence;
///
/// let (a, b) = ([0.9, 0.1].repeat(50), [0.2, 0.8].repeat(50));
/// let evidence = Evidence::probabilities(2, &[&a, &b])?;
/// let votes = Feedback::Loss(Loss::ZeroOne);
/// let mut learner = Hedge::new(2, HedgeOptions { rate: Rate::Horizon(50), feedback: votes, share: 0.0 })?;
/// learner.update(&evidence, &[Some(0); 50])?;
/// assert_eq!(learner.source_losses(), [0.0, 50.0]);
/// assert!(learner.weights()[0] > 0.999_999);
/// assert!(learner.regret() < learner.bound() && learner.bound() < 4.2);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Hedge {
    options: HedgeOptions,
    /// ln w_n, the w_n summing to N.
    log_weights: Vec<f64>,
    accounts: Vec<Account>,
    /// Cumulative loss of the mixture.
    loss: f64,
    rounds: u64,
    /// Learners with any round that were merged into this one, itself included.
    streams: u64,
}

/// What is known of one source, over the rounds in which it was awake.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    /// Its own cumulative loss.
    loss: f64,
    /// The mixture's.
    mixture: f64,
}

/// How far a restored log weight may be from zero: as far as 2^53 rounds at a rate of one.
const FARTHEST: f64 = MOST;

impl Hedge {
    /// A learner that has seen nothing: all sources weigh the same.
    ///
    /// # Errors
    ///
    /// No sources, more than 2^24, or an option outside its range.
    pub fn new(sources: usize, options: HedgeOptions) -> Result<Self> {
        check::sources(sources)?;
        options.check()?;
        let (log_weights, accounts) = (vec![0.0; sources], vec![Account::default(); sources]);
        Ok(Self { options, log_weights, accounts, loss: 0.0, rounds: 0, streams: 0 })
    }

    /// Learns from the labelled items of a block, one label per item; `None` is an item whose truth is not known.
    ///
    /// # Errors
    ///
    /// Evidence with another number of sources, another number of labels than of items, a label that is no class, or an
    /// opinion that is not valid. Nothing is learned then.
    pub fn update(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<()> {
        let mut lesson = Lesson::new(evidence, self.sources())?;
        let mut round = Round::new(self.sources(), evidence.classes());
        let mut next = self.clone();
        for (item, truth) in lesson.labelled(labels)? {
            round.hear(&mut lesson, item, next.options.loss())?;
            next.play(&mut round, truth);
        }
        *self = next;
        Ok(())
    }

    /// [`Hedge::update`] from evidence that is held, which stays where it is. By votes, two bytes an opinion come to the host and
    /// what is learned is the same to the bit; by the logarithmic loss it is the probability of the true class, four bytes. Half
    /// the Brier score of a mixture hangs on how all its opinions lie to each other: of N sources N (N + 1) / 2 numbers an item,
    /// whatever the number of classes. Each loss is within 2e-6.
    ///
    /// # Errors
    ///
    /// As [`Hedge::update`]; another engine holds the evidence, there are more than 65,534 classes to vote for, what is found
    /// passes [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes) or what the device binds, or the device
    /// fails.
    pub fn update_resident(&mut self, engine: &Engine, evidence: &Resident, labels: &[Option<u32>]) -> Result<()> {
        let (held, loss) = (Held::new(evidence, self.sources(), labels)?, self.options.loss());
        if loss == Loss::ZeroOne {
            return self.update(&held.votes(engine)?.evidence()?, labels);
        }
        let is_product = loss == Loss::Brier;
        let judged = if is_product { held.products(engine)? } else { held.losses(engine, loss)? };
        let mut round = Round::new(self.sources(), 1);
        let mut next = self.clone();
        for (item, _) in held.truths() {
            if is_product {
                round.hear_products(&judged, item);
            } else {
                round.hear_truths(&judged, item, loss);
            }
            next.play(&mut round, 0);
        }
        *self = next;
        Ok(())
    }

    fn play(&mut self, round: &mut Round, truth: usize) {
        if round.voices().is_empty() {
            return;
        }
        let mass = round.weigh(&self.log_weights);
        round.judge(self.options.feedback, truth);
        self.loss = (self.loss + round.mixture()).min(MOST);
        self.rounds = self.rounds.saturating_add(1);
        self.streams = self.streams.max(1);
        round.learn(self.eta(), self.options.share);
        for voice in round.voices() {
            if let Some(log_weight) = self.log_weights.get_mut(voice.source) {
                *log_weight = (mass + voice.log).max(-FARTHEST);
            }
            if let Some(account) = self.accounts.get_mut(voice.source) {
                account.loss = (account.loss + voice.loss).min(MOST);
                account.mixture = (account.mixture + round.mixture()).min(MOST);
            }
        }
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.log_weights.len()
    }

    /// How it learns.
    #[must_use]
    pub fn options(&self) -> &HedgeOptions {
        &self.options
    }

    /// The learning rate, eta.
    #[must_use]
    pub fn eta(&self) -> f64 {
        self.options.rate.eta(self.sources())
    }

    /// The weights, which sum to one: `[N]`, fit for `Weighting::Fixed` and `Weighting::Adaptive`, which normalise them over
    /// the sources that are present.
    #[must_use]
    pub fn weights(&self) -> Vec<f32> {
        let most = largest(&self.log_weights);
        let sum: f64 = self.log_weights.iter().map(|log| (log - most).exp()).sum();
        self.log_weights.iter().map(|log| ((log - most).exp() / sum) as f32).collect()
    }

    /// Rounds so far, T.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Cumulative loss of the mixture.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// Cumulative loss of each source, over the rounds in which it was awake: `[N]`.
    #[must_use]
    pub fn source_losses(&self) -> Vec<f64> {
        self.accounts.iter().map(|account| account.loss).collect()
    }

    /// Adds up the losses and rounds of two learners; their weights are multiplied. Without a share and without sleepers
    /// that is the learner that saw both streams.
    ///
    /// # Errors
    ///
    /// Another number of sources, or other options.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        StateError::check_same("sources", &self.sources(), &other.sources())?;
        StateError::check_same("options", &self.options, &other.options)?;
        for (mine, theirs) in self.log_weights.iter_mut().zip(&other.log_weights) {
            *mine += theirs;
        }
        let most = largest(&self.log_weights);
        let mean = self.log_weights.iter().map(|log| (log - most).exp()).sum::<f64>() / self.sources() as f64;
        self.log_weights.iter_mut().for_each(|log| *log = (*log - most - mean.ln()).max(-FARTHEST));
        for (mine, theirs) in self.accounts.iter_mut().zip(&other.accounts) {
            mine.loss = (mine.loss + theirs.loss).min(MOST);
            mine.mixture = (mine.mixture + theirs.mixture).min(MOST);
        }
        self.loss = (self.loss + other.loss).min(MOST);
        self.rounds = self.rounds.saturating_add(other.rounds);
        self.streams = self.streams.saturating_add(other.streams);
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        check::sources(self.sources()).map_err(|error| error.to_string())?;
        self.options.check().map_err(|error| error.to_string())?;
        check::length("accounts", self.accounts.len(), self.sources())?;
        for log in &self.log_weights {
            check::count("the distance of a log weight from zero", log.abs(), FARTHEST)?;
        }
        for account in &self.accounts {
            check::count("the loss of a source", account.loss, MOST)?;
            check::count("the loss of the mixture beside a source", account.mixture, MOST)?;
        }
        check::count("the loss", self.loss, MOST)?;
        if self.streams > self.rounds || (self.streams == 0) != (self.rounds == 0) {
            return Err(format!("streams is {}, it must be between 1 and the {} rounds", self.streams, self.rounds));
        }
        Ok(())
    }
}

checked!(Hedge);

impl State for Hedge {
    const KIND: &'static str = "hedge";
    const VERSION: u32 = 1;
}

fn largest(logs: &[f64]) -> f64 {
    logs.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
