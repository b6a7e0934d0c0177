//! Who is right when sources disagree: each method against a naive one in f64, and what all promise.

mod annotations;
mod dawid_skene;
mod kos;
mod mace;
mod methods;
mod online;
mod voting;

use consilience::truth::Fit;

/// What a naive implementation found.
pub struct Naive {
    /// [B, C].
    pub posterior: Vec<Vec<f64>>,
    pub skill: Vec<f64>,
    pub objective: Option<f64>,
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
    assert_eq!(fit.objective().is_empty(), naive.objective.is_none(), "{name}");
    if let Some(objective) = naive.objective {
        let last = fit.objective()[fit.objective().len() - 1];
        assert!((last - objective).abs() <= 1e-6 * objective.abs().max(1.0), "{name}: objective {last}, {objective}");
    }
}
