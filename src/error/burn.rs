//! What can be wrong with burn's tensors.

/// A tensor of burn that cannot be fused, or not with gradients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BurnError {
    /// Another type of numbers.
    #[error("{tensor} is of {dtype}; fusion reads f32: cast it")]
    Type {
        /// Which tensor.
        tensor: String,
        /// Its type.
        dtype: String,
    },
    /// Nothing to fuse.
    #[error("{tensor} has the shape {shape:?}; it needs at least one {of}")]
    Empty {
        /// Which tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What there is none of.
        of: &'static str,
    },
    /// Sources that differ in shape.
    #[error("the tensor of source {source_index} has the shape {shape:?}, that of source 0 {first:?}; they must agree")]
    Shape {
        /// Which source.
        source_index: usize,
        /// Its shape.
        shape: Vec<usize>,
        /// The shape of the first.
        first: Vec<usize>,
    },
    /// Sources on several devices.
    #[error("the tensor of source {source_index} is on {device}, others are on {first}; all must be on one device")]
    Device {
        /// Which source.
        source_index: usize,
        /// Its device.
        device: String,
        /// The device of others.
        first: String,
    },
    /// A backend whose tensors are not fused.
    #[error("tensors on {device} are not fused; {supported}")]
    Backend {
        /// The device.
        device: String,
        /// What can be done.
        supported: &'static str,
    },
    /// Tensors on one device and an engine on another.
    #[error("the tensors are on {device}, the engine on {engine}; make the engine of that device, or move the tensors")]
    Elsewhere {
        /// The tensors' device.
        device: String,
        /// The engine's.
        engine: String,
    },
    /// Burn's own device failed.
    #[error("burn's device failed: {message}")]
    Failed {
        /// What burn said.
        message: String,
    },
    /// A gradient that there is none of.
    #[error("no gradient passes through {what}; {instead}")]
    NoGradient {
        /// What has none.
        what: String,
        /// What can be done.
        instead: &'static str,
    },
}

impl BurnError {
    pub(crate) const fn is_shape(&self) -> bool {
        matches!(self, Self::Empty { .. } | Self::Shape { .. })
    }
}
