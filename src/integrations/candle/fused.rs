//! The outputs of a fusion as tensors.

use candle_core::{Device, Result, Tensor};

use crate::tensor::{self, Output};

/// The outputs of a fusion as tensors on the CPU; each takes over the memory that the engine wrote.
///
/// | output | shape | type |
/// |---|---|---|
/// | posterior | [B, C] | f32 |
/// | contributions | [B, N] | f32 |
/// | decision, flags | \[B\] | u32 |
/// | others | \[B\] | f32 |
///
/// # Examples
///
/// *A fused answer handed on to candle.*
///
/// ```
/// use consilience::{Engine, Evidence, Fusion, Output, Rule};
///
/// let evidence = Evidence::probabilities(2, &[&[0.75, 0.25], &[0.5, 0.5]])?;
/// let fused = Engine::cpu()?.fuse(&Fusion::new(Rule::Linear), &evidence)?;
/// let fused = consilience::candle::Fused::new(fused)?;
/// let posterior = fused.get(Output::Posterior).map(|posterior| posterior.to_vec2::<f32>()).transpose()?;
/// assert_eq!(posterior, Some(vec![vec![0.625, 0.375]]));
/// assert!(fused.get(Output::Entropy).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fused(Vec<(Output, Tensor)>);

impl Fused {
    /// Takes over the columns of an answer.
    ///
    /// # Errors
    ///
    /// candle makes no tensor of one.
    pub fn new(mut fused: tensor::Fused) -> Result<Self> {
        let (items, classes) = (fused.items(), fused.classes());
        let mut columns = Vec::new();
        for output in fused.outputs().iter() {
            let shape = match output {
                Output::Posterior => vec![items, classes],
                Output::Contributions => vec![items, fused.sources()],
                _ => vec![items],
            };
            let column = match (fused.take_values(output), fused.take_integers(output)) {
                (Some(values), _) => Tensor::from_vec(values, shape, &Device::Cpu)?,
                (None, Some(integers)) => Tensor::from_vec(integers, shape, &Device::Cpu)?,
                (None, None) => continue,
            };
            columns.push((output, column));
        }
        Ok(Self(columns))
    }

    /// One output; `None` where it was not asked for.
    #[must_use]
    pub fn get(&self, output: Output) -> Option<&Tensor> {
        self.0.iter().find_map(|(name, column)| (*name == output).then_some(column))
    }

    /// The same with a posterior, of which there was none.
    pub(super) fn with_posterior(mut self, posterior: Tensor) -> Self {
        self.0.insert(0, (Output::Posterior, posterior));
        self
    }
}
