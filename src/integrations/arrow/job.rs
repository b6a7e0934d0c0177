//! A file of evidence in, a file of answers out.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use arrow_array::ArrayRef;

use super::{Columns, EvidenceChunk, EvidenceOptions, EvidenceReader, FusedWriter};
use crate::engine::Engine;
use crate::error::{FileError, Result};
use crate::spec::Fusion;
use crate::tensor::{Encoding, Evidence, Fused, Output, Outputs};

/// Chunks that are read ahead.
const CHUNKS_AHEAD: usize = 2;

/// Fuses a file into a file. Reading, fusing and writing go on at the same time, each a chunk at a time, so that memory
/// is bounded by a few chunks however large the file.
///
/// The output has its name only when the job has succeeded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FuseJob {
    /// The evidence: a `.parquet` or `.csv` file.
    pub input: PathBuf,
    /// The answers: a `.parquet` or `.csv` file.
    pub output: PathBuf,
    /// What to compute.
    pub fusion: Fusion,
    /// The outputs to be written; `None`: all that `fusion` asks for. Those it does not ask for are computed, too.
    pub write: Option<Outputs>,
    /// How many of the strongest sources of every item are written, by name and contribution; they are computed where this
    /// is above zero, which asks for a rule that adds up.
    pub explain: usize,
    /// What the numbers in the file are.
    pub encoding: Encoding,
    /// How the input is read.
    pub evidence: EvidenceOptions,
}

/// How far a job is, after each chunk.
#[derive(Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// Items fused so far.
    pub items: u64,
    /// Items in all, where the file tells.
    pub total_items: Option<u64>,
    /// Bytes of the input read when the chunk was complete; columns that are no evidence are skipped.
    pub bytes: u64,
    /// Size of the input.
    pub total_bytes: u64,
    /// What was fused last.
    pub chunk: &'a EvidenceChunk,
    /// What came out.
    pub fused: &'a Fused,
}

/// What a job did.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Items fused.
    pub items: u64,
    /// Names of the sources.
    pub sources: Vec<String>,
    /// Number of classes.
    pub classes: usize,
    /// Names of the classes, where the file's columns are named after them.
    pub class_names: Option<Vec<String>>,
    /// Chunks in which the file was taken.
    pub chunks: u64,
    /// Time spent reading and decoding, with the survey of a long file. The three go on at the same time, so that their sum may exceed `total`.
    pub read: Duration,
    /// Time spent in the engine.
    pub fuse: Duration,
    /// Time spent encoding and writing.
    pub write: Duration,
    /// From start to end.
    pub total: Duration,
}

impl FuseJob {
    /// The default fusion of one file into another.
    #[must_use]
    pub fn new(input: impl Into<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Self {
            input: input.into(),
            output: output.into(),
            fusion: Fusion::default(),
            write: None,
            explain: 0,
            encoding: Encoding::default(),
            evidence: EvidenceOptions::default(),
        }
    }

