//! The kernels of Bayesian posterior mathematics.

pub mod special;
