//! The ring of chunks and the three stages on it.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Builder, ScopedJoinHandle};
use std::time::Instant;

use super::failure::caught;
use super::{Chunk, Failure, Fault, Options, Stage, StageTime, Summary};
use crate::backend::Timing;
use crate::engine::Engine;
use crate::error::{DeviceError, EvidenceError, Result};
use crate::spec::Fusion;
use crate::tensor::{Fused, Outline};

/// As much as a main thread has, twice: without optimisation the kernels' frames take megabytes. What is not used costs
/// nothing.
const FUSION_STACK_BYTES: usize = 16 << 20;

/// A chunk and the memory of its answers, which stay together.
#[derive(Debug, Default)]
struct Slot<C> {
    chunk: C,
    fused: Fused,
    /// Bytes of its evidence.
    bytes: u64,
}

/// What one stage hands to the next: chunks, then perhaps what ended them. So a fault is met in the order of the stream.
type Passed<C, E> = Result<Slot<C>, Fault<E>>;

/// See [`Engine::stream`].
pub(super) fn run<C: Chunk + Default, E: Send>(
    engine: &Engine,
    fusion: &Fusion,
    options: &Options,
    source: impl FnMut(&mut C) -> Result<bool, E> + Send,
    sink: impl FnMut(&C, &Fused) -> Result<ControlFlow<()>, E>,
) -> Result<Summary, Failure<E>> {
    let start = Instant::now();
    let depth = options.depth.max(1);
    let mut summary = Summary::default();
    let ended = thread::scope(|scope| {
        // There is room for all chunks and a fault: only an empty channel makes a stage wait.
        let (send_empty, empty) = sync_channel(depth);
        let (send_filled, filled) = sync_channel(depth + 1);
        let (send_fused, fused) = sync_channel(depth + 1);
        for _ in 0..depth {
            // The other end is two lines above.
            let _ = send_empty.send(Slot::default());
        }
        let fuser = Fuser { engine, fusion, allowed: options.chunk_bytes, first: None, chunks: 0, items: 0 };
        // A stage that returns drops its ends of the channels, which ends its neighbours.
        let source = named("source").spawn_scoped(scope, move || fill(source, &empty, &send_filled));
        let source = source.map_err(threads)?;
        let fusing = named("fusion")
            .stack_size(FUSION_STACK_BYTES)
            .spawn_scoped(scope, move || fuse(fuser, &filled, &send_fused));
        let fusing = fusing.map_err(threads)?;
        let ended = take(sink, fused, send_empty, &mut summary);
        summary.source = join(source);
        (summary.fusion, summary.timing) = join(fusing);
        ended
    });
    summary.total = start.elapsed();
    match ended {
        Ok(()) => Ok(summary),
        Err(fault) => Err(Failure { fault, summary: Box::new(summary) }),
    }
}

/// Fills chunks until there are no more, the source fails, or nobody takes them.
fn fill<C: Chunk, E>(
    mut source: impl FnMut(&mut C) -> Result<bool, E>,
    empty: &Receiver<Slot<C>>,
    filled: &SyncSender<Passed<C, E>>,
) -> StageTime {
    let mut time = StageTime::default();
    while let Ok(mut slot) = time.wait(|| empty.recv()) {
        let passed = time.work(|| {
            caught(Stage::Source, || {
                slot.chunk.clear();
                source(&mut slot.chunk).map_err(Fault::Source)
            })
        });
        let passed = match passed {
            Ok(true) => Ok(slot),
            Ok(false) => break,
            Err(fault) => Err(fault),
        };
        let is_last = passed.is_err();
        if filled.send(passed).is_err() || is_last {
            break;
        }
    }
    time
}

