//! The fusion kernels.

pub mod pool;
pub mod pool_wide;
