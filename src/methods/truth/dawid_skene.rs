//! Confusion matrices by expectation and maximisation (Dawid and Skene, Applied Statistics 1979).

use super::annotations::Annotations;
use super::em::Em;
use super::fit::{Confusions, Ending, Fit};
use super::known::Known;
use super::majority::majority;
use crate::engine::Engine;
use crate::error::{Result, TruthError};
use crate::kernel::em::expect::UNKNOWN;

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
        self.check()?;
        let gold = known.gold(annotations)?;
        let before = (self.estimate != Estimate::MaximumLikelihood).then_some([self.diagonal, self.off_diagonal]);
        let counts = known.counts(annotations, before.unwrap_or_default())?;
        let mut em = Em::new(engine, annotations, &gold, &counts)?;
        let hard = self.estimate == Estimate::Hard;
        match known.confusions(annotations)? {
            Some(earlier) => {
                em.start_with_sources(&earlier.logs, &earlier.log_prior)?;
                em.expect(hard)?;
            }
            None => {
                let mut posterior = majority(annotations);
                for (row, &known) in posterior.chunks_exact_mut(annotations.classes()).zip(&gold) {
                    if known != UNKNOWN {
                        row.fill(0.0);
                        row[known as usize] = 1.0;
                    }
                }
                em.start_with_posterior(&posterior)?;
            }
        }
        let (mut objective, mut ending, mut iterations) = (Vec::new(), Ending::Iterations, 0);
        while iterations < self.max_iterations {
            em.maximise(self.one_coin)?;
            em.expect(hard)?;
            iterations += 1;
            if iterations % self.look_every == 0 || iterations == self.max_iterations {
                let now = self.objective(&em, &counts)?;
                let before = objective.last().copied();
                objective.push(now);
                let each = self.tolerance * f64::from(self.look_every) * now.abs();
                if before.is_some_and(|before| now - before <= each) {
                    ending = Ending::Converged;
                    break;
                }
            }
        }
        let (logs, log_prior) = em.sources()?;
        let (classes, symbols, posterior) = (annotations.classes(), annotations.symbols(), em.posterior()?);
        let confusions = Confusions { classes, symbols, logs, log_prior };
        let (skill, confusions) = (confusions.skill(), Some(confusions));
        Ok(Fit { classes, posterior, skill, objective, iterations, ending, confusions })
    }

    fn objective(&self, em: &Em<'_>, counts: &[f32]) -> Result<f64> {
        let likelihood = em.log_likelihood()?;
        if self.estimate == Estimate::MaximumLikelihood {
            return Ok(likelihood);
        }
        let (logs, _) = em.sources()?;
        let prior: f64 = logs.iter().zip(counts).map(|(&log, &count)| f64::from(log) * f64::from(count)).sum();
        Ok(likelihood + prior)
    }

    fn check(&self) -> Result<()> {
        let option = |what, value, must| Err(TruthError::Option { what, value, must }.into());
        for (what, value) in [("the diagonal count", self.diagonal), ("the off-diagonal count", self.off_diagonal)] {
            if !(value.is_finite() && value >= 0.0) {
                return option(what, value.into(), "a finite number of at least 0");
            }
        }
        if self.max_iterations == 0 {
            return option("the number of iterations", 0.0, "at least 1");
        }
        if self.look_every == 0 {
            return option("the number of iterations between two looks", 0.0, "at least 1");
        }
        if !(self.tolerance.is_finite() && self.tolerance >= 0.0) {
            return option("the tolerance", self.tolerance, "a finite number of at least 0");
        }
        Ok(())
    }
}
