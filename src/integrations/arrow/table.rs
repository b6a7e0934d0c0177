//! A file as a table: its columns, and scans over some of them in bounded batches.

mod counted;
mod csv;
mod parquet;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field};

use super::ids::Ids;
use super::{Format, failure};
use crate::error::{FileError, Result};

/// A file whose columns are known.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    fields: Vec<Field>,
    rows: Option<u64>,
    file: File,
}

#[derive(Debug)]
enum File {
    Parquet(parquet::File),
    Csv(csv::File),
}

/// A column to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    /// Its place in the file.
    pub index: usize,
    /// Read it as `f32` where the format has no types of its own.
    pub float: bool,
}

/// Rows read together; the arrays stand in the order in which their columns were asked for.
#[derive(Debug)]
pub(super) struct Batch {
    pub first_row: u64,
    pub columns: Vec<ArrayRef>,
}

/// A pass over some columns.
pub(super) struct Scan {
    path: PathBuf,
    format: Format,
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
    names: Vec<String>,
    /// Per column asked for: its place in the batch, and what the format's text becomes.
    columns: Vec<(usize, csv::Kind)>,
    row: u64,
    bytes: Arc<AtomicU64>,
}

impl Table {
    pub fn open(path: &Path) -> Result<Self> {
        let format = Format::of(path)?;
        let file = match format {
            Format::Parquet => File::Parquet(parquet::File::open(path)?),
            Format::Csv => File::Csv(csv::File::open(path)?),
        };
        let (fields, rows) = match &file {
            File::Parquet(file) => (file.fields(), Some(file.rows())),
            File::Csv(file) => (file.fields(), None),
        };
        Ok(Self { path: path.to_owned(), fields, rows, file })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn format(&self) -> Format {
        match self.file {
            File::Parquet(_) => Format::Parquet,
            File::Csv(_) => Format::Csv,
        }
    }

    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The number of rows, where the format tells.
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// Whether the column can be read as `f32`.
    pub fn is_float(&self, column: usize) -> bool {
        match (&self.file, self.fields[column].data_type()) {
            (_, DataType::Float32 | DataType::Float64) => true,
            // A CSV column whose first cells are all `1` or `0`, or all empty, may go on with fractions.
            (File::Csv(_), DataType::Int64 | DataType::Null) => true,
            _ => false,
        }
    }

    /// The type in which the column is read as ids; `None` if it cannot hold any.
    pub fn id_type(&self, column: usize) -> Option<DataType> {
        match (&self.file, self.fields[column].data_type()) {
            (File::Csv(_), DataType::Int64) => Some(DataType::Int64),
            (File::Csv(_), _) => Some(DataType::Utf8),
            (File::Parquet(_), data_type) => Ids::fits(data_type).then(|| data_type.clone()),
        }
    }

    /// The place of the column of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name() == name)
    }

    /// The place of the column of that name, or an error that lists those there are.
    pub fn column(&self, name: &str) -> Result<usize> {
        let missing =
            || FileError::MissingColumn { path: self.path.clone(), column: name.to_owned(), found: self.names() };
        Ok(self.find(name).ok_or_else(missing)?)
    }

    /// The names of all columns in one line.
    pub fn names(&self) -> String {
        match self.fields.len() {
            0 => "no columns".to_owned(),
            _ => self.fields.iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>().join(", "),
        }
    }

    /// Reads the columns from the first row on, at most `rows` rows at a time.
    pub fn scan(&self, columns: &[Column], rows: usize) -> Result<Scan> {
        let mut places: Vec<usize> = columns.iter().map(|column| column.index).collect();
        places.sort_unstable();
        places.dedup();
        let place = |index| places.binary_search(&index).unwrap_or_default();
        let bytes = Arc::new(AtomicU64::new(0));
        let (batches, kinds): (Box<dyn Iterator<Item = _> + Send>, Vec<_>) = match &self.file {
            File::Parquet(file) => {
                let batches = file.scan(&self.path, &places, rows, Arc::clone(&bytes))?;
                (Box::new(batches), columns.iter().map(|column| (place(column.index), csv::Kind::AsIs)).collect())
            }
            File::Csv(file) => {
                let batches = file.scan(&self.path, &places, rows, Arc::clone(&bytes))?;
                let kind = |column: &Column| match self.fields[column.index].data_type() {
                    _ if column.float => csv::Kind::Float,
                    DataType::Int64 => csv::Kind::Integer,
                    _ => csv::Kind::AsIs,
                };
                (Box::new(batches), columns.iter().map(|column| (place(column.index), kind(column))).collect())
            }
        };
        let names = columns.iter().map(|column| self.fields[column.index].name().clone()).collect();
        Ok(Scan { path: self.path.clone(), format: self.format(), batches, names, columns: kinds, row: 0, bytes })
    }
}

impl Scan {
    /// The next rows; `None` after the last.
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let batch = match self.batches.next() {
            None => return Ok(None),
            Some(batch) => batch.map_err(|error| failure::reading(&self.path, self.format, error))?,
        };
        let first_row = self.row;
        let mut columns = Vec::with_capacity(self.columns.len());
        for (&(place, kind), name) in self.columns.iter().zip(&self.names) {
            let column = plain(batch.column(place)).map_err(|e| failure::reading(&self.path, self.format, e))?;
            let column = kind.read(&column).map_err(|(row, why)| FileError::Value {
                path: self.path.clone(),
                column: name.clone(),
                row: first_row + row as u64,
                why,
            })?;
            columns.push(column);
        }
        self.row += batch.num_rows() as u64;
        Ok(Some(Batch { first_row, columns }))
    }

    /// Bytes of the file that were read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// The column without a dictionary.
fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(_, value) => cast(column, value),
        _ => Ok(Arc::clone(column)),
    }
}
