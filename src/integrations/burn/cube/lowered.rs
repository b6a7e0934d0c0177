//! The tensors of `CubeBackend`, whether burn's kernel fusion is on or off.

use ::burn::backend::tensor::FloatTensor;
use ::burn::backend::{Backend, TensorMetadata};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use burn_fusion::custom::{CustomOpIr, OperationIr, OperationOutput, StreamId, TensorIr};
use burn_fusion::{Fusion, FusionBackend, NoOp};

/// What burn's `Cube` is: `CubeBackend`, or that inside its kernel fusion where somebody turned burn's feature `fusion` on.
/// This crate cannot see features of burn's, and need not: both are dealt with here.
pub(super) trait Lowered: Backend {
    /// The tensor in its buffer; kernels that were to fill it are launched if they were not.
    fn lower(tensor: FloatTensor<Self>) -> CubeTensor;

    /// The tensor for operations to come.
    fn raise(tensor: CubeTensor) -> FloatTensor<Self>;
}

impl Lowered for CubeBackend {
    fn lower(tensor: CubeTensor) -> CubeTensor {
        tensor
    }

    fn raise(tensor: CubeTensor) -> CubeTensor {
        tensor
    }
}

impl<B: FusionBackend<FloatTensorPrimitive = CubeTensor>> Lowered for Fusion<B>
where
    CubeTensor: TensorMetadata<Device = B::Device>,
{
    fn lower(tensor: FloatTensor<Self>) -> CubeTensor {
        let client = tensor.client.clone();
        client.resolve_tensor_float::<B>(tensor)
    }

    fn raise(tensor: CubeTensor) -> FloatTensor<Self> {
        let client = burn_fusion::get_client::<B>(&tensor.device());
        let (shape, dtype) = (tensor.shape(), tensor.dtype());
        let id = client.register_tensor_handle(B::float_tensor_handle(tensor));
        // An operation of nothing, whose output is there already: as burn itself takes in tensors that are made elsewhere.
        let operation = CustomOpIr::new("consilience", &[], &[TensorIr::uninit(id, shape, dtype)]);
        client.register(StreamId::current(), OperationIr::Custom(operation), NoOp::<B>::new()).output()
    }
}
