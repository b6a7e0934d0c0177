//! The kernels that look at arrays as a whole.

mod domain;
