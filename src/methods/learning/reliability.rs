//! How often each source is right: a discounted Beta posterior.

use serde::{Deserialize, Serialize};

use super::beta;
use super::check::{self, MOST};
use super::lesson::{Judge, Lesson, Testimony};
use super::loss::Loss;
use super::resident::Held;
use super::state::State;
use crate::engine::{Engine, Resident};
use crate::error::{Result, SpecError, StateError};
use crate::methods::checked::checked;
use crate::tensor::Evidence;

/// The reliability of each source: with y = 1 - loss of its opinion, s <- g s + y and n <- g n + 1 at every observation,
///
/// reliability = (s + a) / (n + a + b),
///
/// the mean of the Beta posterior of being right whose prior is Beta(a, b); 0.5 where n + a + b = 0. A discount g below
/// one forgets: it remembers 1 / (1 - g) observations in the long run.
///
/// An observation is an opinion on a labelled item. A source that is missing sleeps, and one that abstains has not been
/// right or wrong: neither changes what is held of it.
///
/// # Examples
///
/// *A source that is right once and wrong once, and forgets half of what was before.*
///
/// ```
/// use consilience::learning::{Reliability, ReliabilityOptions};
/// use consilience::Evidence;
///
/// let options = ReliabilityOptions { discount: 0.5, ..Default::default() };
/// let mut learner = Reliability::new(1, options)?;
/// let evidence = Evidence::probabilities(2, &[&[0.9, 0.1, 0.8, 0.2]])?;
/// learner.update(&evidence, &[Some(0), Some(1)])?;
/// // s = 0.5 x 1 + 0, n = 0.5 x 1 + 1
/// assert_eq!(learner.reliabilities(), [1.5 / 3.5]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Reliability {
    options: ReliabilityOptions,
    tallies: Vec<Tally>,
}

/// How reliabilities are learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityOptions {
    /// How much of the past is kept at each observation, g in (0, 1].
    pub discount: f64,
    /// Times that every source is taken to have been right before, a >= 0.
    pub a: f64,
    /// Times that every source is taken to have been wrong before, b >= 0.
    pub b: f64,
    /// What a labelled opinion is judged by: y = 1 - loss.
    pub loss: Loss,
    /// What the confidence must exceed for y to be one where there are no labels, in [0, 1].
    pub threshold: f32,
}

/// What is held of one source: s and n.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tally {
    right: f64,
    heard: f64,
}

impl Reliability {
    /// A learner that has seen nothing.
    ///
    /// # Errors
    ///
    /// No sources, more than 2^24, or an option outside its range.
    pub fn new(sources: usize, options: ReliabilityOptions) -> Result<Self> {
        check::sources(sources)?;
        options.check()?;
        Ok(Self { options, tallies: vec![Tally::default(); sources] })
    }

    /// Learns from the labelled items of a block, one label per item; `None` is an item whose truth is not known.
    ///
    /// # Errors
    ///
    /// Evidence with another number of sources, another number of labels than of items, a label that is no class, or an
    /// opinion that is not valid. Nothing is learned then.
    pub fn update(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<()> {
        Lesson::new(evidence, self.sources())?.teach(self, Some(labels), Self::observe)
    }

    /// [`Reliability::update`] from evidence that is held, which stays where it is. Judged by votes, two bytes an opinion come to
    /// the host and what is learned is the same to the bit; by another loss it is a number of four bytes, and each loss is
    /// within 2e-6.
    ///
    /// # Errors
    ///
    /// As [`Reliability::update`]; another engine holds the evidence, there are more than 65,534 classes to vote for, what is
    /// found passes [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes) or what the device binds, or the
    /// device fails.
    ///
    /// # Examples
    ///
    /// *Whom to trust is learned of evidence that is held, and put to use on it.*
    ///
    /// ```
    /// use consilience::learning::Reliability;
    /// use consilience::{Engine, Evidence, Fusion, Rule, Weighting};
    ///
    /// let engine = Engine::cpu()?;
    /// let (a, b) = ([0.9, 0.1, 0.2, 0.8], [0.6, 0.4, 0.7, 0.3]);
    /// let evidence = engine.upload(&Evidence::probabilities(2, &[&a, &b])?)?;
    /// let mut learner = Reliability::new(2, Default::default())?;
    /// learner.update_resident(&engine, &evidence, &[Some(0), Some(1)])?;
    /// assert_eq!(learner.reliabilities(), [0.75, 0.5]);
    /// let fusion = Fusion::new(Rule::Vote).weighting(Weighting::Fixed(learner.reliabilities()));
    /// assert_eq!(engine.fuse(&fusion, &evidence)?.decision(), [0, 1]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn update_resident(&mut self, engine: &Engine, evidence: &Resident, labels: &[Option<u32>]) -> Result<()> {
        let (held, loss) = (Held::new(evidence, self.sources(), labels)?, self.options.loss);
        if loss == Loss::ZeroOne {
            return self.update(&held.votes(engine)?.evidence()?, labels);
        }
        held.losses(engine, loss)?.teach(self, held, Self::observe)
    }