/// Fuses chunks until there are no more, one cannot be fused, or nobody takes the answers.
fn fuse<C: Chunk, E>(
    mut fuser: Fuser<'_>,
    filled: &Receiver<Passed<C, E>>,
    fused: &SyncSender<Passed<C, E>>,
) -> (StageTime, Timing) {
    let (mut time, mut timing) = (StageTime::default(), Timing::default());
    while let Ok(passed) = time.wait(|| filled.recv()) {
        let passed = passed.and_then(|mut slot| {
            let work = || fuser.fuse(&mut slot).map_err(Fault::Fusion);
            timing += time.work(|| caught(Stage::Fusion, work))?;
            Ok(slot)
        });
        let is_last = passed.is_err();
        if fused.send(passed).is_err() || is_last {
            break;
        }
    }
    (time, timing)
}

/// Hands the answers to the sink until there are no more, it fails, or it has enough.
fn take<C, E>(
    mut sink: impl FnMut(&C, &Fused) -> Result<ControlFlow<()>, E>,
    fused: Receiver<Passed<C, E>>,
    empty: SyncSender<Slot<C>>,
    summary: &mut Summary,
) -> Result<(), Fault<E>> {
    while let Ok(passed) = summary.sink.wait(|| fused.recv()) {
        let slot = passed?;
        let work = || sink(&slot.chunk, &slot.fused).map_err(Fault::Sink);
        let flow = summary.sink.work(|| caught(Stage::Sink, work))?;
        summary.items += slot.fused.items() as u64;
        summary.chunks += 1;
        summary.bytes += slot.bytes;
        if flow.is_break() {
            summary.stopped = true;
            break;
        }
        // The source may have ended; then nobody needs the memory.
        let _ = empty.send(slot);
    }
    Ok(())
}

/// The stage in the middle.
#[derive(Debug)]
struct Fuser<'a> {
    engine: &'a Engine,
    fusion: &'a Fusion,
    allowed: u64,
    /// What the first chunk looks like.
    first: Option<Outline>,
    chunks: u64,
    items: u64,
}

impl Fuser<'_> {
    fn fuse<C: Chunk>(&mut self, slot: &mut Slot<C>) -> Result<Timing> {
        let Slot { chunk, fused, bytes } = slot;
        let evidence = chunk.evidence()?;
        let outline = evidence.outline();
        self.check(&outline)?;
        let taken = chunk.bytes().saturating_add(fused.bytes_with(&outline, self.fusion.outputs) as u64);
        if taken > self.allowed {
            let (chunk, allowed) = (self.chunks, self.allowed);
            return Err(EvidenceError::ChunkTooLarge { chunk, bytes: taken, allowed }.into());
        }
        let timing = self.engine.fuse_into(self.fusion, &evidence, fused);
        let timing = timing.map_err(|error| chunk.locate(error, self.items))?;
        *bytes = outline.bytes();
        self.items += outline.items as u64;
        self.chunks += 1;
        self.first.get_or_insert(outline);
        Ok(timing)
    }

    /// Whether it looks like the first chunk.
    fn check(&self, outline: &Outline) -> Result<()> {
        let Some(first) = &self.first else { return Ok(()) };
        let shape = |outline: &Outline| [(outline.sources(), "sources"), (outline.classes, "classes")];
        let shapes = shape(first).into_iter().zip(shape(outline));
        let counts = shapes.map(|(first, given)| [first, given].map(|(count, what)| format!("{count} {what}")));
        let forms = first.forms.iter().zip(&outline.forms).enumerate();
        let forms =
            forms.map(|(source, (first, given))| [first, given].map(|form| format!("{form} of source {source}")));
        match counts.chain(forms).find(|[first, given]| first != given) {
            Some([before, given]) => Err(EvidenceError::ChunkShape { chunk: self.chunks, before, given }.into()),
            None => Ok(()),
        }
    }
}

fn named(stage: &str) -> Builder {
    Builder::new().name(format!("consilience-{stage}"))
}

fn threads<E>(error: std::io::Error) -> Fault<E> {
    Fault::Fusion(DeviceError::Threads { message: error.to_string() }.into())
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
