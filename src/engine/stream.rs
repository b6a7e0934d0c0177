//! Evidence larger than memory: read, fused and taken away chunk by chunk, all three at the same time.
//!
//! [`Engine::stream`] moves `depth` chunks round a ring. The source, on a thread of its own, fills an empty one; the engine,
//! on another, fuses it; the sink, on the caller's, takes what came out, in order; then the source gets the same memory
//! again. So a source runs ahead of the sink by `depth` chunks and no further, and once every chunk has been round, and none
//! is larger than those before it, no memory for evidence or answers is allocated any more.
//!
//! # Memory
//!
//! At most [`Options::memory_bytes`] = `depth` x `chunk_bytes`, where a chunk counts with its answers, and one that takes
//! more is refused. On a GPU that is all on the host beside 40 MiB of staging, and the device takes at most
//! [`EngineOptions::memory_bytes`](crate::EngineOptions::memory_bytes).
//!
//! # Speed
//!
//! As the slowest of the three alone, where each has cores of its own. Where they share them, what they do takes no less
//! than the work of all three over the number of cores. [`Summary`] says how long each worked and how long it waited.
//!
//! # When something fails
//!
//! What came before in the stream is fused and delivered, each chunk once; [`Failure`] says how much that is, and what came
//! first in the order of the stream, not of the clock. All threads have ended when the call returns: it waits for a source
//! that is still reading.

mod chunk;
mod failure;
mod ring;
mod summary;

use std::ops::ControlFlow;

pub use self::chunk::Chunk;
pub use self::failure::{Failure, Fault, Stage};
pub use self::summary::{StageTime, Summary};
use crate::engine::Engine;
use crate::spec::Fusion;
use crate::tensor::Fused;

/// How much of a stream is in memory at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Chunks in the ring; from 3 on all stages can work at the same time. 0 counts as 1, where they take turns.
    pub depth: usize,
    /// What one chunk may take with its answers, in bytes.
    pub chunk_bytes: u64,
}

impl Default for Options {
    /// Four chunks of 64 MiB.
    fn default() -> Self {
        Self { depth: 4, chunk_bytes: 64 << 20 }
    }
}

impl Options {
    /// What all chunks take together with their answers at most, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.chunk_bytes.saturating_mul(self.depth.max(1) as u64)
    }
}

impl Engine {
    /// Fuses a stream of chunks: the pieces of one block of evidence, which differ in nothing but their items and in who
    /// has masks and confidences. See [`stream`](crate::stream).
    ///
    /// The source fills the chunk it is given, which is empty, and answers `true`; or it answers `false`: that was all. The
    /// sink looks at each chunk and its answers, in order, and may stop the stream.
    ///
    /// # Errors
    ///
    /// The source or the sink fails or panics, a chunk is larger than it may be or differs from those before it, or
    /// [`Engine::fuse`] fails. An item at fault is counted from the beginning of the stream.
    ///
    /// # Examples
    ///
    /// *A hundred items, by seven at most, with their ids beside them; a reader stands for the file.*
    ///
    /// ```
    /// use std::error::Error;
    /// use std::ops::ControlFlow;
    ///
    /// use consilience::{Encoding, Engine, Form, Fusion, OwnedEvidence, stream};
    ///
    /// let mut ids = 0..100_u64;
    /// let source = |(evidence, given): &mut (OwnedEvidence, Vec<u64>)| {
    ///     given.extend(ids.by_ref().take(7));
    ///     evidence.reshape(2, given.len(), &[Form::F32(Encoding::Probabilities); 3])?;
    ///     for source in 0..3 {
    ///         evidence.f32s_mut(source).unwrap().as_chunks_mut().0.fill([0.75, 0.25]);
    ///     }
    ///     Ok::<_, Box<dyn Error + Send + Sync>>(!given.is_empty())
    /// };
    /// let mut written = Vec::new();
    /// let sink = |(_, ids): &(OwnedEvidence, Vec<u64>), fused: &consilience::Fused| {
    ///     written.extend(ids.iter().copied().zip(fused.decision().iter().copied()));
    ///     Ok(ControlFlow::Continue(()))
    /// };
    /// let engine = Engine::cpu()?;
    /// let summary = engine
    ///     .stream(&Fusion::default(), &stream::Options::default(), source, sink)
    ///     .map_err(stream::Failure::into_boxed)?;
    /// assert_eq!((summary.items, summary.chunks, summary.bytes), (100, 15, 100 * 3 * 2 * 4));
    /// assert_eq!(written[99], (99, 0));
    /// # Ok::<(), Box<dyn Error + Send + Sync>>(())
    /// ```
    pub fn stream<C: Chunk + Default, E: Send>(
        &self,
        fusion: &Fusion,
        options: &Options,
        source: impl FnMut(&mut C) -> Result<bool, E> + Send,
        sink: impl FnMut(&C, &Fused) -> Result<ControlFlow<()>, E>,
    ) -> Result<Summary, Failure<E>> {
        ring::run(self, fusion, options, source, sink)
    }
}
