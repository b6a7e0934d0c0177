//! What a fusion says of one item.

use crate::tensor::{Flags, Fused, Output, Outputs};

/// What a fusion says of one item: the outputs that were asked for, the others empty.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Verdict {
    /// The fused distribution; empty where it was not asked for.
    pub posterior: Vec<f32>,
    /// The class decided for.
    pub decision: Option<u32>,
    /// The largest posterior.
    pub confidence: Option<f32>,
    /// The largest posterior less the second largest.
    pub margin: Option<f32>,
    /// The posterior's entropy in nats.
    pub entropy: Option<f32>,
    /// How far the opinions are apart, in [0, 1].
    pub disagreement: Option<f32>,
    /// The effective number of sources.
    pub effective_sources: Option<f32>,
    /// What was out of the ordinary.
    pub flags: Option<Flags>,
    /// How far the opinions contradict each other under Dempster's rule, in [0, 1].
    pub conflict: Option<f32>,
    /// Each source's signed part of the log-odds of the decision over the runner-up, in nats; empty where it was not asked
    /// for.
    pub contributions: Vec<f32>,
}

impl Verdict {
    /// One item of what an engine answers.
    pub(super) fn of(fused: &Fused, outputs: Outputs, item: usize) -> Self {
        let row = |all: &[f32]| {
            let each = all.len() / fused.items().max(1);
            all.get(item * each..(item + 1) * each).unwrap_or_default().to_vec()
        };
        let one = |all: &[f32]| all.get(item).copied();
        Self {
            posterior: row(fused.posterior()),
            decision: fused.decision().get(item).copied(),
            confidence: one(fused.confidence()),
            margin: one(fused.margin()),
            entropy: one(fused.entropy()),
            disagreement: one(fused.disagreement()),
            effective_sources: one(fused.effective_sources()),
            flags: outputs.contains(Output::Flags).then(|| fused.flags_of(item)),
            conflict: one(fused.conflict()),
            contributions: row(fused.contributions()),
        }
    }
}
