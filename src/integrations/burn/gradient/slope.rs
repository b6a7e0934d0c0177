//! The derivative of a fusion by its opinions; the formulas stand in the documentation of `consilience::burn`.

use ::burn::tensor::activation::{log_softmax, softmax};
use ::burn::tensor::{Bool, Tensor};

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
        let pool = plan::lower_differentiable(call.fusion, call.outline)?;
        if pool.inverse_temperature != 1.0 || pool.sources.iter().any(|source| source.inverse_temperature != 1.0) {
            return none("a temperature".to_owned(), "divide the logits by it before they are fused");
        }
        if pool.on_invalid != OnInvalid::Error {
            return none(format!("on_invalid of {}", pool.on_invalid.name()), "leave it at error");
        }
        let is = |slot: Slot| pool.rules() == slot.bit();
        let factors = if is(Slot::Evidence) {
            pool.sources.iter().map(|source| source.exponent).collect()
        } else {
            weights(&pool)
        };
        let pooled = if is(Slot::Linear) { Pooled::Probabilities } else { Pooled::Logarithms };
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
                let clamped = outside(opinions.clone(), self.log_floor, 1.0);
                (pull / opinions).mask_fill(clamped, 0.0)
            }
            (Pooled::Logarithms, Encoding::LogProbabilities) => {
                pull.mask_fill(outside(opinions, self.log_floor.ln(), 0.0), 0.0)
            }
            (Pooled::Logarithms, Encoding::Logits) => {
                let ln_p = log_softmax(opinions, 2);
                let pull = pull.mask_fill(outside(ln_p.clone(), self.log_floor.ln(), 0.0), 0.0);
                let sum = pull.clone().sum_dim(2);
                pull - ln_p.exp() * sum
            }
        }
    }
}

/// Where a logarithm is clamped.
fn outside(values: Tensor<3>, least: f32, most: f32) -> Tensor<3, Bool> {
    values.clone().lower_equal_elem(least).bool_or(values.greater_elem(most))
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
