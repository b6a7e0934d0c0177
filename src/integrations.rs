//! Doors to other ecosystems, one feature each.

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg(feature = "http")]
pub mod http;
