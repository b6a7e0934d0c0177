//! Accuracies from how often two of three agree, in closed form (Dalvi, Dasgupta, Kumar and Rastogi, WWW 2013; Fu et al., ICML
//! 2020).

use super::annotations::Annotations;
use super::fit::Fit;
use super::known::Known;
use super::one_coin;
use super::votes::Votes;
use crate::error::{Result, TruthError};

/// A vote is compared with so many that follow it on its item, in the order of sources; of items with fewer votes, with all.
const COMPARED: usize = 32;
/// How much more than chance a source knows, if no three ever met: half of all there is.
const UNMET: f64 = 0.5;

/// Each source has one accuracy p and errs towards every other class alike. With u = (C p - 1) / (C - 1), 0 for chance and 1 for
/// certainty, what two agree on beyond chance, q = (C P(agree) - 1) / (C - 1), is on average the product of their u, whatever the
/// classes are. So of three that met, u_i^2 = q_ij q_ik / q_jk.
///
/// The sign s of a source is that of what it agrees on with all it met: most are taken to be better than chance. Its u^2 is
/// sum w s_j q_ij s_k q_ik / sum w s_j s_k q_jk over all pairs of the `neighbours` it met most often (the lowest of equals) who
/// also met each other, with w the least number of items two of the three met on. A vote is compared with the next 32 on its item, in the order of sources, so
/// that the work grows with the annotations alone. Who was in no such three has the mean of all others by their votes; if nobody
/// was, u = 1/2.
///
/// p is (n p + s mean + right) / (n + s + right + wrong) with n the votes on items whose class is not known, s = `smoothing`,
/// `right` and `wrong` those on the others; what a source is taken to have answered before adds to these, and stands for
/// `smoothing`. An earlier fit makes no difference. The posterior is that of votes of these accuracies, all classes being as
/// frequent; the skill is p, the objective the log-likelihood, one value. It runs on the host, in f64, on one core.
///
/// # Examples
///
/// *Three that err on different items, and one that only errs.*
///
/// ```
/// use consilience::truth::{Annotations, Triplets};
///
/// let items: Vec<u32> = (0..24).flat_map(|item| [item; 4]).collect();
/// let said = |item: u32, source: u32| (item + u32::from(source == 3 || item % 8 == source)) % 2;
/// let labels: Vec<u32> = (0..24).flat_map(|item| [0, 1, 2, 3].map(|source| said(item, source))).collect();
/// let fit = Triplets::default().fit(&Annotations::new(2, &items, &[0, 1, 2, 3].repeat(24), &labels)?)?;
/// assert_eq!(fit.decision(), [0, 1].repeat(12));
/// assert!(fit.skill()[0] > 0.7 && fit.skill()[3] < 0.3);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Triplets {
    /// Of how many others those that met each other are used.
    pub neighbours: usize,
    /// As how many votes of the mean accuracy each source is taken to have given.
    pub smoothing: f64,
}

impl Default for Triplets {
    fn default() -> Self {
        Self { neighbours: 30, smoothing: 10.0 }
    }
}

impl Triplets {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// An option out of its range.
    pub fn fit(&self, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(annotations, &Known::default())
    }

    /// The same with what is known.
    ///
    /// # Errors
    ///
    /// As [`Triplets::fit`]; a known class of no item, that is none, or two of one item; counts that are none, or do not fit.
    pub fn fit_with(&self, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let (neighbours, is_valid) = (self.neighbours as f64, (2..=1000).contains(&self.neighbours));
        TruthError::check_option("the number of neighbours", neighbours, is_valid, "between 2 and 1000")?;
        let is_valid = self.smoothing.is_finite() && self.smoothing >= 0.0;
        TruthError::check_option("the smoothing", self.smoothing, is_valid, "a finite number of at least 0")?;
        let votes = Votes::new(annotations, known, [0.0; 2])?;
        let smoothing = if known.counts.is_empty() { self.smoothing } else { 0.0 };
        let skill = accuracies(&votes, &self.beyond_chance(&Meetings::of(&votes)), smoothing);
        let (posterior, likelihood) = one_coin::posterior(&votes, &skill);
        Ok(votes.fit(&posterior, skill, likelihood))
    }

