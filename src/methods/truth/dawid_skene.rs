//! Confusion matrices by expectation and maximisation (Dawid and Skene, Applied Statistics 1979).

use super::annotations::Annotations;
use super::climb::Schedule;
use super::em::{Columns, Held, Maximising, State};
use super::fit::{Confusions, Fit};
use super::known::Known;
use super::majority::votes;
use crate::engine::Engine;
use crate::error::{Result, TruthError};
use crate::kernel::em::normalise::Logarithms;

/// Each source has a confusion matrix, or one accuracy; the classes have a prior. Both are fitted so that the annotations are as
/// likely as can be.
///
/// The objective is the log-likelihood, sum over items of ln sum_k P(k) prod P(label | k), and for
/// [`Estimate::MaximumAPosteriori`] the log prior of the confusions with it, sum `count` ln P(label | k). With
/// [`Estimate::Hard`] each item is of its likeliest class alone, and the objective is the log-likelihood of the annotations and
/// those classes.
///
/// # Examples
///
/// *An item whose class is known.*
///
/// ```
/// use consilience::Engine;
/// use consilience::truth::{Annotations, DawidSkene, Known};
///
/// let annotations = Annotations::new(2, &[0, 0, 1, 1], &[0, 1, 0, 1], &[0, 1, 1, 0])?;
/// let known = Known { gold: &[(0, 1)], ..Known::default() };
/// let fit = DawidSkene::default().fit_with(&Engine::cpu()?, &annotations, &known)?;
/// // Source 1 was right there, so it is believed elsewhere.
/// assert_eq!(fit.decision(), [1, 0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DawidSkene {
    /// What is looked for.
    pub estimate: Estimate,
    /// Whether each source has one accuracy, and errs towards every other class alike, instead of a confusion matrix.
    pub one_coin: bool,
    /// How often each source is taken to have been right on each class before anything was seen, unless the likelihood alone
    /// counts.
    pub diagonal: f32,
    /// The same of each wrong answer, and of none.
    pub off_diagonal: f32,
    /// Iterations, at most.
    pub max_iterations: u32,
    /// It ends once an iteration raises the objective by less than this of itself.
    pub tolerance: f64,
    /// The objective is looked at every so many iterations: on a GPU that is a wait.
    pub look_every: u32,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Estimate {
    /// What makes the annotations likeliest. Of sources with few annotations it believes too much.
    MaximumLikelihood,
    /// The same with a Dirichlet prior of each row of a confusion, by `diagonal` and `off_diagonal`.
    #[default]
    MaximumAPosteriori,
    /// Each item is of its likeliest class alone; with the same prior.
    Hard,
}

impl Default for DawidSkene {
    fn default() -> Self {
        Self {
            estimate: Estimate::default(),
            one_coin: false,
            diagonal: 0.6,
            off_diagonal: 0.1,
            max_iterations: 100,
            tolerance: 1e-6,
            look_every: 5,
        }
    }
}

impl DawidSkene {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// An option out of its range; the annotations do not fit the device or what may be held
    /// ([`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes)); the device fails.
    pub fn fit(&self, engine: &Engine, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(engine, annotations, &Known::default())
    }

    /// The same with what is known.
    ///
    /// # Errors
    ///
    /// As [`DawidSkene::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit;
    /// an earlier fit of other sources or classes.
    pub fn fit_with(&self, engine: &Engine, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let schedule = self.schedule()?;
        let gold = known.gold(annotations)?;
        let before = (self.estimate != Estimate::MaximumLikelihood).then_some([self.diagonal, self.off_diagonal]);
        let counts = known.counts(annotations, before.unwrap_or_default())?;
        let columns = Columns { classes: annotations.classes(), subtypes: 1 };
        let held = Held::new(engine, annotations, columns, &gold, &counts)?;
        let hard = self.estimate == Estimate::Hard;
        let start = match known.confusions(annotations, 1)? {
            Some(earlier) => held.start_with_sources(&earlier.logs, &earlier.log_prior, hard)?,
            None => held.start_with_posterior(votes(annotations, &gold))?,
        };
        let logarithms = if self.one_coin { Logarithms::OneCoin } else { Logarithms::Shares };
        let how = Maximising { logarithms, class_count: 0.0 };
        let step = |state: &mut State| {
            held.maximise(state, how)?;
            held.expect(state, hard)
        };
        let (state, climb) = schedule.climb(vec![start], step, |state| self.objective(&held, state, &counts))?;
        let [logs, log_prior] = held.logs(&state)?;
        let (classes, symbols, posterior) = (annotations.classes(), annotations.symbols(), held.posterior(state)?);
        let confusions = Confusions { classes, symbols, subtypes: 1, logs, log_prior };
        Ok(Fit::of(classes, posterior, confusions.skill(), climb).with(confusions))
    }

    fn objective(&self, held: &Held<'_>, state: &State, counts: &[f32]) -> Result<f64> {
        let likelihood = held.log_likelihood(state)?;
        if self.estimate == Estimate::MaximumLikelihood {
            return Ok(likelihood);
        }
        let [logs, _] = held.logs(state)?;
        let prior: f64 = logs.iter().zip(counts).map(|(&log, &count)| f64::from(log) * f64::from(count)).sum();
        Ok(likelihood + prior)
    }

    pub(super) fn schedule(&self) -> Result<Schedule> {
        for (what, value) in [("the diagonal count", self.diagonal), ("the off-diagonal count", self.off_diagonal)] {
            let is_valid = value.is_finite() && value >= 0.0;
            TruthError::check_option(what, value, is_valid, "a finite number of at least 0")?;
        }
        Schedule::new(self.max_iterations, self.tolerance, self.look_every)
    }
}
