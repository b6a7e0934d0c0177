//! Posterior mathematics on every executor.

mod conjugate;
mod log_odds;
mod special;
