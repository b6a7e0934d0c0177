//! The kernels of Bayesian posterior mathematics.

pub mod conjugate;
pub mod gaussian;
pub mod information;
pub mod log_odds;
pub mod special;
