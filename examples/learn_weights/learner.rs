//! What may weigh the sources: weights that stay, or one of the crate's learners.

use std::path::Path;

use consilience::learning::{Confusion, Hedge, Reliability, State, Weights};
use consilience::{Evidence, Fusion, Result, Rule, Weighting};

#[derive(Debug, Clone, PartialEq)]
pub enum Learner {
    /// It learns nothing.
    Fixed(Vec<f32>),
    Reliability(Reliability),
    Weights(Weights),
    /// It is told no truth, and goes by how sure the sources say they are.
    SelfReported(Weights),
    Hedge(Hedge),
    Confusion(Confusion),
}

impl Learner {
    /// How the next item is fused. All but `Confusion` differ by the weights alone.
    pub fn fusion(&self) -> Fusion {
        match self {
            Self::Fixed(weights) => linear(Weighting::Fixed(weights.clone())),
            Self::Reliability(learner) => linear(Weighting::Performance(learner.reliabilities())),
            Self::Weights(learner) | Self::SelfReported(learner) => {
                linear(Weighting::Adaptive { beta: 0.5, learned: learner.weights() })
            }
            Self::Hedge(learner) => linear(Weighting::Fixed(learner.weights())),
            Self::Confusion(learner) => Fusion::new(Rule::Confusion { matrices: learner.matrices() }),
        }
    }

    /// Learns from items and their true classes.
    pub fn learn(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<()> {
        match self {
            Self::Fixed(_) => Ok(()),
            Self::Reliability(learner) => learner.update(evidence, labels),
            Self::Weights(learner) => learner.update(evidence, labels),
            Self::SelfReported(learner) => learner.update_self_reported(evidence),
            Self::Hedge(learner) => learner.update(evidence, labels),
            Self::Confusion(learner) => learner.update(evidence, labels),
        }
    }

    /// What it has learned of each source, as weights that sum to one; confusion matrices are none.
    pub fn weights(&self) -> Option<Vec<f64>> {
        let raw = match self {
            Self::Fixed(weights) => weights.clone(),
            Self::Reliability(learner) => learner.reliabilities(),
            Self::Weights(learner) | Self::SelfReported(learner) => learner.weights(),
            Self::Hedge(learner) => learner.weights(),
            Self::Confusion(_) => return None,
        };
        let sum: f64 = raw.iter().copied().map(f64::from).sum();
        Some(raw.iter().map(|&weight| f64::from(weight) / sum).collect())
    }

    pub fn learns(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        match self {
            Self::Fixed(_) => Ok(()),
            Self::Reliability(learner) => learner.save(path),
            Self::Weights(learner) | Self::SelfReported(learner) => learner.save(path),
            Self::Hedge(learner) => learner.save(path),
            Self::Confusion(learner) => learner.save(path),
        }
    }

    /// The learner of this kind that was saved there.
    pub fn load(&self, path: &Path) -> Result<Self> {
        Ok(match self {
            Self::Fixed(weights) => Self::Fixed(weights.clone()),
            Self::Reliability(_) => Self::Reliability(State::load(path)?),
            Self::Weights(_) => Self::Weights(State::load(path)?),
            Self::SelfReported(_) => Self::SelfReported(State::load(path)?),
            Self::Hedge(_) => Self::Hedge(State::load(path)?),
            Self::Confusion(_) => Self::Confusion(State::load(path)?),
        })
    }
}

fn linear(weighting: Weighting) -> Fusion {
    Fusion::new(Rule::Linear).weighting(weighting)
}
