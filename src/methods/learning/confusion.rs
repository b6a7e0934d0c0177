//! What each source answers per true class: Dirichlet counts.

use serde::{Deserialize, Serialize};

use super::check::{self, MOST};
use super::lesson::{Heard, Lesson};
use super::loss::vote;
use super::resident::Held;
use super::state::State;
use crate::engine::{Engine, Resident};
use crate::error::{EvidenceError, Result, SpecError, StateError};
use crate::methods::checked::checked;
use crate::spec::LOG_FLOOR;
use crate::tensor::Evidence;

/// More counts than this are no learner but a mistake: 2 GiB.
const LARGEST: usize = 1 << 28;

/// A confusion matrix per source: theta_n[k, l], the probability that source n answers l where k is true, for C true
/// classes and C + 1 answers, the last of which is an abstention. An answer is a vote: the class of the largest
/// probability, a tie going to the lower one.
///
/// Each row is the mean of a Dirichlet posterior of its own,
///
/// theta_n[k, l] = (count_n[k, l] + prior[k, l]) / sum_j (count_n[k, j] + prior[k, j]),
///
/// with one pseudo-count on the diagonal and another everywhere else, the abstentions too. A row without any count or
/// pseudo-count is uniform. A discount g below one makes a row forget whenever its class is seen:
/// row k is multiplied by g^q before the answer is added with the share q that class k has in the truth. So a rare class
/// is not forgotten in favour of frequent ones.
///
/// A source that is missing on an item sleeps; one that abstains has given its last answer.
///
/// # Examples
///
/// *A source that takes the second class for the first, half of the time.*
///
/// ```
/// use consilience::learning::{Confusion, ConfusionOptions};
/// use consilience::Evidence;
///
/// let options = ConfusionOptions { diagonal: 0.0, off_diagonal: 0.0, discount: 1.0 };
/// let mut learner = Confusion::new(1, 2, options)?;
/// let evidence = Evidence::probabilities(2, &[&[0.9, 0.1, 0.8, 0.2, 0.3, 0.7]])?;
/// learner.update(&evidence, &[Some(0), Some(1), Some(1)])?;
/// assert_eq!(learner.matrices(), [1.0, 0.0, 0.0, 0.5, 0.5, 0.0]);
/// assert_eq!(learner.recalls(), [1.0, 0.5]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Confusion {
    options: ConfusionOptions,
    sources: usize,
    classes: usize,
    /// [N, C, C + 1], row-major.
    counts: Vec<f64>,
}

/// How confusion matrices are learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusionOptions {
    /// Pseudo-count of each right answer, not negative.
    pub diagonal: f64,
    /// Pseudo-count of each wrong answer and of abstention, not negative.
    pub off_diagonal: f64,
    /// How much of a row is kept when its class is seen, g in (0, 1].
    pub discount: f64,
}

impl Confusion {
    /// A learner that has seen nothing.
    ///
    /// # Errors
    ///
    /// No sources, no classes, more than 2^28 counts, or an option outside its range.
    pub fn new(sources: usize, classes: usize, options: ConfusionOptions) -> Result<Self> {
        options.check()?;
        Ok(Self { options, sources, classes, counts: vec![0.0; len(sources, classes)?] })
    }

    /// Learns from the labelled items of a block, one label per item; `None` is an item whose truth is not known.
    ///
    /// # Errors
    ///
    /// Evidence with another number of sources or classes, another number of labels than of items, a label that is no
    /// class, or an opinion that is not valid. Nothing is learned then.
    pub fn update(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<()> {
        let mut lesson = Lesson::of_classes(evidence, self.sources, self.classes)?;
        let truths: Vec<(usize, usize)> = lesson.labelled(labels)?.collect();
        let answers = self.answers(&mut lesson, truths.iter().map(|&(item, _)| item))?;
        for (&(_, truth), answers) in truths.iter().zip(answers.chunks(self.sources)) {
            for (source, answer) in answers.iter().enumerate() {
                self.count(source, truth, *answer, 1.0);
            }
        }
        Ok(())
    }

    /// [`Confusion::update`] from evidence that is held, which stays where it is: two bytes an opinion come to the host, and what
    /// is learned is the same to the bit.
    ///
    /// # Errors
    ///
    /// As [`Confusion::update`]; another engine holds the evidence, there are more than 65,534 classes to vote for, a copy of a
    /// source passes [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes), or the device fails.
    pub fn update_resident(&mut self, engine: &Engine, evidence: &Resident, labels: &[Option<u32>]) -> Result<()> {
        let votes = Held::of_classes(evidence, [self.sources, self.classes], labels)?.votes(engine)?;
        self.update(&votes.evidence()?, labels)
    }

    /// Learns from truths that are known as distributions over the classes: evidence of one source, with as many items.
    /// An item on which that source is missing or abstains has no known truth.
    ///
    /// # Errors
    ///
    /// Evidence or truths with another number of sources, items or classes, or an opinion or a truth that is not valid.
    /// Nothing is learned then.
    pub fn update_soft(&mut self, evidence: &Evidence<'_>, truths: &Evidence<'_>) -> Result<()> {
        let mut lesson = Lesson::of_classes(evidence, self.sources, self.classes)?;
        let mut truth = Lesson::of_classes(truths, 1, self.classes)?;
        EvidenceError::check_len("the evidence of the truths, in items,", evidence.items(), truths.items())?;
        let mut known = Vec::new();
        for item in 0..truths.items() {
            if let Heard::Opinion(q) = truth.hear(0, item)? {
                known.push((item, q.to_vec()));
            }
        }
        let answers = self.answers(&mut lesson, known.iter().map(|&(item, _)| item))?;
        for ((_, q), answers) in known.iter().zip(answers.chunks(self.sources)) {
            for (source, answer) in answers.iter().enumerate() {
                for (truth, &share) in q.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                    self.count(source, truth, *answer, share);
                }
            }
        }
        Ok(())
    }

