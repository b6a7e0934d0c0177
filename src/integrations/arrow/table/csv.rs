//! CSV: all cells are read as text; what a column holds is guessed from its first rows and checked in every row.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_array::builder::{Float32Builder, Int64Builder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::{Format as Header, Reader};
use arrow_schema::{DataType, Field, Schema};

use super::counted::Counted;
use crate::error::{FileError, Result};
use crate::integrations::arrow::{Format, failure};

/// Rows that are looked at to guess what a column holds.
const SAMPLE_ROWS: usize = 1000;

/// A CSV file whose header and first rows were read.
#[derive(Debug)]
pub(super) struct File {
    /// All columns as text.
    text: Arc<Schema>,
    /// What they seem to hold: `Int64`, `Float64`, `Utf8`, or `Null` where all cells are empty.
    fields: Vec<Field>,
}

/// What a column of text is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    AsIs,
    Integer,
    Float,
}

impl File {
    pub fn open(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(FileError::io(path, "opening"))?;
        let (header, _) = Header::default()
            .with_header(true)
            .infer_schema(file, Some(0))
            .map_err(|error| failure::reading(path, Format::Csv, error))?;
        let text = |field: &Arc<Field>| Field::new(field.name(), DataType::Utf8, true);
        let text = Arc::new(Schema::new(header.fields().iter().map(text).collect::<Vec<_>>()));
        let mut opened = Self { fields: text.fields().iter().map(|field| field.as_ref().clone()).collect(), text };
        let all: Vec<usize> = (0..opened.fields.len()).collect();
        opened.fields.iter_mut().for_each(|field| *field = field.clone().with_data_type(DataType::Null));
        if let Some(sample) = opened.scan(path, &all, SAMPLE_ROWS, Arc::default())?.next() {
            let sample = sample.map_err(|error| failure::reading(path, Format::Csv, error))?;
            for (field, cells) in opened.fields.iter_mut().zip(sample.columns()) {
                *field = field.clone().with_data_type(guess(cells));
            }
        }
        Ok(opened)
    }

    pub fn fields(&self) -> Vec<Field> {
        self.fields.clone()
    }

    pub fn scan(
        &self,
        path: &Path,
        columns: &[usize],
        rows: usize,
        bytes: Arc<AtomicU64>,
    ) -> Result<Reader<Counted<std::fs::File>>> {
        let file = std::fs::File::open(path).map_err(FileError::io(path, "opening"))?;
        ReaderBuilder::new(Arc::clone(&self.text))
            .with_header(true)
            .with_projection(columns.to_vec())
            .with_batch_size(rows.max(1))
            .build(Counted::new(file, bytes))
            .map_err(|error| failure::reading(path, Format::Csv, error))
    }
}

impl Kind {
    /// The column as what it is to be, or the row at fault and what is wrong with it. Empty cells are nulls.
    pub fn read(self, column: &ArrayRef) -> Result<ArrayRef, (usize, String)> {
        if self == Self::AsIs {
            return Ok(Arc::clone(column));
        }
        let cells = column.as_string::<i32>().iter().map(|cell| cell.map(str::trim).filter(|cell| !cell.is_empty()));
        match self {
            Self::AsIs => Ok(Arc::clone(column)),
            Self::Integer => {
                let mut values = Int64Builder::with_capacity(column.len());
                for (row, cell) in cells.enumerate() {
                    let no_integer = |_| {
                        let cell = cell.unwrap_or_default();
                        (row, format!("`{cell}` is no integer, as the cells of the first {SAMPLE_ROWS} rows are"))
                    };
                    values.append_option(cell.map(str::parse).transpose().map_err(no_integer)?);
                }
                Ok(Arc::new(values.finish()))
            }
            Self::Float => {
                let mut values = Float32Builder::with_capacity(column.len());
                for (row, cell) in cells.enumerate() {
                    let no_number = |_| (row, format!("`{}` is no number", cell.unwrap_or_default()));
                    values.append_option(cell.map(str::parse).transpose().map_err(no_number)?);
                }
                Ok(Arc::new(values.finish()))
            }
        }
    }
}

/// What the cells seem to be. Integers with leading zeros or a plus sign are text: as numbers they would lose them.
fn guess(cells: &ArrayRef) -> DataType {
    let canonical = |cell: &str| cell.parse::<i64>().is_ok_and(|number| number.to_string() == cell);
    let (mut seen, mut integers, mut numbers) = (false, true, true);
    for cell in cells.as_string::<i32>().iter().flatten().map(str::trim).filter(|cell| !cell.is_empty()) {
        seen = true;
        integers &= canonical(cell);
        numbers &= cell.parse::<f64>().is_ok();
    }
    match (seen, integers, numbers) {
        (false, _, _) => DataType::Null,
        (_, true, _) => DataType::Int64,
        (_, _, true) => DataType::Float64,
        _ => DataType::Utf8,
    }
}
