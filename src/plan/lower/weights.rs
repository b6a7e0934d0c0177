//! The weighting: every one of them comes to offset + scale m^gamma.

use crate::error::{Result, SpecError};
use crate::kernel::fusion::pool::By;
use crate::plan::lower::{checked, within};
use crate::spec::{Distance, Divergence, Measure, Weighting};

/// What a weighting comes to. The largest weight a source can have is 1, so that no sum overflows.
#[derive(Debug)]
pub(super) struct Weights {
    pub offset: Vec<f32>,
    pub scale: Vec<f32>,
    pub by: By,
    pub gamma: f32,
    pub steepness: f32,
    pub class_weights: Vec<f32>,
}

/// The least share of the largest weight of a class that a source has.
const LEAST_CLASS_WEIGHT: f32 = 1e-12;

impl Weights {
    pub(super) fn of(weighting: &Weighting, n: usize, classes: usize) -> Result<Self> {
        match weighting {
            Weighting::Fixed(weights) if weights.is_empty() => Ok(Self::constant(vec![1.0; n])),
            Weighting::Fixed(weights) => {
                checked("the fixed weights", weights, n, "sources")?;
                Ok(Self::constant(divided(weights, largest(weights))))
            }
            Weighting::Performance(weights) => {
                checked("the reliabilities of performance", weights, n, "sources")?;
                Ok(Self::constant(divided(weights, largest(weights))))
            }
            Weighting::PerClass(weights) => {
                SpecError::check_length("the weights per class", weights.len(), n * classes, "sources x classes")?;
                checked("the weights per class", weights, n * classes, "sources x classes")?;
                Ok(Self::per_class(&divided(weights, largest(weights)), classes))
            }
            Weighting::Confidence { gamma, measure } => {
                within("gamma", *gamma, "in [0, 64]", |gamma| (0.0..=64.0).contains(&gamma))?;
                let by = match measure {
                    Measure::Max => By::Max,
                    Measure::Margin => By::Margin,
                    Measure::Entropy => By::Entropy,
                };
                Ok(Self { scale: vec![1.0; n], by, gamma: *gamma, ..Self::constant(vec![0.0; n]) })
            }
            Weighting::Proximity { positions, target, distance } => {
                SpecError::check_length("positions", positions.len(), n, "sources")?;
                for &position in positions.iter().chain([target]) {
                    within("a position", position, "in [0, 9]", |x| (0.0..=9.0).contains(&x))?;
                }
                let apart = |position: f32| match (distance, (position - target).abs()) {
                    (Distance::Linear, d) => d,
                    (Distance::Cyclic, d) => d.min(9.0 - d),
                };
                Ok(Self::constant(positions.iter().map(|&position| 1.0 / (1.0 + 0.2 * apart(position))).collect()))
            }
            Weighting::Consensus { divergence, steepness } => {
                within("steepness", *steepness, "in [0, 1e6]", |steepness| (0.0..=1e6).contains(&steepness))?;
                let by = match divergence {
                    Divergence::Hellinger => By::Hellinger,
                    Divergence::JensenShannon => By::JensenShannon,
                };
                Ok(Self { scale: vec![1.0; n], by, steepness: *steepness, ..Self::constant(vec![0.0; n]) })
            }
            Weighting::Adaptive { beta, learned } => {
                within("beta", *beta, "in [0, 1]", |beta| (0.0..=1.0).contains(&beta))?;
                checked("the learned weights", learned, n, "sources")?;
                let most = f32::max(1.0, largest(learned));
                let offset = learned.iter().map(|w| (1.0 - beta) * (w / most)).collect();
                Ok(Self { scale: vec![beta / most; n], ..Self::constant(offset) })
            }
        }
    }

    /// Weights that do not depend on the item.
    fn constant(offset: Vec<f32>) -> Self {
        let scale = vec![0.0; offset.len()];
        Self { offset, scale, by: By::Max, gamma: 1.0, steepness: 0.0, class_weights: Vec::new() }
    }

    /// Each source's mean, and for each class the factor from it to the weight there.
    fn per_class(weights: &[f32], classes: usize) -> Self {
        let most = |k: usize| weights.iter().skip(k).step_by(classes).copied().fold(0.0, f32::max);
        // A class without any weight hears every source alike.
        let most: Vec<f32> = (0..classes).map(most).map(|most| if most > 0.0 { most } else { 1.0 }).collect();
        let floored: Vec<f32> =
            weights.iter().zip(most.iter().cycle()).map(|(w, most)| w.max(LEAST_CLASS_WEIGHT * most)).collect();
        let mean = |row: &[f32]| row.iter().map(|&w| f64::from(w)).sum::<f64>() / row.len() as f64;
        let offset: Vec<f32> = floored.chunks_exact(classes).map(|row| mean(row) as f32).collect();
        let factors =
            floored.chunks_exact(classes).zip(&offset).flat_map(|(row, mean)| row.iter().map(move |w| w / mean));
        Self { class_weights: factors.collect(), ..Self::constant(offset) }
    }
}

fn largest(weights: &[f32]) -> f32 {
    weights.iter().copied().fold(0.0, f32::max)
}

fn divided(weights: &[f32], by: f32) -> Vec<f32> {
    weights.iter().map(|w| if by > 0.0 { w / by } else { 0.0 }).collect()
}