    /// The answer of every source on the items given, [items, N]; `None` where a source is missing.
    fn answers(
        &self,
        lesson: &mut Lesson<'_, '_>,
        items: impl ExactSizeIterator<Item = usize>,
    ) -> Result<Vec<Option<usize>>> {
        let mut answers = Vec::with_capacity(items.len() * self.sources);
        for item in items {
            for source in 0..self.sources {
                answers.push(match lesson.hear(source, item)? {
                    Heard::Nothing => None,
                    Heard::Abstention => Some(self.classes),
                    Heard::Opinion(p) => Some(vote(p)),
                });
            }
        }
        Ok(answers)
    }

    fn count(&mut self, source: usize, truth: usize, answer: Option<usize>, share: f64) {
        let Some(answer) = answer else { return };
        let width = self.classes + 1;
        let discount = self.options.discount;
        let Some(row) = self.counts.chunks_exact_mut(width).nth(source * self.classes + truth) else { return };
        if discount < 1.0 {
            let kept = discount.powf(share);
            row.iter_mut().for_each(|count| *count *= kept);
        }
        if let Some(count) = row.get_mut(answer) {
            *count = (*count + share).min(MOST);
        }
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How it learns.
    #[must_use]
    pub fn options(&self) -> &ConfusionOptions {
        &self.options
    }

    /// What was counted, without pseudo-counts: [N, C, C + 1], by source, true class and answer.
    #[must_use]
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// theta, each row summing to one: [N, C, C + 1], by source, true class and answer.
    #[must_use]
    pub fn matrices(&self) -> Vec<f32> {
        self.theta().map(|theta| theta as f32).collect()
    }

    /// ln theta, of theta no smaller than [`LOG_FLOOR`](crate::spec::LOG_FLOOR): [N, C, C + 1].
    #[must_use]
    pub fn log_matrices(&self) -> Vec<f32> {
        self.theta().map(|theta| theta.max(f64::from(LOG_FLOOR)).ln() as f32).collect()
    }

    /// theta_n[k, k], how reliable each source is on each class: [N, C].
    #[must_use]
    pub fn recalls(&self) -> Vec<f32> {
        let rows = self.counts.chunks_exact(self.classes + 1).enumerate();
        rows.map(|(row, counts)| self.row(row % self.classes, counts).nth(row % self.classes).unwrap_or(0.0) as f32)
            .collect()
    }

    /// Adds up the counts. Under a discount that is what each learner still remembers, as if the two streams had run side
    /// by side and not one after the other.
    ///
    /// # Errors
    ///
    /// Another number of sources or classes, or other options.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        StateError::check_same("sources", &self.sources, &other.sources)?;
        StateError::check_same("classes", &self.classes, &other.classes)?;
        StateError::check_same("options", &self.options, &other.options)?;
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = (*mine + theirs).min(MOST);
        }
        Ok(())
    }

    fn theta(&self) -> impl Iterator<Item = f64> + '_ {
        let rows = self.counts.chunks_exact(self.classes + 1).enumerate();
        rows.flat_map(|(row, counts)| self.row(row % self.classes, counts))
    }

    /// One row of theta from its counts.
    fn row<'c>(&self, truth: usize, counts: &'c [f64]) -> impl Iterator<Item = f64> + use<'c> {
        let ConfusionOptions { diagonal, off_diagonal, .. } = self.options;
        let prior = move |answer| if answer == truth { diagonal } else { off_diagonal };
        let sum: f64 = counts.iter().enumerate().map(|(answer, count)| count + prior(answer)).sum();
        let uniform = 1.0 / counts.len() as f64;
        counts.iter().enumerate().map(
            move |(answer, count)| {
                if sum > 0.0 { (count + prior(answer)) / sum } else { uniform }
            },
        )
    }

    fn check(&self) -> Result<(), String> {
        self.options.check().map_err(|error| error.to_string())?;
        let len = len(self.sources, self.classes).map_err(|error| error.to_string())?;
        check::length("counts", self.counts.len(), len)?;
        self.counts.iter().try_for_each(|&count| check::count("a count", count, MOST))
    }
}

checked!(Confusion);

impl State for Confusion {
    const KIND: &'static str = "confusion";
    const VERSION: u32 = 1;
}

impl ConfusionOptions {
    fn check(&self) -> Result<()> {
        check::number("diagonal", self.diagonal, "in [0, 2^53]", |x| (0.0..=MOST).contains(&x))?;
        check::number("off_diagonal", self.off_diagonal, "in [0, 2^53]", |x| (0.0..=MOST).contains(&x))?;
        check::number("discount", self.discount, "in (0, 1]", |x| x > 0.0 && x <= 1.0)
    }
}

impl Default for ConfusionOptions {
    /// Two pseudo-counts on the diagonal and one elsewhere; nothing forgotten.
    fn default() -> Self {
        Self { diagonal: 2.0, off_diagonal: 1.0, discount: 1.0 }
    }
}

/// N C (C + 1), if there may be so many.
fn len(sources: usize, classes: usize) -> Result<usize> {
    check::sources(sources)?;
    if classes == 0 {
        return Err(EvidenceError::NoClasses.into());
    }
    let len = classes.checked_add(1).and_then(|width| width.checked_mul(classes)).and_then(|n| n.checked_mul(sources));
    len.filter(|&len| len <= LARGEST).ok_or_else(|| {
        let what = "sources x classes x (classes + 1)".to_owned();
        let value = sources as f64 * classes as f64 * (classes as f64 + 1.0);
        SpecError::OutOfRange { what, value, must: "at most 2^28" }.into()
    })
}
