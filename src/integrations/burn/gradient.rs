//! Fusion as an operation of burn's autodiff: forward by our kernels, backward composed of burn's operations.

mod slope;

use ::burn::backend::autodiff::checkpoint::base::Checkpointer;
use ::burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use ::burn::backend::autodiff::grads::Gradients;
use ::burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use ::burn::backend::tensor::FloatTensor;
use ::burn::backend::{
    Autodiff, Backend, BackendTensor, DispatchKindConversion, DispatchTensor, DispatchTensorKind, Flex,
};
use ::burn::tensor::Tensor;

use self::slope::Slope;
use super::fuse::{Call, Input, Posterior, Validity, unsupported};
use crate::error::{Error, Result};

/// Fuses a tensor that gradients can belong to.
pub(super) fn fuse(call: &Call<'_>, stacked: Tensor<3>) -> Result<Posterior> {
    let device = stacked.device();
    let DispatchTensor { kind, autodiff } = stacked.into_dispatch();
    let DispatchTensorKind::Autodiff(inner) = kind else { return Err(unsupported(&device)) };
    let (inner, validity) = match *inner {
        DispatchTensorKind::Flex(BackendTensor::Autodiff(tensor)) => {
            let (tensor, validity) = child::<Flex>(call, tensor)?;
            (DispatchTensorKind::Flex(BackendTensor::Autodiff(tensor)), validity)
        }
        #[cfg(feature = "burn-wgpu")]
        DispatchTensorKind::Cube(BackendTensor::Autodiff(tensor)) => {
            let (tensor, validity) = child::<::burn::backend::Cube>(call, tensor)?;
            (DispatchTensorKind::Cube(BackendTensor::Autodiff(tensor)), validity)
        }
        _ => return Err(unsupported(&device)),
    };
    let kind = DispatchTensorKind::Autodiff(Box::new(inner));
    Ok(Posterior { tensor: Tensor::from_dispatch(DispatchTensor { kind, autodiff }), validity })
}

/// Fuses what is in a node and makes the posterior its child.
fn child<B>(call: &Call<'_>, tensor: FloatTensor<Autodiff<B>>) -> Result<(FloatTensor<Autodiff<B>>, Validity)>
where
    B: Backend,
    DispatchTensor: DispatchKindConversion<B>,
{
    let (opinions, node) = tensor.into_parts();
    let opinions = Tensor::<3>::from_primitive::<B>(opinions);
    let run = || {
        let posterior = call.fuse(Input::from(&opinions))?;
        let unexpected = |_| unsupported(&opinions.device());
        let primitive = posterior.tensor.clone().try_into_primitive::<B>().map_err(unexpected)?;
        Ok::<_, Error>((posterior, primitive))
    };
    match FuseBackward.prepare::<NoCheckpointing>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let slope = Slope::of(call)?;
            let (Posterior { tensor: posterior, validity }, primitive) = run()?;
            Ok((prepared.finish(State { slope, opinions, posterior }, primitive), validity))
        }
        OpsKind::UnTracked(prepared) => {
            let (Posterior { validity, .. }, primitive) = run()?;
            Ok((prepared.finish(primitive), validity))
        }
    }
}

/// The operation.
#[derive(Debug)]
struct FuseBackward;

/// What is kept for its backward.
#[derive(Debug, Clone)]
struct State {
    slope: Slope,
    opinions: Tensor<3>,
    posterior: Tensor<2>,
}

impl<B> Backward<B, 1> for FuseBackward
where
    B: Backend,
    DispatchTensor: DispatchKindConversion<B>,
{
    type State = State;

    fn backward(self, ops: Ops<State, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let Ops { parents: [parent], node, state: State { slope, opinions, posterior } } = ops;
        let gradient = Tensor::<2>::from_primitive::<B>(grads.consume::<B>(&node));
        let gradient = slope.descend(opinions, posterior, gradient);
        // What is computed on a backend is of that backend.
        if let (Some(parent), Ok(gradient)) = (parent, gradient.try_into_primitive::<B>()) {
            grads.register::<B>(parent.id, gradient);
        }
    }
}
