//! The kernels that look at arrays as a whole.

pub mod domain;
