//! Greedy ensemble selection.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::methods::random::shuffle;
use crate::methods::stacking::examples::check_option;
use crate::methods::stacking::table::Table;
use crate::spec::LOG_FLOOR;
use crate::tensor::Evidence;

/// What a selection is to be good at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The mean of -ln P(label), P no smaller than 1e-7; less is better.
    #[default]
    Nll,
    /// The share of items decided wrongly; less is better.
    Error,
}

/// Picks sources with replacement, in each round the one whose addition to the linear pool makes it best on the labelled
/// items (Caruana, Niculescu-Mizil, Crew and Ksikes 2004). Of equally good ones the lowest is picked.
///
/// Where none of those picked says anything of an item, the pool is that of the sources that do, as the engine's is. Items
/// of which no source says anything are left out.
///
/// # Examples
///
/// *Two sources that err on different items are both picked.*
///
/// ```
/// use consilience::Evidence;
/// use consilience::stacking::{Metric, Selection};
///
/// let a = [0.9, 0.1, 0.6, 0.4, 0.1, 0.9];
/// let b = [0.4, 0.6, 0.2, 0.8, 0.1, 0.9];
/// let c = [0.1, 0.9, 0.9, 0.1, 0.9, 0.1];
/// let evidence = Evidence::probabilities(2, &[&a, &b, &c])?;
/// let selection = Selection { metric: Metric::Error, rounds: 4, ..Selection::default() };
/// let selected = selection.fit(&evidence, &[0, 1, 1])?;
/// assert_eq!((selected.counts.as_slice(), selected.traces[0][1]), ([1, 1, 0].as_slice(), 0.0));
/// assert_eq!(selected.weights, [0.5, 0.5, 0.0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// What it is to be good at.
    pub metric: Metric,
    /// How many picks; at least 1, 50 unless given. What counts are the picks up to the best round.
    pub rounds: u32,
    /// Over how many bags counts are added; at least 1. Each bag may pick from a random half of the sources only, drawn by
    /// the seed; one bag, as unless given, picks from all.
    pub bags: u32,
    /// What bags are drawn by.
    pub seed: u64,
}

impl Default for Selection {
    fn default() -> Self {
        Self { metric: Metric::Nll, rounds: 50, bags: 1, seed: 0 }
    }
}

/// What was picked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// How often each source was picked, over all bags.
    pub counts: Vec<u32>,
    /// The counts as weights that sum to one, ready for `Weighting::Fixed`.
    pub weights: Vec<f32>,
    /// The metric after each round, a list for each bag.
    pub traces: Vec<Vec<f64>>,
}

impl Selection {
    /// Picks.
    ///
    /// # Errors
    ///
    /// No labels or not one per item, a label that is no class, an invalid opinion, no opinion at all, or no rounds or
    /// bags.
    pub fn fit(&self, evidence: &Evidence<'_>, labels: &[u32]) -> Result<Selected> {
        check_option("rounds", f64::from(self.rounds), self.rounds > 0, "at least 1")?;
        check_option("bags", f64::from(self.bags), self.bags > 0, "at least 1")?;
        let table = Table::of(evidence, labels)?;
        let mut random = SplitMix64::seed_from_u64(self.seed);
        let mut counts = vec![0; table.sources];
        let mut traces = Vec::with_capacity(self.bags as usize);
        for _ in 0..self.bags {
            let mut candidates: Vec<usize> = (0..table.sources).collect();
            if self.bags > 1 {
                shuffle(&mut random, &mut candidates);
                candidates.truncate(table.sources.div_ceil(2));
                candidates.sort_unstable();
            }
            let (picks, trace) = self.pick(&table, &candidates);
            picks.into_iter().for_each(|source| counts[source] += 1);
            traces.push(trace);
        }
        let total: f64 = counts.iter().copied().map(f64::from).sum();
        let weights = counts.iter().map(|&count| (f64::from(count) / total) as f32).collect();
        Ok(Selected { counts, weights, traces })
    }

    /// The picks up to the best round, and the metric after every round.
    fn pick(&self, table: &Table, candidates: &[usize]) -> (Vec<usize>, Vec<f64>) {
        let mut bag = Bag::new(table);
        let (mut picks, mut trace) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            let mut best = (f64::INFINITY, candidates[0]);
            for &source in candidates {
                let value = bag.metric_with(source, self.metric);
                if value < best.0 {
                    best = (value, source);
                }
            }
            bag.add(best.1);
            trace.push(best.0);
            picks.push(best.1);
        }
        let least = trace.iter().copied().fold(f64::INFINITY, f64::min);
        picks.truncate(1 + trace.iter().position(|&value| value == least).unwrap_or(0));
        (picks, trace)
    }
}

/// The sums of the opinions picked.
struct Bag<'a> {
    table: &'a Table,
    /// [B, C].
    sums: Vec<f32>,
    /// How many of those picked say something of the item, [B].
    counts: Vec<f32>,
    /// What the pool is where none of them does, [B, C].
    fallback: Vec<f32>,
}

impl<'a> Bag<'a> {
    fn new(table: &'a Table) -> Self {
        let classes = table.classes;
        let mut fallback = vec![0.0; table.items() * classes];
        for ((_, given, rows), mean) in table.iter().zip(fallback.chunks_exact_mut(classes)) {
            let share = 1.0 / given.iter().filter(|given| **given).count() as f32;
            for row in rows.chunks_exact(classes) {
                mean.iter_mut().zip(row).for_each(|(mean, p)| *mean += share * p);
            }
        }
        Self { table, sums: vec![0.0; fallback.len()], counts: vec![0.0; table.items()], fallback }
    }

    fn add(&mut self, source: usize) {
        let classes = self.table.classes;
        let items = self.table.iter().zip(self.sums.chunks_exact_mut(classes)).zip(&mut self.counts);
        for (((_, given, rows), sums), count) in items {
            if given[source] {
                *count += 1.0;
                sums.iter_mut().zip(&rows[source * classes..]).for_each(|(sum, p)| *sum += p);
            }
        }
    }

    /// The metric with the source added.
    fn metric_with(&self, source: usize, metric: Metric) -> f64 {
        let classes = self.table.classes;
        let items = self.table.iter().zip(self.sums.chunks_exact(classes)).zip(&self.counts);
        let mut total = 0.0;
        for ((((label, given, rows), sums), count), fallback) in items.zip(self.fallback.chunks_exact(classes)) {
            let row = &rows[source * classes..][..classes];
            let count = count + f32::from(given[source]);
            // What is not given is a row of zeros.
            let pool = |k: usize| if count > 0.0 { sums[k] + row[k] } else { fallback[k] };
            let of_label = pool(label);
            total += match metric {
                Metric::Nll => -f64::from((of_label / count.max(1.0)).max(LOG_FLOOR)).ln(),
                Metric::Error => {
                    let beaten = (0..classes).any(|k| pool(k) > of_label || (k < label && pool(k) == of_label));
                    f64::from(u8::from(beaten))
                }
            };
        }
        total / self.table.items() as f64
    }
}
