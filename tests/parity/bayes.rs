//! Posterior mathematics on every executor.

mod log_odds;
mod special;
