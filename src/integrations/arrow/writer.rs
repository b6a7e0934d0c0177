//! Writes fused items.

mod columns;

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

pub use self::columns::Columns;
use super::{Format, failure};
use crate::error::{EvidenceError, FileError, Result};
use crate::methods::whole_file::WholeFile;
use crate::tensor::{Fused, Output};

/// Values of a Parquet row group, which stays in memory, encoded, until it is full: at most 32 MiB.
const VALUES_PER_GROUP: usize = 8 << 20;

/// Writes the ids and the outputs asked for, under a temporary name beside the final one. The final name stands for a
/// whole file only: it appears in [`FusedWriter::finish`], and a writer dropped before that leaves nothing behind.
///
/// | output | Parquet | CSV |
/// |---|---|---|
/// | posterior | one column of lists of C floats | columns `posterior.0`, `posterior.1`, … |
/// | decision, flags | 32-bit unsigned integers | the same |
/// | the others | floats | the same |
///
/// # Examples
///
/// *Two decisions.*
///
/// ```
/// use consilience::arrow::{Columns, EvidenceOptions, EvidenceReader, FusedWriter};
/// use consilience::{Encoding, Engine, Fusion, Output, Outputs};
///
/// let dir = tempfile::tempdir()?;
/// let (input, output) = (dir.path().join("evidence.csv"), dir.path().join("fused.csv"));
/// std::fs::write(&input, "id,a.no,a.yes\nx,0.25,0.75\ny,1,0\n")?;
///
/// let outputs = [Output::Decision];
/// let (engine, fusion) = (Engine::cpu()?, Fusion::default().outputs(&outputs));
/// let reader = EvidenceReader::open(&input, &EvidenceOptions::default())?;
/// let columns = Columns::new(reader.sources().to_vec(), reader.classes(), Outputs::of(&outputs));
/// let mut writer = FusedWriter::create(&output, reader.id_field(), columns)?;
/// for chunk in reader {
///     let chunk = chunk?;
///     writer.write(chunk.ids(), &engine.fuse(&fusion, &chunk.evidence(Encoding::Probabilities)?)?)?;
/// }
/// writer.finish()?;
/// assert!(std::fs::read_to_string(&output)?.starts_with("id,decision\nx,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FusedWriter {
    // Declared before the file, so that it is dropped while the file still exists.
    encoder: Encoder,
    whole: WholeFile,
    path: PathBuf,
    schema: Arc<Schema>,
    columns: Columns,
}

#[derive(Debug)]
enum Encoder {
    Parquet(Box<ArrowWriter<std::fs::File>>),
    Csv(Box<arrow_csv::Writer<BufWriter<std::fs::File>>>),
}

impl FusedWriter {
    /// Starts a `.parquet` or `.csv` file with an id column of the name and type given and the columns asked for.
    ///
    /// # Errors
    ///
    /// Another file ending, or the system refuses.
    pub fn create(path: impl AsRef<Path>, id: &Field, columns: Columns) -> Result<Self> {
        let path = path.as_ref();
        let format = Format::of(path)?;
        let schema = Arc::new(columns.schema(id, format));
        let whole = WholeFile::create(path).map_err(FileError::io(path, "creating"))?;
        let file = whole.file().try_clone().map_err(FileError::io(path, "creating"))?;
        let encoder = match format {
            Format::Parquet => {
                let properties = properties(id, &columns);
                let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
                    .map_err(|error| failure::writing(path, error))?;
                Encoder::Parquet(Box::new(writer))
            }
            Format::Csv => {
                let mut writer = arrow_csv::Writer::new(BufWriter::with_capacity(1 << 20, file));
                // The header is written with the first batch, and there may be none.
                writer
                    .write(&RecordBatch::new_empty(Arc::clone(&schema)))
                    .map_err(|error| failure::writing(path, error))?;
                Encoder::Csv(Box::new(writer))
            }
        };
        Ok(Self { encoder, whole, path: path.to_owned(), schema, columns })
    }

    /// Appends items.
    ///
    /// # Errors
    ///
    /// The ids or the answers do not fit the file or one another, or the system refuses.
    pub fn write(&mut self, ids: &ArrayRef, fused: &Fused) -> Result<()> {
        EvidenceError::check_len("the list of ids", fused.items(), ids.len())?;
        if !ids.is_empty() {
            EvidenceError::check_len("the list of classes", self.columns.classes, fused.classes())?;
        }
        if self.columns.has_contributions() {
            let needed = fused.items() * self.columns.sources.len();
            EvidenceError::check_len("the contributions", needed, fused.contributions().len())?;
        }
        let columns = self.columns.arrays(ids, fused, self.format());
        let path = &self.path;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|e| failure::writing(path, e))?;
        match &mut self.encoder {
            Encoder::Parquet(writer) => writer.write(&batch).map_err(|error| failure::writing(path, error)),
            Encoder::Csv(writer) => writer.write(&batch).map_err(|error| failure::writing(path, error)),
        }
    }

    /// Writes what is left, waits until the system has stored it, and gives the file its name; a file that had that name
    /// is replaced.
    ///
    /// # Errors
    ///
    /// The system refuses; then there is no file under the name, or the one that was there before.
    pub fn finish(self) -> Result<()> {
        let path = &self.path;
        match self.encoder {
            Encoder::Parquet(writer) => {
                writer.close().map_err(|error| failure::writing(path, error))?;
            }
            Encoder::Csv(writer) => {
                writer.into_inner().into_inner().map_err(|error| failure::writing(path, error.into_error()))?;
            }
        }
        Ok(self.whole.finish().map_err(FileError::io(path, "storing"))?)
    }

    fn format(&self) -> Format {
        match self.encoder {
            Encoder::Parquet(_) => Format::Parquet,
            Encoder::Csv(_) => Format::Csv,
        }
    }
}

fn properties(id: &Field, columns: &Columns) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some((VALUES_PER_GROUP / columns.values_per_item()).clamp(1, 1 << 20)))
        // Floats hardly repeat, and nobody looks for a file by the smallest posterior in it.
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::new(vec![id.name().clone()]), EnabledStatistics::Chunk);
    for output in [Output::Decision, Output::Flags] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(output.name()), true);
    }
    for place in 1..=columns.explain {
        let source = ColumnPath::new(vec![format!("source_{place}")]);
        properties = properties.set_column_dictionary_enabled(source, true);
    }
    properties.build()
}
