//! The doors to other ecosystems.

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "http")]
mod http;
