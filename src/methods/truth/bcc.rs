//! Confusion matrices with what is not known of them: Bayesian combination of classifiers, by variational Bayes.

use std::iter::repeat_n;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use super::annotations::Annotations;
use super::climb::Schedule;
use super::em::{Columns, Held, Maximising, State};
use super::fit::{Confusions, Fit};
use super::gamma::{divergence, expected};
use super::known::Known;
use super::majority::votes;
use crate::engine::Engine;
use crate::error::{Result, TruthError};
use crate::kernel::em::normalise::Logarithms;
use crate::methods::random::unit;

/// As [`DawidSkene`](super::DawidSkene), but a distribution of each confusion matrix is fitted and not one matrix, so that a
/// source with few annotations is believed less: independent Bayesian classifier combination, IBCC (Kim and Ghahramani, AISTATS
/// 2012). With more than one subtype of each class, by which sources answer alike, so that they are no longer taken to err
/// independently of each other: enhanced, EBCC (Li, Rubinstein and Cohn, ICML 2019).
///
/// Rows of confusions are Dirichlet distributed by `diagonal` and `off_diagonal`, the classes by `class`, the subtypes of each
/// by `subtype` shared among them. The objective is the bound of the log evidence: sum over items of ln sum_k exp(E ln P(k) +
/// sum E ln P(label | k)), less the divergences of all these distributions from what they were before.
///
/// A fit begins with the shares of votes; of several subtypes, with those shared among them by chance, `restarts` times, of
/// which the one that ends highest is taken. Restarts go on side by side.
///
/// The confusions found are the means of their distributions.
///
/// # Examples
///
/// *Two good sources and one that says 0 of everything.*
///
/// ```
/// use consilience::Engine;
/// use consilience::truth::{Annotations, Bcc};
///
/// let items: Vec<u32> = (0..20).flat_map(|item| [item; 3]).collect();
/// let sources = [0, 1, 2].repeat(20);
/// let labels: Vec<u32> = (0..20).flat_map(|item| [item % 2, item % 2, 0]).collect();
/// let annotations = Annotations::new(2, &items, &sources, &labels)?;
/// let engine = Engine::cpu()?;
/// for method in [Bcc::ibcc(), Bcc::ebcc()] {
///     let fit = method.fit(&engine, &annotations)?;
///     assert_eq!(fit.decision(), [0, 1].repeat(10));
///     assert!(fit.skill()[0] > 0.8 && fit.skill()[2] < 0.7);
/// }
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bcc {
    /// Subtypes of each class, M.
    pub subtypes: u32,
    /// Fits that are tried, if there are more subtypes than one.
    pub restarts: u32,
    /// What subtypes are shared by at the beginning.
    pub seed: u64,
    /// The Dirichlet parameter of each source's right answer on each class.
    pub diagonal: f32,
    /// The same of each wrong answer, and of none.
    pub off_diagonal: f32,
    /// The Dirichlet parameter of each class.
    pub class: f32,
    /// That of the subtypes of a class together: each has an M-th.
    pub subtype: f32,
    /// Iterations, at most.
    pub max_iterations: u32,
    /// It ends once an iteration raises the objective by less than this of itself.
    pub tolerance: f64,
    /// The objective is looked at every so many iterations: on a GPU that is a wait.
    pub look_every: u32,
}

impl Bcc {
    /// IBCC.
    #[must_use]
    pub const fn ibcc() -> Self {
        Self { subtypes: 1, restarts: 1, ..Self::ebcc() }
    }

    /// EBCC with ten subtypes, of ten restarts the best.
    #[must_use]
    pub const fn ebcc() -> Self {
        Self {
            subtypes: 10,
            restarts: 10,
            seed: 0,
            diagonal: 4.0,
            off_diagonal: 1.0,
            class: 1.0,
            subtype: 0.1,
            max_iterations: 200,
            tolerance: 1e-6,
            look_every: 5,
        }
    }

    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// An option out of its range; the annotations do not fit the device or what may be held
    /// ([`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes)); the device fails.
    pub fn fit(&self, engine: &Engine, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(engine, annotations, &Known::default())
    }

    /// The same with what is known; counts of sources are Dirichlet parameters, so that they must be positive.
    ///
    /// # Errors
    ///
    /// As [`Bcc::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit; an
    /// earlier fit of other sources or classes, or with another number of subtypes.
    pub fn fit_with(&self, engine: &Engine, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let schedule = self.schedule()?;
        let gold = known.gold(annotations)?;
        let columns = Columns { classes: annotations.classes(), subtypes: self.subtypes as usize };
        let each = annotations.symbols() * columns.all();
        let counts = self.counts(annotations, known)?;
        let held = Held::new(engine, annotations, columns, &gold, &counts)?;
        let fits = match known.confusions(annotations, columns.subtypes)? {
            Some(earlier) => vec![held.start_with_sources(&earlier.logs, &earlier.log_prior, false)?],
            None if columns.subtypes == 1 => vec![held.start_with_posterior(votes(annotations, &gold))?],
            None => {
                let votes = votes(annotations, &gold);
                let mut random = SplitMix64::seed_from_u64(self.seed);
                let begin = |_| held.start_with_posterior(shared_by_chance(&votes, columns.subtypes, &mut random));
                (0..self.restarts).map(begin).collect::<Result<_>>()?
            }
        };
        let how = Maximising { logarithms: Logarithms::Expected, class_count: self.class };
        let step = |state: &mut State| {
            held.maximise(state, how)?;
            held.expect(state, false)
        };
        let (state, climb) = schedule.climb(fits, step, |state| self.objective(&held, state, &counts, each))?;
        let confusions = self.confusions(&held, &state, annotations)?;
        let posterior = held.posterior(state)?;
        let posterior = match columns.subtypes {
            1 => posterior,
            subtypes => posterior.chunks_exact(subtypes).map(|of_class| of_class.iter().sum()).collect(),
        };
        Ok(Fit::of(columns.classes, posterior, confusions.skill(), climb).with(confusions))
    }

