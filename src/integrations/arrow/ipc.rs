//! Evidence and answers as streams of Arrow's IPC format, in memory.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use bytes::Bytes;

use super::chunk::{EvidenceChunk, Rows};
use super::ids::{Ids, refuse_nulls};
use super::layout::{ID_NAMES, Origin, is_list};
use super::plane::{Plane, list_len};
use super::writer::Columns;
use super::{Format, failure};
use crate::engine::Engine;
use crate::error::{FileError, Result};
use crate::spec::Fusion;
use crate::tensor::{Encoding, Fused};

/// What errors call the stream.
const NAME: &str = "the stream";

/// Fuses a stream of batches, one row an item and one list column a source, and answers with a stream of as many: the ids,
/// then the outputs as in a Parquet file. The id column is the first of `item`, `item_id`, `id` and `task` that there is; else
/// rows are counted. Values that lie in the stream as they should are not copied; the answer is written into what memory is
/// given.
///
/// # Errors
///
/// No such stream, columns that are no evidence, or as [`Engine::fuse`], naming column and row.
pub(in crate::integrations) fn fuse(
    engine: &Engine,
    fusion: &Fusion,
    encoding: Encoding,
    stream: Bytes,
    mut memory: Vec<u8>,
) -> Result<Vec<u8>> {
    let mut decoder = StreamDecoder::new();
    let mut unread = Buffer::from(stream);
    let (mut answers, mut first_item) = (None, 0);
    let mut fused = Fused::default();
    loop {
        let batch = decoder.decode(&mut unread).map_err(unreadable)?;
        let Some(batch) = batch else { break };
        let answers = match &mut answers {
            Some(answers) => answers,
            None => answers.insert(Answers::begin(&batch, fusion, std::mem::take(&mut memory))?),
        };
        let chunk = answers.layout.chunk(&batch, first_item)?;
        first_item += batch.num_rows() as u64;
        let evidence = chunk.evidence(encoding)?;
        engine.fuse_into(fusion, &evidence, &mut fused).map_err(|error| chunk.locate(error))?;
        answers.write(chunk.ids(), &fused)?;
    }
    decoder.finish().map_err(unreadable)?;
    let none = || layout_error("no batch of rows; at least one is needed, which may have none".to_owned());
    answers.ok_or_else(none)?.end()
}

/// The batches of the answer so far.
struct Answers {
    layout: Layout,
    columns: Columns,
    writer: StreamWriter<Vec<u8>>,
}

/// Which columns are what.
struct Layout {
    schema: Arc<Schema>,
    id: Option<usize>,
    sources: Vec<usize>,
    origin: Arc<Origin>,
}

impl Answers {
    fn begin(batch: &RecordBatch, fusion: &Fusion, memory: Vec<u8>) -> Result<Self> {
        let layout = Layout::of(batch)?;
        let columns = Columns::new(layout.origin.sources.clone(), layout.origin.classes, fusion.outputs);
        let schema = columns.schema(&layout.origin.id, Format::Parquet);
        let writer = StreamWriter::try_new(memory, &schema).map_err(unwritable)?;
        Ok(Self { layout, columns, writer })
    }

    fn write(&mut self, ids: &ArrayRef, fused: &Fused) -> Result<()> {
        let schema = self.columns.schema(&self.layout.origin.id, Format::Parquet);
        let arrays = self.columns.arrays(ids, fused, Format::Parquet);
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).map_err(unwritable)?;
        self.writer.write(&batch).map_err(unwritable)
    }

    fn end(self) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(unwritable)
    }
}

impl Layout {
    fn of(batch: &RecordBatch) -> Result<Self> {
        let schema = batch.schema();
        let fields = schema.fields();
        let id = ID_NAMES.iter().find_map(|name| fields.iter().position(|field| field.name() == name));
        let sources: Vec<usize> = (0..fields.len()).filter(|&column| is_list(fields[column].data_type())).collect();
        let found = || fields.iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>().join(", ");
        if sources.is_empty() {
            let columns = found();
            let why =
                format!("no evidence among its columns ({columns}); needed are list columns of floats, one a source");
            return Err(layout_error(why));
        }
        let id_field = match id {
            Some(id) if Ids::fits(fields[id].data_type()) => Field::clone(&fields[id]).with_nullable(false),
            Some(id) => {
                let (name, of) = (fields[id].name(), fields[id].data_type());
                return Err(layout_error(format!("column `{name}` is of type {of}; ids are integers or strings")));
            }
            None => Field::new(ID_NAMES[0], DataType::UInt64, false),
        };
        let classes = sources.iter().find_map(|&source| list_len(batch.column(source))).filter(|&classes| classes > 0);
        let classes = classes.ok_or_else(|| {
            layout_error("no opinion of at least one class in its first batch to tell the number of classes".to_owned())
        })?;
        let names: Vec<String> = sources.iter().map(|&source| fields[source].name().clone()).collect();
        let origin = Origin {
            path: NAME.into(),
            id: id_field,
            columns: names.iter().map(|name| vec![name.clone()]).collect(),
            sources: names,
            classes,
            class_names: None,
        };
        Ok(Self { schema, id, sources, origin: Arc::new(origin) })
    }

    /// A batch as evidence.
    fn chunk(&self, batch: &RecordBatch, first_item: u64) -> Result<EvidenceChunk> {
        if batch.schema() != self.schema {
            return Err(layout_error("its batches differ in their columns".to_owned()));
        }
        let ids = match self.id {
            Some(id) => {
                refuse_nulls(NAME.as_ref(), self.origin.id.name(), batch.column(id), first_item)?;
                Arc::clone(batch.column(id))
            }
            None => Arc::new(UInt64Array::from_iter_values(first_item..first_item + batch.num_rows() as u64)),
        };
        let plane = |(source, &column): (usize, &usize)| {
            Plane::from_lists(batch.column(column), self.origin.classes).map_err(|fault| FileError::Value {
                path: NAME.into(),
                column: self.origin.column(source, fault.class),
                row: first_item + fault.row as u64,
                why: fault.why,
            })
        };
        let planes = self.sources.iter().enumerate().map(plane).collect::<Result<Vec<_>, _>>()?;
        Ok(EvidenceChunk { origin: Arc::clone(&self.origin), ids, planes, first_item, rows: Rows::Wide })
    }
}

fn layout_error(why: String) -> crate::error::Error {
    FileError::Layout { path: NAME.into(), why }.into()
}

fn unreadable(error: ArrowError) -> FileError {
    FileError::Format { path: NAME.into(), format: "Arrow IPC", source: Box::new(error) }
}

fn unwritable(error: ArrowError) -> crate::error::Error {
    failure::writing(Path::new("the answer"), error)
}
