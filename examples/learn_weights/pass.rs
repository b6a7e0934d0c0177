//! One pass over a stream: each item is fused before its truth is learned.

use std::ops::Range;

use consilience::Engine;

use crate::Failure;
use crate::learner::Learner;
use crate::stream::Stream;

/// What came out, item by item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pass {
    /// [B, C].
    pub posterior: Vec<f32>,
    /// The weights that each item was fused under, where there are any.
    pub weights: Vec<Vec<f64>>,
}

impl Pass {
    /// Takes the learner through these items.
    pub fn over(stream: &Stream, items: Range<usize>, learner: &mut Learner, engine: &Engine) -> Result<Self, Failure> {
        let mut pass = Self::default();
        for item in items {
            let evidence = stream.evidence(item)?;
            pass.posterior.extend_from_slice(engine.fuse(&learner.fusion(), &evidence)?.posterior());
            pass.weights.extend(learner.weights());
            learner.learn(&evidence, &[Some(stream.labels[item])])?;
        }
        Ok(pass)
    }

    /// Both, one after the other.
    pub fn then(mut self, next: Self) -> Self {
        self.posterior.extend(next.posterior);
        self.weights.extend(next.weights);
        self
    }
}
