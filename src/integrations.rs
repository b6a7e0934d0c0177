//! Doors to other ecosystems, one feature each.

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg(feature = "ballista")]
pub mod ballista;
#[cfg(feature = "burn")]
pub mod burn;
#[cfg(feature = "candle")]
pub mod candle;
#[cfg(feature = "datafusion")]
pub mod datafusion;
#[cfg(feature = "http")]
pub mod http;
#[cfg(any(feature = "burn", feature = "candle"))]
mod network;
#[cfg(feature = "serve")]
pub mod serve;
