//! What can be wrong with candle's tensors.

/// A tensor of candle that cannot be fused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CandleError {
    /// Another number of dimensions.
    #[error("the tensor has the shape {shape:?}; it must be {must}")]
    Rank {
        /// Its shape.
        shape: Vec<usize>,
        /// What would be right.
        must: &'static str,
    },
    /// Another type of numbers.
    #[error("the tensor is of {dtype}; fusion reads f32, bf16 and f16: convert it by `to_dtype(DType::F32)`")]
    Type {
        /// Its type.
        dtype: &'static str,
    },
    /// On another device than the CPU.
    #[error("the tensor is on {device}; fusion reads the host's memory: copy it by `to_device(&Device::Cpu)`")]
    Device {
        /// Its device.
        device: String,
    },
    /// Rows that do not lie side by side.
    #[error("the rows of the tensor do not lie side by side, with strides of {strides:?}; copy it by `contiguous()`")]
    Layout {
        /// Its strides.
        strides: Vec<usize>,
    },
    /// Sources that differ.
    #[error("the tensor of source {source_index} is {given}, that of source 0 {first}; they must agree")]
    Sources {
        /// Which source.
        source_index: usize,
        /// Its shape, type and device.
        given: String,
        /// Those of the first.
        first: String,
    },
}

impl CandleError {
    pub(crate) const fn is_shape(&self) -> bool {
        matches!(self, Self::Rank { .. } | Self::Layout { .. } | Self::Sources { .. })
    }
}
