//! Tensors of candle fused where they lie, with gradients; networks of candle as live sources.
//!
//! [`fuse`] makes a posterior [B, C] of opinions [N, B, C], N sources on B items over C classes, as one operation of candle:
//!
//! | tensor | what happens |
//! |---|---|
//! | f32, bf16, f16 on the CPU, rows side by side | read where it lies, whatever its offset and however far its sources are apart |
//! | other layouts (transposed, narrowed to some classes, broadcast over items) | copied once by candle's `contiguous` |
//! | several [B, C] | [`fuse_sources`] stacks them: a copy |
//! | f64, integers | an error that says what to convert to |
//! | on CUDA or Metal | an error: `to_device(&Device::Cpu)` is the copy, and its gradient goes back |
//!
//! The posterior is f32, and its storage the memory that the engine wrote. Logarithms of probabilities in 16 bits count as
//! logits, as [`Opinions::LogitsBf16`](crate::Opinions::LogitsBf16) says.
//!
//! The engine may be on a GPU: then the opinions are uploaded and the posterior is read back, once each in every call; the
//! gradient is computed on the CPU all the same. An operation starts no threads of its own: it runs on the engine's, while
//! candle's wait. Whoever calls it from many threads gives it an engine of one
//! ([`EngineOptions::threads`](crate::EngineOptions)).
//!
//! Gradients flow through [`Rule::Linear`](crate::Rule::Linear), [`Rule::LogPool`](crate::Rule::LogPool) and
//! [`Rule::Evidence`](crate::Rule::Evidence); [`kernel::fusion::gradient`](crate::kernel::fusion::gradient) derives them.
//! Another rule, or weights that depend on the opinions, can be fused but fail in `backward`.
//!
//! Errors are candle's, so that `?` works among other operations; [`cause`] finds ours in them.
//!
//! A [`Network`] is a [`Model`](crate::orchestration::source::Model):
//! [`source::batched`](crate::orchestration::source::batched) makes a source of it, whose questions wait for each other while
//! the network works and then go through it together.

mod cause;
mod fuse;
mod fused;
mod network;
mod planes;

pub use self::cause::cause;
pub use self::fuse::{fuse, fuse_outputs, fuse_sources};
pub use self::fused::Fused;
pub use self::network::Network;
pub use self::planes::with_evidence;
