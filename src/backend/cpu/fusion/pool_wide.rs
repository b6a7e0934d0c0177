//! The twin of `shaders/fusion/pool_wide.wgsl`. A tile of sixteen items has room for any number of classes, so on the CPU
//! it is the pool.

pub(in crate::backend::cpu) use super::pool::run;
