//! Networks of candle as live sources.

use std::fmt;

use candle_core::{DType, DeviceLocation, Error, Result, Tensor};

use crate::error::SourceError;
use crate::integrations::network::{self, Forward, Rows};
use crate::orchestration::source::Model;
use crate::orchestration::{Question, Reply};
use crate::tensor::Encoding;

/// A network of candle that answers many questions in one forward pass.
///
/// `encode` makes a question's features, a tensor of any shape, type and device. Those of one shape, type and device are
/// stacked along a new first axis; `forward` makes rows [B, C] of the stack [B, ...], one of C classes for each question, in
/// any of candle's float types. They are turned into f32 on their device and copied to the host once a pass.
///
/// | what happens | the error |
/// |---|---|
/// | `encode` fails or panics | `Failed` or `Panicked`, of that question alone |
/// | `forward` fails or panics | each question of the pass goes through by itself; those that fail again get `Failed` or `Panicked` |
/// | its output is not [B, C] | `Invalid`, saying which shape it has and which would be right |
/// | a value is NaN, or a row no opinion | none here; whoever reads the opinion finds it |
///
/// The answer to a question depends on those it is asked with as far as `forward` lets it: a row of candle's matrix
/// products may differ in its last bits from batch to batch.
///
/// # Examples
///
/// *A linear classifier with fixed weights.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use candle_core::{Device, Tensor};
/// use consilience::Encoding;
/// use consilience::candle::Network;
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let weights = Tensor::new(&[[1.0_f32, -1.0], [0.5, 2.0]], &Device::Cpu)?;
/// let network = Network::new(
///     Encoding::Logits,
///     |question: &Question<[f32]>| Tensor::new(&*question.input, &Device::Cpu),
///     move |features| features.matmul(&weights),
/// );
/// let linear = source::batched("linear", network).build()?;
///
/// let question = Question::new(Arc::from([2.0, 4.0]), 2, Instant::now() + Duration::from_secs(1));
/// assert_eq!(linear.ask(question).await?.opinion, Opinion::Logits(vec![4.0, 6.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Network<E, F> {
    encoding: Encoding,
    encode: E,
    forward: F,
}

impl<E, F> Network<E, F> {
    /// A network whose rows are in this encoding.
    pub const fn new<I>(encoding: Encoding, encode: E, forward: F) -> Self
    where
        I: ?Sized,
        E: Fn(&Question<I>) -> Result<Tensor> + Send + Sync + 'static,
        F: Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static,
    {
        Self { encoding, encode, forward }
    }
}

impl<I, E, F> Model<I> for Network<E, F>
where
    I: ?Sized,
    E: Fn(&Question<I>) -> Result<Tensor> + Send + Sync + 'static,
    F: Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static,
{
    fn answer(&self, questions: &[Question<I>]) -> Vec<std::result::Result<Reply, SourceError>> {
        network::answer(self, self.encoding, questions)
    }
}

impl<I, E, F> Forward<I> for Network<E, F>
where
    I: ?Sized,
    E: Fn(&Question<I>) -> Result<Tensor>,
    F: Fn(&Tensor) -> Result<Tensor>,
{
    type Features = Tensor;
    type Kind = (Vec<usize>, DType, DeviceLocation);

    fn encode(&self, question: &Question<I>) -> std::result::Result<Tensor, SourceError> {
        (self.encode)(question).map_err(failed)
    }

    fn kind(&self, features: &Tensor) -> Self::Kind {
        (features.dims().to_vec(), features.dtype(), features.device().location())
    }

    fn forward(&self, features: Vec<Tensor>) -> std::result::Result<Rows, SourceError> {
        let output = Tensor::stack(&features, 0).and_then(|stack| (self.forward)(&stack)).map_err(failed)?;
        let dtype = output.dtype();
        if !dtype.is_float() {
            let why = format!("the network's output is of the type {}; it must be a float", dtype.as_str());
            return Err(SourceError::Invalid { why });
        }
        let values = output.to_dtype(DType::F32).and_then(|values| values.flatten_all()?.to_vec1());
        Ok(Rows { shape: output.dims().to_vec(), values: values.map_err(failed)? })
    }
}

impl<E, F> fmt::Debug for Network<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

/// An error of candle's without the backtrace that it may hold in its words.
fn failed(error: Error) -> SourceError {
    match error {
        Error::WithBacktrace { inner, .. } => failed(*inner),
        error => SourceError::caused_by(error),
    }
}
