//! The derivative of a fusion by its opinions; the formulas stand in the documentation of `consilience::burn`.

use ::burn::tensor::Tensor;
use ::burn::tensor::activation::{log_softmax, softmax};

use crate::error::{BurnError, Result};
use crate::integrations::burn::fuse::Call;
use crate::kernel::fusion::pool::{Pool, Slot, WEIGHT_FLOOR};
use crate::plan;
use crate::spec::OnInvalid;
use crate::tensor::Encoding;

/// How a posterior changes with its opinions.
#[derive(Debug, Clone)]
pub(super) struct Slope {
    pool: Pooled,
    encoding: Encoding,
    /// w_n or e_n.
    factors: Vec<f32>,
    /// eps.
    log_floor: f32,
}

/// What is summed over the sources.
#[derive(Debug, Clone, Copy)]
enum Pooled {
    Probabilities,
    Logarithms,
}

impl Slope {
    /// That of a fusion, if it has one here.
    pub(super) fn of(call: &Call<'_>) -> Result<Self> {
        let none = |what: String, instead| Err(BurnError::NoGradient { what, instead }.into());
        let program = plan::lower(call.fusion, call.outline)?;
        let [step] = &program.steps[..] else {
            return none("a fusion of several steps".to_owned(), "use one rule");
        };
        let pool = &step.pool;
        let weights = || weights(pool);
        let rule = |slot: Slot| pool.rules() == slot.bit();
        let (pooled, factors) = if rule(Slot::Linear) {
            (Pooled::Probabilities, weights())
        } else if rule(Slot::LogPool) {
            (Pooled::Logarithms, weights())
        } else if rule(Slot::Evidence) {
            (Pooled::Logarithms, pool.sources.iter().map(|source| source.exponent).collect())
        } else {
            let instead = "the rules linear, log_pool and evidence have one; or detach the opinions";
            return none(format!("the rule {}", call.fusion.rule), instead);
        };
        if pool.sources.iter().any(|source| source.scale != 0.0) || !pool.class_weights.is_empty() {
            let what = format!("the weighting {}, which depends on opinions or classes", call.fusion.weighting.name());
            return none(
                what,
                "weights that are fixed, of performance or by proximity have one; or detach the opinions",
            );
        }
        if pool.inverse_temperature != 1.0 || pool.sources.iter().any(|source| source.inverse_temperature != 1.0) {
            return none("a temperature".to_owned(), "divide the logits by it before they are fused");
        }
        if pool.on_invalid != OnInvalid::Error {
            return none(format!("on_invalid of {}", pool.on_invalid.name()), "leave it at error");
        }
        Ok(Self { pool: pooled, encoding: call.encoding, factors, log_floor: pool.log_floor })
    }

    /// The gradient by the opinions [N, B, C], given the one by the posterior [B, C].
    pub(super) fn descend(&self, opinions: Tensor<3>, posterior: Tensor<2>, gradient: Tensor<2>) -> Tensor<3> {
        let mean = (gradient.clone() * posterior.clone()).sum_dim(1);
        let pull = gradient - mean;
        let pull = match self.pool {
            Pooled::Probabilities => pull,
            Pooled::Logarithms => pull * posterior,
        };
        let factors = Tensor::<1>::from_floats(&self.factors[..], &opinions.device());
        let pull = pull.unsqueeze_dim::<3>(0) * factors.reshape([self.factors.len(), 1, 1]);
        match (self.pool, self.encoding) {
            (Pooled::Probabilities, Encoding::Probabilities) => pull,
            (Pooled::Probabilities, Encoding::LogProbabilities) => pull * opinions.exp(),
            (Pooled::Probabilities, Encoding::Logits) => {
                let p = softmax(opinions, 2);
                let mean = (pull.clone() * p.clone()).sum_dim(2);
                (pull - mean) * p
            }
            (Pooled::Logarithms, Encoding::Probabilities) => {
                let at_floor = opinions.clone().lower_equal_elem(self.log_floor);
                (pull / opinions).mask_fill(at_floor, 0.0)
            }
            (Pooled::Logarithms, Encoding::LogProbabilities) => {
                pull.mask_fill(opinions.lower_equal_elem(self.log_floor.ln()), 0.0)
            }
            (Pooled::Logarithms, Encoding::Logits) => {
                let ln_p = log_softmax(opinions, 2);
                let pull = pull.mask_fill(ln_p.clone().lower_equal_elem(self.log_floor.ln()), 0.0);
                let sum = pull.clone().sum_dim(2);
                pull - ln_p.exp() * sum
            }
        }
    }
}

/// The weights w_n, summing to one: by step 3 of the kernel's formula.
fn weights(pool: &Pool) -> Vec<f32> {
    let normalised = |raw: Vec<f32>| {
        let sum: f32 = raw.iter().sum();
        (sum >= WEIGHT_FLOOR).then(|| raw.iter().map(|weight| weight / sum).collect::<Vec<_>>())
    };
    let raw = |of: fn(&crate::kernel::fusion::pool::SourceTerms) -> f32| pool.sources.iter().map(of).collect();
    normalised(raw(|source| source.offset))
        .or_else(|| normalised(raw(|source| source.prior)))
        .unwrap_or_else(|| vec![1.0 / pool.sources.len() as f32; pool.sources.len()])
}
