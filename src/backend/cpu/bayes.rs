//! Bayesian posterior mathematics.

pub(super) mod log_odds;
pub(super) mod special;
