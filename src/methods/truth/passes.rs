//! Dawid and Skene's method where somebody else passes over the annotations, item by item, in parts.
//!
//! A pass takes what is known of sources, finds the posterior of each item and counts what was expected. Counts are integers of
//! 2^32 to the unit and so are logarithms, whose sums no order changes: counts have the same bits in whatever parts they came.

use super::climb::{Climb, Schedule};
use super::dawid_skene::{DawidSkene, Estimate};
use super::fit::{Confusions, Fit};
use crate::error::{Error, PartialError, Result, StateError};
use crate::methods::partial::{ONE, add, exp, fixed, ln};

/// How many sources, classes and symbols there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub sources: usize,
    pub classes: usize,
    /// The classes, and one more if anybody abstained.
    pub symbols: usize,
}

impl Shape {
    /// How many integers a pass sums up: items, the log-likelihood, each class, and each class of each answer of each source.
    pub(crate) fn width(self) -> usize {
        2 + self.classes + self.cells() * self.classes
    }

    fn cells(self) -> usize {
        self.sources * self.symbols
    }
}

/// What is known of sources and classes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub shape: Shape,
    hard: bool,
    /// ln P(class), and then ln P(answer | class) of each source, [N, L, C]; empty before anything was counted, when each item
    /// is of the classes that it was said to be of.
    logs: Vec<i64>,
}

impl Model {
    /// Before anything was counted.
    pub(crate) fn start(shape: Shape) -> Self {
        Self { shape, hard: false, logs: Vec::new() }
    }

    /// As bytes: four integers and the logarithms, lowest byte first.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Shape { sources, classes, symbols } = self.shape;
        let head = [sources as i64, classes as i64, symbols as i64, self.hard.into()];
        head.iter().chain(&self.logs).flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Of bytes that a model was made into.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let refused = || {
            let (origin, why) = ("a model of sources".to_owned(), "its bytes are none".to_owned());
            Error::from(StateError::Damaged { origin, why })
        };
        let (numbers, []) = bytes.as_chunks::<8>() else { return Err(refused()) };
        let mut numbers = numbers.iter().map(|bytes| i64::from_le_bytes(*bytes));
        let mut size = || numbers.next().and_then(|number| usize::try_from(number).ok()).ok_or_else(refused);
        let (sources, classes, symbols, hard) = (size()?, size()?, size()?, size()? > 0);
        let shape = Shape { sources, classes, symbols };
        let logs: Vec<i64> = numbers.collect();
        let fits = (sources.checked_mul(symbols)).and_then(|cells| cells.checked_add(1)?.checked_mul(classes));
        let is_one = classes > 0
            && (classes..=classes + 1).contains(&symbols)
            && (logs.is_empty() && fits.is_some() || fits == Some(logs.len()));
        if is_one { Ok(Self { shape, hard, logs }) } else { Err(refused()) }
    }

    /// The posterior of an item that these sources said these symbols of, all within the shape; answers its log-likelihood.
    pub(crate) fn expect(&self, said: impl Iterator<Item = (usize, usize)>, posterior: &mut [f64]) -> f64 {
        let Shape { classes, symbols, .. } = self.shape;
        if self.logs.is_empty() {
            posterior.fill(0.0);
            said.filter(|&(_, symbol)| symbol < classes).for_each(|(_, symbol)| posterior[symbol] += 1.0);
            let votes: f64 = posterior.iter().sum();
            let share = |p: &mut f64| *p = if votes > 0.0 { *p / votes } else { 1.0 / classes as f64 };
            posterior.iter_mut().for_each(share);
            return 0.0;
        }
        let (prior, logs) = self.logs.split_at(classes);
        let mut sums = prior.to_vec();
        for (source, symbol) in said {
            let of_cell = &logs[(source * symbols + symbol) * classes..][..classes];
            sums.iter_mut().zip(of_cell).for_each(|(sum, log)| *sum = sum.saturating_add(*log));
        }
        let likeliest =
            (0..classes).reduce(|best, class| if sums[class] > sums[best] { class } else { best }).unwrap_or(0);
        let most = sums[likeliest];
        if self.hard {
            posterior.fill(0.0);
            posterior[likeliest] = 1.0;
            return most as f64 / ONE;
        }
        posterior.iter_mut().zip(&sums).for_each(|(p, sum)| *p = exp((sum - most) as f64 / ONE));
        let whole: f64 = posterior.iter().sum();
        posterior.iter_mut().for_each(|p| *p /= whole);
        most as f64 / ONE + ln(whole)
    }

    /// Adds what an item says to the sums of a pass.
    pub(crate) fn count(
        &self,
        said: impl Iterator<Item = (usize, usize)> + Clone,
        posterior: &mut [f64],
        sums: &mut [i64],
    ) -> Result<(), PartialError> {
        let Shape { classes, symbols, .. } = self.shape;
        let likelihood = self.expect(said.clone(), posterior);
        let expected: Vec<i64> = posterior.iter().map(|&p| fixed(p)).collect();
        let (head, cells) = sums.split_at_mut(2 + classes);
        add(&mut head[..2], &[1, fixed(likelihood)])?;
        add(&mut head[2..], &expected)?;
        for (source, symbol) in said {
            add(&mut cells[(source * symbols + symbol) * classes..][..classes], &expected)?;
        }
        Ok(())
    }
}

