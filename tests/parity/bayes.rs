//! Posterior mathematics on every executor.

mod conjugate;
mod gaussian;
mod information;
mod log_odds;
mod special;
