//! The doors to other ecosystems.

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "candle")]
mod candle;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "candle")]
mod perceptron;
