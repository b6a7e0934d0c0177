//! Posterior mathematics on every executor.

mod conjugate;
mod gaussian;
mod log_odds;
mod special;