    fn schedule(&self) -> Result<Schedule> {
        for (what, value) in [("the number of subtypes", self.subtypes), ("the number of restarts", self.restarts)] {
            TruthError::check_option(what, value, (1..=1024).contains(&value), "from 1 to 1024")?;
        }
        let parameters = [
            ("the diagonal parameter", self.diagonal),
            ("the off-diagonal parameter", self.off_diagonal),
            ("the parameter of a class", self.class),
            ("the parameter of subtypes", self.subtype),
        ];
        for (what, value) in parameters {
            TruthError::check_option(what, value, (1e-3..=1e6).contains(&value), "between 1e-3 and 1e6")?;
        }
        Schedule::new(self.max_iterations, self.tolerance, self.look_every)
    }

    /// Dirichlet parameters of sources, and behind them of the subtypes of each class, [N + 1, L, columns].
    fn counts(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Vec<f32>> {
        let must = "at least 1e-3, for it is a Dirichlet parameter here";
        let check = |&count: &f32| {
            TruthError::check_option("a count of a source", count, count.is_nan() || count >= 1e-3, must)
        };
        known.counts.iter().try_for_each(check)?;
        let subtypes = self.subtypes as usize;
        let of_classes = known.counts(annotations, [self.diagonal, self.off_diagonal])?;
        let mut counts: Vec<f32> = of_classes.into_iter().flat_map(|count| repeat_n(count, subtypes)).collect();
        let last = counts.len() - annotations.symbols() * annotations.classes() * subtypes;
        counts[last..][..annotations.classes() * subtypes].fill(self.subtype / self.subtypes as f32);
        Ok(counts)
    }

    /// The bound of the log evidence; `each` is what a source has, L x columns.
    fn objective(&self, held: &Held<'_>, state: &State, counts: &[f32], each: usize) -> Result<f64> {
        let ([sums, prior], [logs, _]) = (held.sums(state)?, held.logs(state)?);
        let mut bound = held.log_likelihood(state)?;
        let wide = |list: &[f32]| -> Vec<f64> { list.iter().map(|&value| value.into()).collect() };
        let sources = sums.chunks_exact(each).zip(counts.chunks_exact(each)).zip(logs.chunks_exact(each));
        for ((sums, counts), logs) in sources {
            for column in 0..prior.len() {
                let [sums, counts, logs] = [sums, counts, logs].map(|list| {
                    list[column..].iter().step_by(prior.len()).map(|&value| value.into()).collect::<Vec<f64>>()
                });
                bound -= divergence(&sums, &counts, logs);
            }
        }
        let subtype = f64::from(self.subtype) / f64::from(self.subtypes);
        let mut classes = Vec::new();
        for sums in prior.chunks_exact(self.subtypes as usize).map(wide) {
            classes.push(self.class_parameter(sums.iter().sum()));
            bound -= divergence(&sums, &vec![subtype; sums.len()], expected(&sums));
        }
        Ok(bound - divergence(&classes, &vec![self.class.into(); classes.len()], expected(&classes)))
    }

    /// The Dirichlet parameter of a class whose subtypes' sum to so much.
    fn class_parameter(&self, subtypes: f64) -> f64 {
        (subtypes - f64::from(self.subtype)).max(0.0) + f64::from(self.class)
    }

    /// The means of what was found.
    fn confusions(&self, held: &Held<'_>, state: &State, annotations: &Annotations) -> Result<Confusions> {
        let [mut logs, mut log_prior] = held.sums(state)?;
        let (classes, symbols, subtypes) = (annotations.classes(), annotations.symbols(), self.subtypes as usize);
        for sums in logs.chunks_exact_mut(symbols * classes * subtypes) {
            for column in 0..classes * subtypes {
                let whole: f32 = sums[column..].iter().step_by(classes * subtypes).sum();
                sums[column..].iter_mut().step_by(classes * subtypes).for_each(|sum| *sum = (*sum / whole).ln());
            }
        }
        let whole_of = |of_class: &[f32]| of_class.iter().map(|&n| f64::from(n)).sum::<f64>();
        let all: f64 = log_prior.chunks_exact(subtypes).map(|of_class| self.class_parameter(whole_of(of_class))).sum();
        for of_class in log_prior.chunks_exact_mut(subtypes) {
            let whole = whole_of(of_class);
            let share = self.class_parameter(whole) / all / whole;
            of_class.iter_mut().for_each(|n| *n = (f64::from(*n) * share).ln() as f32);
        }
        Ok(Confusions { classes, symbols, subtypes, logs, log_prior })
    }
}

/// What each class has of an item, shared among its subtypes uniformly at random (Dirichlet, all parameters 1), [B, C, M].
fn shared_by_chance(shares: &[f32], subtypes: usize, random: &mut SplitMix64) -> Vec<f32> {
    let mut parts = vec![0.0; subtypes];
    let mut shared = Vec::with_capacity(shares.len() * subtypes);
    for &share in shares {
        // Exponential numbers divided by their sum.
        parts.iter_mut().for_each(|part| *part = -(1.0 - unit(random)).ln());
        let whole = parts.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        shared.extend(parts.iter().map(|part| (f64::from(share) * part / whole) as f32));
    }
    shared
}
