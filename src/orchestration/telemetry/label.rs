//! Labels: enums, and nothing else.

use metrics::Counter;

use super::metric::Metric;

/// An enum whose variants label a metric.
pub trait Label: Copy + PartialEq + Send + Sync + 'static {
    /// What the label is called.
    const KEY: &'static str;
    /// Every variant.
    const ALL: &'static [Self];

    /// What a variant is called.
    fn name(self) -> &'static str;
}

/// A counter for each variant of a label.
#[derive(Debug, Clone)]
pub struct PerVariant<L> {
    metric: &'static Metric,
    counters: Vec<(L, Counter)>,
}

impl<L: Label> PerVariant<L> {
    /// Registers a series of the metric for every variant with the current recorder.
    #[must_use]
    pub fn new(metric: &'static Metric) -> Self {
        Self { metric, counters: L::ALL.iter().map(|&label| (label, metric.counter_of(label))).collect() }
    }

    /// Counts one more of a variant.
    pub fn count(&self, label: L) {
        self.add(label, 1);
    }

    /// Counts so many more of a variant.
    pub fn add(&self, label: L, more: u64) {
        // A handful at most: looking at all is faster than hashing.
        match self.counters.iter().find(|(of, _)| *of == label) {
            Some((_, counter)) => counter.increment(more),
            // Left out of `Label::ALL`: its series appears late, but no count is lost.
            None => self.metric.counter_of(label).increment(more),
        }
    }
}
