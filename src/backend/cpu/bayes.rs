//! Bayesian posterior mathematics.

pub(super) mod special;
