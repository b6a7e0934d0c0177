//! The doors to other ecosystems.

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "burn")]
mod burn;
#[cfg(feature = "candle")]
mod candle;
#[cfg(feature = "datafusion")]
mod datafusion;
#[cfg(feature = "http")]
mod http;
#[cfg(any(feature = "burn", feature = "candle"))]
mod perceptron;
#[cfg(feature = "serve")]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod serve;