    /// Runs the job; `progress` is called after each chunk, and may look at its answers.
    ///
    /// # Errors
    ///
    /// Whatever reading, fusing and writing may fail with; an opinion at fault is named by file, column and row.
    pub fn run(&self, engine: &Engine, progress: impl FnMut(&Progress<'_>)) -> Result<Summary> {
        let start = Instant::now();
        let reader = EvidenceReader::open(&self.input, &self.evidence)?;
        let opening = start.elapsed();
        let mut summary = self.run_on(reader, engine, progress)?;
        summary.read += opening;
        summary.total += opening;
        Ok(summary)
    }

    /// The same with the input opened already, for a caller who wants to see what it is before it is fused.
    ///
    /// # Errors
    ///
    /// As [`FuseJob::run`].
    pub fn run_on(
        &self,
        reader: EvidenceReader,
        engine: &Engine,
        progress: impl FnMut(&Progress<'_>),
    ) -> Result<Summary> {
        let start = Instant::now();
        refuse_same_file(&self.input, &self.output)?;
        let mut summary = Summary {
            sources: reader.sources().to_vec(),
            classes: reader.classes(),
            class_names: reader.class_names().map(<[_]>::to_vec),
            ..Summary::default()
        };
        let written = self.write.unwrap_or(self.fusion.outputs);
        let explanation = (self.explain > 0).then_some(Output::Contributions);
        let computed: Vec<Output> = self.fusion.outputs.iter().chain(written.iter()).chain(explanation).collect();
        let fusion = self.fusion.clone().outputs(&computed);
        // A specification that does not fit is refused before a byte is written.
        let no_items: Vec<&[f32]> = vec![&[]; summary.sources.len()];
        engine.fuse(&fusion, &Evidence::new(self.encoding, summary.classes, &no_items)?)?;
        let columns = Columns::new(summary.sources.clone(), summary.classes, written).explain(self.explain);
        let writer = FusedWriter::create(&self.output, reader.id_field(), columns)?;

        let stage =
            Stage { engine, fusion: &fusion, encoding: self.encoding, totals: (reader.items(), reader.bytes()) };
        let writer = thread::scope(|scope| {
            let (send_chunk, chunks) = sync_channel(CHUNKS_AHEAD);
            let (send_fused, fused) = sync_channel(1);
            let (send_empty, empty) = channel();
            let reading = scope.spawn(move || read(reader, &send_chunk));
            let writing = scope.spawn(move || write(writer, &fused, &send_empty));
            let fused = stage.fuse(chunks, send_fused, &empty, &mut summary, progress);
            summary.read += join(reading);
            let (writer, time) = join(writing);
            summary.write = time;
            // What the engine complains about comes first; if the writer gave up, fusing ended early without complaint.
            fused.and(writer)
        })?;
        let finishing = Instant::now();
        writer.finish()?;
        summary.write += finishing.elapsed();
        summary.total = start.elapsed();
        Ok(summary)
    }
}

/// A chunk, and the bytes read until it was complete.
type Read = Result<(EvidenceChunk, u64)>;

/// The middle of the pipe.
struct Stage<'a> {
    engine: &'a Engine,
    fusion: &'a Fusion,
    encoding: Encoding,
    totals: (Option<u64>, u64),
}

impl Stage<'_> {
    /// Fuses chunks until there are no more, an error comes, or nobody takes the answers. Both ends of the pipe are
    /// dropped on return, which ends the threads that hold the others.
    fn fuse(
        &self,
        chunks: Receiver<Read>,
        answers: SyncSender<(ArrayRef, Fused)>,
        empty: &Receiver<Fused>,
        summary: &mut Summary,
        mut progress: impl FnMut(&Progress<'_>),
    ) -> Result<()> {
        for read in chunks {
            let (chunk, bytes) = read?;
            let mut fused = empty.try_recv().unwrap_or_default();
            let start = Instant::now();
            let evidence = chunk.evidence(self.encoding)?;
            self.engine.fuse_into(self.fusion, &evidence, &mut fused).map_err(|error| chunk.locate(error))?;
            summary.fuse += start.elapsed();
            summary.items += chunk.items() as u64;
            summary.chunks += 1;
            let (total_items, total_bytes) = self.totals;
            let (chunk, items) = (&chunk, summary.items);
            progress(&Progress { items, total_items, bytes, total_bytes, chunk, fused: &fused });
            if answers.send((chunk.ids().clone(), fused)).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn read(mut reader: EvidenceReader, chunks: &SyncSender<Read>) -> Duration {
    let mut time = Duration::ZERO;
    loop {
        let start = Instant::now();
        let next = reader.next_chunk();
        time += start.elapsed();
        let Some(chunk) = next.transpose() else { return time };
        if chunks.send(chunk.map(|chunk| (chunk, reader.bytes_read()))).is_err() {
            return time;
        }
    }
}

fn write(
    mut writer: FusedWriter,
    answers: &Receiver<(ArrayRef, Fused)>,
    empty: &Sender<Fused>,
) -> (Result<FusedWriter>, Duration) {
    let mut time = Duration::ZERO;
    while let Ok((ids, fused)) = answers.recv() {
        let start = Instant::now();
        let written = writer.write(&ids, &fused);
        time += start.elapsed();
        if let Err(error) = written {
            return (Err(error), time);
        }
        // The stage before may have ended; then nobody needs the memory.
        let _ = empty.send(fused);
    }
    (Ok(writer), time)
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn refuse_same_file(input: &Path, output: &Path) -> Result<()> {
    let input_path = input.canonicalize().map_err(FileError::io(input, "opening"))?;
    if output.canonicalize().is_ok_and(|output| output == input_path) {
        let why = "it is the evidence itself; write the answers to another file".to_owned();
        return Err(FileError::Layout { path: output.to_owned(), why }.into());
    }
    Ok(())
}
