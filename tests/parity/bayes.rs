//! Posterior mathematics on every executor.

mod special;
