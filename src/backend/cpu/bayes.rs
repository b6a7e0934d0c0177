//! Bayesian posterior mathematics.

pub(super) mod conjugate;
pub(super) mod gaussian;
pub(super) mod information;
pub(super) mod log_odds;
pub(super) mod special;
