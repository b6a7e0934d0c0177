//! A file of evidence in, a file of answers out.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Columns, EvidenceChunk, EvidenceOptions, EvidenceReader, FusedWriter};
use crate::engine::Engine;
use crate::engine::stream::{self, Chunk, Fault};
use crate::error::{Error, EvidenceError, FileError, Result};
use crate::spec::Fusion;
use crate::tensor::{Encoding, Evidence, Fused, Output, Outputs};

/// The reader bounds its chunks itself.
const STREAM: stream::Options = stream::Options { depth: 4, chunk_bytes: u64::MAX };

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
        mut progress: impl FnMut(&Progress<'_>),
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
        let mut writer = FusedWriter::create(&self.output, reader.id_field(), columns)?;

        let (total_items, total_bytes) = (reader.items(), reader.bytes());
        let mut reader = reader;
        let source = |read: &mut Read| {
            read.chunk = reader.next_chunk()?;
            (read.encoding, read.bytes) = (self.encoding, reader.bytes_read());
            Ok(read.chunk.is_some())
        };
        let mut items = 0;
        let sink = |read: &Read, fused: &Fused| {
            let Some(chunk) = &read.chunk else { return Ok(ControlFlow::Continue(())) };
            items += chunk.items() as u64;
            progress(&Progress { items, total_items, bytes: read.bytes, total_bytes, chunk, fused });
            let start = Instant::now();
            writer.write(chunk.ids(), fused)?;
            summary.write += start.elapsed();
            Ok(ControlFlow::Continue(()))
        };
        let done = engine.stream(&fusion, &STREAM, source, sink).map_err(|failure| match failure.fault {
            Fault::Source(error) | Fault::Fusion(error) | Fault::Sink(error) => error,
            // What panics here is the caller's `progress`, or a fault of ours.
            Fault::Panicked { message, .. } => std::panic::resume_unwind(Box::new(message)),
        })?;
        let finishing = Instant::now();
        writer.finish()?;
        summary.write += finishing.elapsed();
        (summary.items, summary.chunks) = (done.items, done.chunks);
        (summary.read, summary.fuse) = (done.source.busy, done.fusion.busy);
        summary.total = start.elapsed();
        Ok(summary)
    }
}

/// A chunk on its way, and the bytes read until it was complete.
#[derive(Debug, Default)]
struct Read {
    chunk: Option<EvidenceChunk>,
    encoding: Encoding,
    bytes: u64,
}

impl Chunk for Read {
    fn clear(&mut self) {
        self.chunk = None;
    }

    fn evidence(&self) -> Result<Evidence<'_>> {
        self.chunk.as_ref().ok_or(EvidenceError::NoSources)?.evidence(self.encoding)
    }

    fn bytes(&self) -> u64 {
        self.chunk.as_ref().map_or(0, EvidenceChunk::bytes)
    }

    fn locate(&self, error: Error, _: u64) -> Error {
        match &self.chunk {
            Some(chunk) => chunk.locate(error),
            None => error,
        }
    }
}

fn refuse_same_file(input: &Path, output: &Path) -> Result<()> {
    let input_path = input.canonicalize().map_err(FileError::io(input, "opening"))?;
    if output.canonicalize().is_ok_and(|output| output == input_path) {
        let why = "it is the evidence itself; write the answers to another file".to_owned();
        return Err(FileError::Layout { path: output.to_owned(), why }.into());
    }
    Ok(())
}
