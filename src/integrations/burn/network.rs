//! A module of burn as a live source.

use std::fmt;
use std::marker::PhantomData;

use ::burn::tensor::kind::Basic;
use ::burn::tensor::{DType, Float, Tensor};

use crate::error::SourceError;
use crate::integrations::network::{self, Forward, Rows};
use crate::orchestration::source::Model;
use crate::orchestration::{Question, Reply};
use crate::tensor::Encoding;

/// A module of burn that answers many questions in one forward pass, on whatever backend its tensors are.
///
/// `encode` makes a question's features, a tensor of D dimensions. Those of one shape and type are stacked along a new
/// first axis; `forward` makes rows [B, C] of the stack, a tensor of S = D + 1 dimensions, one of C classes for each question.
/// They are copied to the host once a pass and turned into f32 there. Features may be of integers, as of a text's words; K
/// is their kind.
///
/// A module made of burn's parameters and layers can be moved into `forward` as it is. One with parts of its own that
/// threads must not share belongs in a [`Mutex`](std::sync::Mutex) there: nobody waits for it, since one thread calls
/// `forward` unless the source has more [slots](crate::orchestration::source::Batching::slots). Give it a module without
/// gradients, as `Module::valid` makes it.
///
/// | what happens | the error |
/// |---|---|
/// | `encode` fails or panics | its error or `Panicked`, of that question alone |
/// | `forward` panics, as burn does where shapes do not fit, or its output cannot be read | each question of the pass goes through by itself; those that fail again get `Panicked` or `Failed` |
/// | its output is not [B, C] | `Invalid`, saying which shape it has and which would be right |
/// | a value is NaN, or a row no opinion | none here; whoever reads the opinion finds it |
///
/// # Examples
///
/// *A linear classifier with fixed weights.*
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use burn::tensor::{Device, Tensor};
/// use consilience::Encoding;
/// use consilience::burn::Network;
/// use consilience::orchestration::{Opinion, Question, Source, source};
/// use tokio::time::Instant;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let device = Device::default();
/// let weights = Tensor::<2>::from_data([[1.0, -1.0], [0.5, 2.0]], &device);
/// let network = Network::new(
///     Encoding::Logits,
///     move |question: &Question<[f32]>| Ok(Tensor::<1>::from_data(&*question.input, &device)),
///     move |features: Tensor<2>| features.matmul(weights.clone()),
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
pub struct Network<const D: usize, const S: usize, E, F, K = Float> {
    encoding: Encoding,
    encode: E,
    forward: F,
    kind: PhantomData<fn(K)>,
}

impl<const D: usize, const S: usize, E, F, K: Basic> Network<D, S, E, F, K> {
    /// A network whose rows are in this encoding. S other than D + 1 does not compile.
    pub const fn new<I>(encoding: Encoding, encode: E, forward: F) -> Self
    where
        I: ?Sized,
        E: Fn(&Question<I>) -> Result<Tensor<D, K>, SourceError> + Send + Sync + 'static,
        F: Fn(Tensor<S, K>) -> Tensor<2> + Send + Sync + 'static,
    {
        const { assert!(S == D + 1, "the stack has one dimension more than a question's features") };
        Self { encoding, encode, forward, kind: PhantomData }
    }
}

impl<const D: usize, const S: usize, I, E, F, K> Model<I> for Network<D, S, E, F, K>
where
    I: ?Sized,
    E: Fn(&Question<I>) -> Result<Tensor<D, K>, SourceError> + Send + Sync + 'static,
    F: Fn(Tensor<S, K>) -> Tensor<2> + Send + Sync + 'static,
    K: Basic + 'static,
{
    fn answer(&self, questions: &[Question<I>]) -> Vec<Result<Reply, SourceError>> {
        network::answer(self, self.encoding, questions)
    }
}

impl<const D: usize, const S: usize, I, E, F, K> Forward<I> for Network<D, S, E, F, K>
where
    I: ?Sized,
    E: Fn(&Question<I>) -> Result<Tensor<D, K>, SourceError>,
    F: Fn(Tensor<S, K>) -> Tensor<2>,
    K: Basic,
{
    type Features = Tensor<D, K>;
    type Kind = ([usize; D], DType);

    fn encode(&self, question: &Question<I>) -> Result<Tensor<D, K>, SourceError> {
        (self.encode)(question)
    }

    fn kind(&self, features: &Tensor<D, K>) -> Self::Kind {
        (features.dims(), features.dtype())
    }

    fn forward(&self, features: Vec<Tensor<D, K>>) -> Result<Rows, SourceError> {
        let output = (self.forward)(Tensor::stack::<S>(features, 0));
        let shape = output.dims().to_vec();
        Ok(Rows { shape, values: output.try_into_vec_as::<f32>().map_err(SourceError::caused_by)? })
    }
}

impl<const D: usize, const S: usize, E, F, K> fmt::Debug for Network<D, S, E, F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("encoding", &self.encoding).field("rank", &D).finish_non_exhaustive()
    }
}