    /// Learns from every item without any truth: y = 1 where the source's confidence exceeds the threshold, else 0. This
    /// measures how sure a source says it is, not how often it is right.
    ///
    /// # Errors
    ///
    /// Evidence with another number of sources, or an opinion that is not valid. Nothing is learned then.
    pub fn update_self_reported(&mut self, evidence: &Evidence<'_>) -> Result<()> {
        Lesson::new(evidence, self.sources())?.teach(self, None, Self::observe)
    }

    /// Learns from one item; whether any source gave an opinion.
    pub(super) fn observe(&mut self, said: &mut impl Testimony, item: usize, judge: Judge) -> Result<bool> {
        let mut any = false;
        let Self { options, tallies } = self;
        for (source, tally) in tallies.iter_mut().enumerate() {
            let Some(y) = said.right(source, item, judge, options)? else { continue };
            tally.right = (options.discount * tally.right + y).min(MOST);
            tally.heard = (options.discount * tally.heard + 1.0).min(MOST);
            any = true;
        }
        Ok(any)
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.tallies.len()
    }

    /// How it learns.
    #[must_use]
    pub fn options(&self) -> &ReliabilityOptions {
        &self.options
    }

    /// The reliability of each source, in [0, 1]: `[N]`, fit for `Weighting::Fixed` and `Weighting::Adaptive`.
    #[must_use]
    pub fn reliabilities(&self) -> Vec<f32> {
        self.means().map(|mean| mean as f32).collect()
    }

    /// How many observations of each source are remembered, n: `[N]`.
    #[must_use]
    pub fn observations(&self) -> Vec<f64> {
        self.tallies.iter().map(|tally| tally.heard).collect()
    }

    /// A credible interval per source with the same mass, (1 - level) / 2, on either side of it: `[N]`.
    ///
    /// The ends are quantiles of Beta(s + a, n - s + b), found by bisection of the regularised incomplete beta function in
    /// its continued fraction (Lentz 1976; DLMF 8.17.22) to 1e-9. Where a parameter is zero, all mass lies at one end of
    /// [0, 1]; where both are, nothing is known and the interval is [0, 1].
    ///
    /// # Errors
    ///
    /// A level outside (0, 1).
    pub fn intervals(&self, level: f64) -> Result<Vec<[f64; 2]>> {
        check::number("level", level, "in (0, 1)", |x| x > 0.0 && x < 1.0)?;
        let tail = (1.0 - level) / 2.0;
        let interval = |tally: &Tally| {
            let right = tally.right + self.options.a;
            let wrong = (tally.heard - tally.right).max(0.0) + self.options.b;
            [beta::quantile(right, wrong, tail), beta::quantile(right, wrong, 1.0 - tail)]
        };
        Ok(self.tallies.iter().map(interval).collect())
    }

    /// Adds up what two learners hold. Under a discount that is what each of them still remembers, as if the two streams
    /// had run side by side and not one after the other.
    ///
    /// # Errors
    ///
    /// Another number of sources, or other options.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        StateError::check_same("sources", &self.sources(), &other.sources())?;
        StateError::check_same("options", &self.options, &other.options)?;
        for (mine, theirs) in self.tallies.iter_mut().zip(&other.tallies) {
            mine.right = (mine.right + theirs.right).min(MOST);
            mine.heard = (mine.heard + theirs.heard).min(MOST);
        }
        Ok(())
    }

    pub(super) fn means(&self) -> impl Iterator<Item = f64> + '_ {
        let ReliabilityOptions { a, b, .. } = self.options;
        self.tallies.iter().map(move |tally| {
            let all = tally.heard + a + b;
            if all > 0.0 { ((tally.right + a) / all).min(1.0) } else { 0.5 }
        })
    }

    fn check(&self) -> Result<(), String> {
        check::sources(self.sources()).map_err(|error| error.to_string())?;
        self.options.check().map_err(|error| error.to_string())?;
        for (source, tally) in self.tallies.iter().enumerate() {
            check::count(&format!("heard of source {source}"), tally.heard, MOST)?;
            // Under a discount s and n are rounded apart.
            check::count(&format!("right of source {source}"), tally.right, tally.heard * (1.0 + 1e-9))?;
        }
        Ok(())
    }
}

checked!(Reliability);

impl State for Reliability {
    const KIND: &'static str = "reliability";
    const VERSION: u32 = 1;
}

impl ReliabilityOptions {
    pub(super) fn check(&self) -> Result<()> {
        check::number("discount", self.discount, "in (0, 1]", |x| x > 0.0 && x <= 1.0)?;
        check::number("a", self.a, "in [0, 2^53]", |x| (0.0..=MOST).contains(&x))?;
        check::number("b", self.b, "in [0, 2^53]", |x| (0.0..=MOST).contains(&x))?;
        self.loss.check()?;
        if (0.0..=1.0).contains(&self.threshold) {
            return Ok(());
        }
        let (what, value) = ("threshold".to_owned(), f64::from(self.threshold));
        Err(SpecError::OutOfRange { what, value, must: "in [0, 1]" }.into())
    }
}

impl Default for ReliabilityOptions {
    /// Nothing forgotten, a uniform prior, judged by the vote, and 0.6 as the threshold.
    fn default() -> Self {
        Self { discount: 1.0, a: 1.0, b: 1.0, loss: Loss::ZeroOne, threshold: 0.6 }
    }
}
