//! Who is right when sources disagree: each method against a naive one in f64, and what all promise.

mod annotations;
mod dawid_skene;
mod every_method;
mod glad;
mod kos;
mod mace;
mod methods;
mod online;
mod triplets;
mod voting;

use consilience::truth::{Fit, Known};

use crate::support::annotated::Annotated;

/// What a naive implementation found.
pub struct Naive {
    /// [B, C].
    pub posterior: Vec<Vec<f64>>,
    pub skill: Vec<f64>,
    pub objective: f64,
}

/// What is known beforehand: nothing, or some classes and how each source answered.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub gold: Vec<(u32, u32)>,
    /// [N, C, L].
    pub counts: Vec<f32>,
    /// How often each source was right, and wrong; empty: nothing.
    pub before: Vec<[f64; 2]>,
}

impl Told {
    /// Every seventh item's class, every other one wrongly, and up to eight answers of each source.
    fn of(crowd: &Annotated) -> Self {
        let classes = crowd.classes;
        let gold = (0..crowd.truth.len() as u32).step_by(7);
        let gold = gold.map(|i| (i, (crowd.truth[i as usize] + i % 2) % classes as u32)).collect();
        let symbols = crowd.symbols();
        let (mut counts, mut before) = (Vec::new(), Vec::new());
        for source in 0..crowd.of_sources {
            let mut sums = [0.0; 2];
            for class in 0..classes {
                for answer in 0..symbols {
                    let count = ((3 * source + 5 * class + 2 * answer) % 9) as f32 / 4.0;
                    counts.push(count);
                    if answer < classes {
                        sums[usize::from(answer != class)] += f64::from(count);
                    }
                }
            }
            before.push(sums);
        }
        Self { gold, counts, before }
    }

    fn known(&self) -> Known<'_> {
        Known { gold: &self.gold, counts: &self.counts, warm: None }
    }

    fn class(&self, item: usize) -> Option<usize> {
        self.gold.iter().find(|known| known.0 as usize == item).map(|known| known.1 as usize)
    }

    fn before(&self, source: usize, default: [f64; 2]) -> [f64; 2] {
        self.before.get(source).copied().unwrap_or(default)
    }
}

/// Fails unless a fit is what the naive implementation found: posteriors within 1e-5 but for one in a thousand and within
/// 5e-4 all, decisions but for gaps below 1e-4, the objective within 1e-6 of itself.
fn agree(name: &str, fit: &Fit, naive: &Naive) {
    let classes = naive.posterior[0].len();
    assert_eq!(fit.posterior().len(), naive.posterior.len() * classes, "{name}");
    let flat = naive.posterior.concat();
    let mut gaps: Vec<f64> = fit.posterior().iter().zip(&flat).map(|(&a, b)| (f64::from(a) - b).abs()).collect();
    gaps.sort_by(f64::total_cmp);
    let (rank, most) = (gaps.len() - 1 - gaps.len() / 1000, gaps.len() - 1);
    assert!(gaps[rank] <= 1e-5 && gaps[most] <= 5e-4, "{name}: posteriors differ by {} {}", gaps[rank], gaps[most]);
    for (item, (&decision, row)) in fit.decision().iter().zip(&naive.posterior).enumerate() {
        let best = row.iter().copied().fold(0.0, f64::max);
        assert!(best - row[decision as usize] < 1e-4, "{name}: item {item} is {decision} of {row:?}");
    }
    for (source, (a, b)) in fit.skill().iter().zip(&naive.skill).enumerate() {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{name}: the skill of source {source}, {a}, is {b}");
    }
    assert_eq!(fit.skill().len(), naive.skill.len(), "{name}");
    let (last, objective) = (fit.objective()[fit.objective().len() - 1], naive.objective);
    assert!((last - objective).abs() <= 1e-6 * objective.abs().max(1.0), "{name}: objective {last}, {objective}");
}
