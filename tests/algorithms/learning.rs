//! Learned trust: against naive oracles, against what is proven of it, and against damage.

mod confusion;
mod drift;
mod hedge;
mod merge;
mod reliability;
mod state;
mod updates;
mod weights;

use consilience::learning::Loss;
use consilience::{Answer, Encoding, Evidence};
use proptest::prelude::*;

use crate::support::cases::config;
use crate::support::problem::{Problem, Random};

/// Evidence and labels, most of them known.
#[derive(Debug, Clone)]
struct Stream {
    problem: Problem,
    labels: Vec<Option<u32>>,
}

impl Stream {
    fn random(sources: usize, items: usize, classes: usize, seed: u64) -> Self {
        let encoding = [Encoding::Probabilities, Encoding::LogProbabilities, Encoding::Logits][(seed % 3) as usize];
        let problem = Problem::random(encoding, sources, items, classes, seed).with_holes(seed).with_confidences(seed);
        let mut random = Random::new(seed ^ 0xABCD);
        let labels = (0..items).map(|_| (random.unit() < 0.8).then(|| random.below(classes) as u32)).collect();
        Self { problem, labels }
    }

    /// The same with every source awake on every item and every label known.
    fn full(sources: usize, items: usize, classes: usize, seed: u64) -> Self {
        let problem = Problem::random(Encoding::Probabilities, sources, items, classes, seed);
        let mut random = Random::new(seed ^ 0xABCD);
        let labels = (0..items).map(|_| Some(random.below(classes) as u32)).collect();
        Self { problem, labels }
    }

    fn evidence(&self) -> Evidence<'_> {
        self.problem.evidence()
    }

    fn select(&self, items: &[usize]) -> Self {
        let labels = items.iter().map(|&item| self.labels[item]).collect();
        Self { problem: self.problem.select(items), labels }
    }

    /// The labelled items and their classes.
    fn labelled(&self) -> Vec<(usize, usize)> {
        self.labels.iter().enumerate().filter_map(|(item, label)| Some((item, (*label)? as usize))).collect()
    }

    /// What a source says of an item, as a distribution.
    fn says(&self, source: usize, item: usize) -> Option<Vec<f64>> {
        let mut row = vec![0.0; self.problem.classes];
        let answer = self.evidence().opinion(source, item, &mut row).expect("a valid opinion");
        let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
        (answer == Answer::Given).then(|| row.iter().map(|&p| f64::from(p) / sum).collect())
    }
}

prop_compose! {
    fn streams()(n in 1..7_usize, b in 0..40_usize, c in 1..8_usize, seed: u64) -> Stream {
        Stream::random(n, b, c, seed)
    }
}

fn losses() -> impl Strategy<Value = Loss> {
    proptest::sample::select(vec![Loss::ZeroOne, Loss::Brier, Loss::LOG, Loss::Log { floor: 0.1 }])
}

/// The definition of each loss, word for word.
fn loss(loss: Loss, p: &[f64], truth: usize) -> f64 {
    match loss {
        Loss::ZeroOne => f64::from(u8::from(argmax(p) != truth)),
        Loss::Brier => 0.5 * (0..p.len()).map(|k| (p[k] - if k == truth { 1.0 } else { 0.0 }).powi(2)).sum::<f64>(),
        Loss::Log { floor } => p[truth].max(floor).ln() / floor.ln(),
        other => panic!("no oracle for {other:?}"),
    }
}

fn argmax(p: &[f64]) -> usize {
    (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best })
}

fn near(got: f64, want: f64, tolerance: f64) -> bool {
    (got - want).abs() <= tolerance * (1.0 + want.abs())
}