    /// The u of each source that can be told.
    fn beyond_chance(&self, meetings: &Meetings) -> Vec<Option<f64>> {
        let sources = 0..meetings.starts.len() - 1;
        let agrees = |source| meetings.of_source(source).iter().map(|with| with.count * with.agreement).sum::<f64>();
        let signs: Vec<f64> = sources.clone().map(|source| if agrees(source) < 0.0 { -1.0 } else { 1.0 }).collect();
        let of_source = |source: usize| {
            let mut most = meetings.of_source(source).to_vec();
            most.sort_by(|a, b| b.count.total_cmp(&a.count).then(a.other.cmp(&b.other)));
            most.truncate(self.neighbours);
            let (mut above, mut below) = (0.0, 0.0);
            for (place, j) in most.iter().enumerate() {
                for k in &most[place + 1..] {
                    if let Some(they) = meetings.between(j.other, k.other) {
                        let weight = j.count.min(k.count).min(they.count);
                        let sign = signs[j.other as usize] * signs[k.other as usize];
                        above += weight * sign * j.agreement * k.agreement;
                        below += weight * sign * they.agreement;
                    }
                }
            }
            (below > 0.0).then(|| signs[source] * (above / below).clamp(0.0, 1.0).sqrt())
        };
        sources.map(of_source).collect()
    }
}

/// The accuracy of each source.
fn accuracies(votes: &Votes, beyond_chance: &[Option<f64>], smoothing: f64) -> Vec<f64> {
    let classes = votes.classes as f64;
    let accuracy = |u: f64| (1.0 + (classes - 1.0) * u) / classes;
    let (mut sum, mut count) = (0.0, 0.0);
    for (u, votes) in beyond_chance.iter().zip(&votes.counts) {
        if let Some(u) = u {
            sum += u * votes;
            count += votes;
        }
    }
    let mean = if count > 0.0 { sum / count } else { UNMET };
    let (mut before, mut open) = (votes.before.clone(), votes.counts.clone());
    for (item, of_item) in votes.of_items().enumerate() {
        if let Some(class) = votes.known(item) {
            for &(label, source) in of_item {
                before[source as usize][usize::from(label as usize != class)] += 1.0;
                open[source as usize] -= 1.0;
            }
        }
    }
    let of_source = |((u, open), [right, wrong]): ((&Option<f64>, f64), [f64; 2])| {
        let (all, mean) = (open + smoothing + right + wrong, accuracy(mean));
        let says = open * u.map_or(mean, accuracy) + smoothing * mean + right;
        if all > 0.0 { says / all } else { mean }
    };
    beyond_chance.iter().zip(open).zip(before).map(of_source).collect()
}

/// On how many items a source met another, and how far they agreed beyond chance.
#[derive(Debug, Clone, Copy)]
struct Meeting {
    other: u32,
    count: f64,
    agreement: f64,
}

/// Of each source, in the order of the others.
struct Meetings {
    starts: Vec<usize>,
    meetings: Vec<Meeting>,
}

impl Meetings {
    fn of(votes: &Votes) -> Self {
        let mut pairs = Vec::new();
        let mut of_item = Vec::new();
        for votes in votes.of_items() {
            of_item.clear();
            of_item.extend(votes.iter().map(|&(label, source)| (source, label)));
            of_item.sort_unstable();
            for (place, &(a, one)) in of_item.iter().enumerate() {
                for &(b, other) in of_item[place + 1..].iter().take(COMPARED).filter(|&&(b, _)| b != a) {
                    pairs.extend([(a, b, one == other), (b, a, one == other)]);
                }
            }
        }
        pairs.sort_unstable();
        let (mut starts, mut meetings) = (vec![0], Vec::new());
        let others = (votes.classes.max(2) - 1) as f64;
        for of_pair in pairs.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (source, other, _) = of_pair[0];
            let (count, agreed) = (of_pair.len() as f64, of_pair.iter().filter(|pair| pair.2).count() as f64);
            starts.resize(source as usize + 1, meetings.len());
            meetings.push(Meeting { other, count, agreement: (agreed - (count - agreed) / others) / count });
        }
        starts.resize(votes.counts.len() + 1, meetings.len());
        Self { starts, meetings }
    }

    fn of_source(&self, source: usize) -> &[Meeting] {
        &self.meetings[self.starts[source]..self.starts[source + 1]]
    }

    fn between(&self, a: u32, b: u32) -> Option<&Meeting> {
        let of_source = self.of_source(a as usize);
        of_source.binary_search_by_key(&b, |with| with.other).ok().map(|place| &of_source[place])
    }
}
