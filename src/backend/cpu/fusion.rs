//! The twins of the fusion shaders.

pub(super) mod pool;
pub(super) mod pool_wide;
