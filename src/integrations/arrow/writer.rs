//! Writes fused items.

mod batches;
mod columns;

use std::path::Path;

use arrow_array::{Array, ArrayRef};
use arrow_schema::Field;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

pub(super) use self::batches::BatchWriter;
pub use self::columns::Columns;
use super::Format;
use crate::error::{EvidenceError, Result};
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
    batches: BatchWriter,
    columns: Columns,
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
        let (schema, properties) = (columns.schema(id, format), properties(id, &columns));
        Ok(Self { batches: BatchWriter::create(path, format, schema, properties)?, columns })
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
        if self.columns.class_names.is_some() {
            EvidenceError::check_len("the decisions", fused.items(), fused.decision().len())?;
        }
        self.batches.write(self.columns.arrays(ids, fused, self.batches.format()))
    }

    /// Writes what is left, waits until the system has stored it, and gives the file its name; a file that had that name
    /// is replaced.
    ///
    /// # Errors
    ///
    /// The system refuses; then there is no file under the name, or the one that was there before.
    pub fn finish(self) -> Result<()> {
        self.batches.finish()
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
