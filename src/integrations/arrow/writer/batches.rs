//! Batches of columns into a file that has its name only when it is whole.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::error::{FileError, Result};
use crate::integrations::arrow::{Format, failure};
use crate::methods::whole_file::WholeFile;

/// Writes batches under a temporary name beside the final one.
#[derive(Debug)]
pub(in crate::integrations::arrow) struct BatchWriter {
    // Declared before the file, so that it is dropped while the file still exists.
    encoder: Encoder,
    whole: WholeFile,
    path: PathBuf,
    schema: Arc<Schema>,
}

#[derive(Debug)]
enum Encoder {
    Parquet(Box<ArrowWriter<std::fs::File>>),
    Csv(Box<arrow_csv::Writer<BufWriter<std::fs::File>>>),
}

impl BatchWriter {
    /// Starts a file of that format; `properties` are Parquet's.
    pub fn create(path: &Path, format: Format, schema: Schema, properties: WriterProperties) -> Result<Self> {
        let schema = Arc::new(schema);
        let whole = WholeFile::create(path).map_err(FileError::io(path, "creating"))?;
        let file = whole.file().try_clone().map_err(FileError::io(path, "creating"))?;
        let encoder = match format {
            Format::Parquet => {
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
        Ok(Self { encoder, whole, path: path.to_owned(), schema })
    }

    /// Appends rows.
    pub fn write(&mut self, columns: Vec<ArrayRef>) -> Result<()> {
        let path = &self.path;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|e| failure::writing(path, e))?;
        match &mut self.encoder {
            Encoder::Parquet(writer) => writer.write(&batch).map_err(|error| failure::writing(path, error)),
            Encoder::Csv(writer) => writer.write(&batch).map_err(|error| failure::writing(path, error)),
        }
    }

    /// Writes what is left, waits until the system has stored it, and gives the file its name.
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

    pub fn format(&self) -> Format {
        match self.encoder {
            Encoder::Parquet(_) => Format::Parquet,
            Encoder::Csv(_) => Format::Csv,
        }
    }
}
