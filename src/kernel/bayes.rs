//! The kernels of Bayesian posterior mathematics.

pub mod log_odds;
pub mod special;
