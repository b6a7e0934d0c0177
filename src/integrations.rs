//! Doors to other ecosystems, one feature each.

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg(feature = "candle")]
pub mod candle;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "candle")]
mod network;
