//! Reads evidence files in chunks.

mod long;
mod survey;
mod wide;

use std::path::Path;
use std::sync::Arc;

use arrow_schema::Field;

use self::long::Long;
use self::survey::{Survey, class_count};
use self::wide::Wide;
use super::layout::{Found, Layout, Origin};
use super::table::Table;
use super::{EvidenceChunk, Format};
use crate::error::{FileError, Result};

/// Floats that a chunk holds unless its caller says how many rows: 32 MiB of them.
const FLOATS_PER_CHUNK: usize = 8 << 20;

/// The same for CSV, whose cells are held as text as well.
const FLOATS_PER_CSV_CHUNK: usize = 2 << 20;

/// How to read an evidence file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EvidenceOptions {
    /// The column of item ids; `None`: the first of `item`, `item_id` and `id` that there is.
    pub id: Option<String>,
    /// The sources to read, in this order; `None`: all, in the order of their columns, or sorted in a long file.
    pub sources: Option<Vec<String>>,
    /// Items per chunk; `None`: as many as make 32 MiB of floats, or 8 MiB for CSV.
    pub rows_per_chunk: Option<usize>,
}

/// Reads an evidence file, of whatever size, in chunks of bounded size.
///
/// Item ids of a wide file need not be unique: each row is an item.
///
/// # Examples
///
/// *A file in the long layout, whose second item was not shown to source b.*
///
/// ```
/// use consilience::arrow::{EvidenceOptions, EvidenceReader};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("long.csv");
/// std::fs::write(&path, "item,source,no,yes\n1,a,0.5,0.5\n1,b,0.25,0.75\n2,a,1,0\n")?;
///
/// let mut reader = EvidenceReader::open(&path, &EvidenceOptions::default())?;
/// assert_eq!(reader.sources(), ["a", "b"]);
/// assert_eq!(reader.class_names().unwrap(), ["no", "yes"]);
/// let chunk = reader.next_chunk()?.unwrap();
/// assert_eq!(chunk.plane(0), [0.5, 0.5, 1.0, 0.0]);
/// assert_eq!(chunk.presence(1), Some(&[true, false][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EvidenceReader {
    origin: Arc<Origin>,
    format: Format,
    items: Option<u64>,
    bytes: u64,
    next_item: u64,
    rows: RowReader,
    done: bool,
}

#[derive(Debug)]
enum RowReader {
    Wide(Wide),
    Long(Box<Long>),
}

impl EvidenceReader {
    /// Opens a `.parquet` or `.csv` file and finds out its layout. A long file is read through once for its sources.
    ///
    /// # Errors
    ///
    /// No such file, another format, columns that are no evidence, or rows of a long file that are not sorted by item or
    /// that say the same (item, source) pair twice.
    pub fn open(path: impl AsRef<Path>, options: &EvidenceOptions) -> Result<Self> {
        let path = path.as_ref();
        let table = Table::open(path)?;
        let Found { id, layout, class_names } = Found::in_table(&table, options)?;
        let names = |columns: &[super::table::Column]| -> Vec<String> {
            columns.iter().map(|column| table.fields()[column.index].name().clone()).collect()
        };
        let mut origin = Origin {
            path: path.to_owned(),
            id: id_field(&table, id),
            sources: Vec::new(),
            classes: class_count(&table, &layout)?,
            class_names,
            columns: Vec::new(),
        };
        if origin.classes == 0 {
            let why = "its opinions are lists of no values; at least one class is needed".to_owned();
            return Err(FileError::Layout { path: path.to_owned(), why }.into());
        }
        let (rows, items, origin) = match layout {
            Layout::Wide(sources) => {
                origin.columns = sources.iter().map(|(_, opinion)| names(&opinion.columns())).collect();
                let (names, opinions): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
                origin.sources = names;
                let origin = Arc::new(origin);
                let chunk = items_per_chunk(&table, &origin, options);
                (RowReader::Wide(Wide::start(&table, &origin, id, opinions, chunk)?), table.rows(), origin)
            }
            Layout::Long { source, opinion } => {
                let survey = Survey::of(&table, id, source, options.sources.as_deref())?;
                origin.columns = vec![names(&opinion.columns()); survey.sources.len()];
                origin.sources = survey.sources;
                let origin = Arc::new(origin);
                let chunk = items_per_chunk(&table, &origin, options);
                let long = Long::start(&table, &origin, id, source, opinion, chunk)?;
                (RowReader::Long(Box::new(long)), Some(survey.items), origin)
            }
        };
        let bytes = std::fs::metadata(path).map_err(FileError::io(path, "asking for the size"))?.len();
        Ok(Self { origin, format: table.format(), items, bytes, next_item: 0, rows, done: false })
    }

    /// The file's format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Names of the sources, in the order of the planes.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.origin.sources
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.origin.classes
    }

    /// Names of the classes, where columns are named after them.
    #[must_use]
    pub fn class_names(&self) -> Option<&[String]> {
        self.origin.class_names.as_deref()
    }

    /// The id column: its name and its type.
    #[must_use]
    pub fn id_field(&self) -> &Field {
        &self.origin.id
    }

    /// Number of items in all, where the file tells: Parquet does, and any long file was read through.
    #[must_use]
    pub fn items(&self) -> Option<u64> {
        self.items
    }

    /// Size of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of the file read so far, for a progress bar: columns that are no evidence are skipped.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        match &self.rows {
            RowReader::Wide(wide) => wide.bytes(),
            RowReader::Long(long) => long.bytes(),
        }
    }

    /// The next items; `None` after the last, and after an error.
    ///
    /// # Errors
    ///
    /// The file is damaged, the system refuses, an opinion has another number of classes than the others or is null in
    /// part, or an id is null.
    pub fn next_chunk(&mut self) -> Result<Option<EvidenceChunk>> {
        if self.done {
            return Ok(None);
        }
        let next = match &mut self.rows {
            RowReader::Wide(wide) => wide.next(),
            RowReader::Long(long) => long.next(),
        };
        self.done = !matches!(next, Ok(Some(_)));
        let Some((ids, planes, rows)) = next? else { return Ok(None) };
        let first_item = self.next_item;
        self.next_item += ids.len() as u64;
        Ok(Some(EvidenceChunk { origin: Arc::clone(&self.origin), ids, planes, first_item, rows }))
    }
}

impl Iterator for EvidenceReader {
    type Item = Result<EvidenceChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_chunk().transpose()
    }
}

fn id_field(table: &Table, id: usize) -> Field {
    let field = &table.fields()[id];
    Field::new(field.name(), table.id_type(id).unwrap_or_else(|| field.data_type().clone()), false)
}

fn items_per_chunk(table: &Table, origin: &Origin, options: &EvidenceOptions) -> usize {
    let floats = match table.format() {
        Format::Parquet => FLOATS_PER_CHUNK,
        Format::Csv => FLOATS_PER_CSV_CHUNK,
    };
    let per_item = origin.sources.len().saturating_mul(origin.classes).max(1);
    options.rows_per_chunk.unwrap_or(floats / per_item).max(1)
}