/// A fit whose passes somebody else makes.
#[derive(Debug)]
pub(crate) struct Passes {
    method: DawidSkene,
    shape: Shape,
    schedule: Schedule,
    climb: Climb,
}

impl Passes {
    /// None made yet.
    pub(crate) fn new(method: &DawidSkene, shape: Shape) -> Result<Self> {
        let schedule = method.schedule()?;
        Ok(Self { method: method.clone(), shape, schedule, climb: Climb::default() })
    }

    /// What makes the expected counts of a pass likeliest.
    pub(crate) fn maximise(&self, sums: &[i64]) -> Model {
        let Shape { classes, symbols, .. } = self.shape;
        let mut counts = sums[2..].iter().map(|&sum| sum as f64 / ONE);
        let frequencies: Vec<f64> = counts.by_ref().take(classes).collect();
        let items: f64 = frequencies.iter().sum();
        let mut logs: Vec<i64> = frequencies.iter().map(|n| share(*n, items, classes)).collect();
        let before = self.counts_before();
        let counts: Vec<f64> = counts.zip(before.iter().cycle()).map(|(count, &before)| count + before).collect();
        for of_source in counts.chunks_exact(symbols * classes) {
            if self.method.one_coin {
                let of_answer = |l: usize| &of_source[l * classes..][..classes];
                let right: f64 = (0..classes).map(|l| of_answer(l)[l]).sum();
                let whole: f64 = of_source[..classes * classes].iter().sum();
                let others = classes.saturating_sub(1).max(1) as f64;
                let [is_right, is_wrong] = [right, (whole - right) / others].map(|n| share(n, whole, classes));
                for l in 0..symbols {
                    // An abstention says nothing of the class.
                    let of_class = |k: usize| {
                        if l == classes {
                            0
                        } else if l == k {
                            is_right
                        } else {
                            is_wrong
                        }
                    };
                    logs.extend((0..classes).map(of_class));
                }
            } else {
                let whole = |k: usize| of_source[k..].iter().step_by(classes).sum::<f64>();
                let wholes: Vec<f64> = (0..classes).map(whole).collect();
                logs.extend(of_source.iter().zip(wholes.iter().cycle()).map(|(n, whole)| share(*n, *whole, symbols)));
            }
        }
        Model { shape: self.shape, hard: self.method.estimate == Estimate::Hard, logs }
    }

    /// What each answer of a source is taken to have been counted before, [L, C].
    fn counts_before(&self) -> Vec<f64> {
        let Shape { classes, symbols, .. } = self.shape;
        let of = |l: usize, k: usize| match self.method.estimate {
            Estimate::MaximumLikelihood => 0.0,
            _ if l == k => self.method.diagonal.into(),
            _ => self.method.off_diagonal.into(),
        };
        (0..symbols).flat_map(|l| (0..classes).map(move |k| (l, k))).map(|(l, k)| of(l, k)).collect()
    }

    /// Takes what a pass with the model came to. Answers whether there is to be another.
    pub(crate) fn took(&mut self, model: &Model, sums: &[i64]) -> bool {
        let before = self.counts_before();
        let logs = model.logs[model.shape.classes..].iter().map(|&log| log as f64 / ONE);
        let prior: f64 = logs.zip(before.iter().cycle()).map(|(log, before)| log * before).sum();
        self.schedule.took(&mut self.climb, sums[1] as f64 / ONE + prior)
    }

    /// What was found of sources, without the posteriors of items.
    pub(crate) fn fit(self, model: &Model) -> Fit {
        let Shape { classes, symbols, .. } = self.shape;
        let logs: Vec<f32> = model.logs.iter().map(|&log| (log as f64 / ONE) as f32).collect();
        let (log_prior, logs) = logs.split_at(classes);
        let confusions =
            Confusions { classes, symbols, subtypes: 1, logs: logs.to_vec(), log_prior: log_prior.to_vec() };
        Fit::of(classes, Vec::new(), confusions.skill(), self.climb).with(confusions)
    }
}

/// ln of a share of so many; of none, of equal ones.
fn share(n: f64, whole: f64, shares: usize) -> i64 {
    let share = if whole > 0.0 { (n / whole).max(f32::MIN_POSITIVE.into()) } else { 1.0 / shares as f64 };
    fixed(ln(share))
}
