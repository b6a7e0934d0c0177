//! Parquet: the columns and their types are in the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::counted::Counted;
use crate::error::{FileError, Result};
use crate::integrations::arrow::{Format, failure};

/// A Parquet file whose footer was read.
#[derive(Debug)]
pub(super) struct File {
    metadata: ArrowReaderMetadata,
}

/// Batches of a file that may be damaged in ways which the decoder answers with a panic.
pub(super) struct Batches {
    /// `None` after a panic: what the decoder then holds means nothing.
    decoder: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut decoder = self.decoder.take()?;
        let next = guarded(|| decoder.next().transpose());
        match next {
            Ok(batch) => {
                self.decoder = Some(decoder);
                batch.map(Ok)
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// Calls into the decoder.
fn guarded<T, E: From<ArrowError>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(ArrowError::ParquetError("its metadata or its pages are damaged".to_owned()).into()))
}

impl File {
    pub fn open(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(FileError::io(path, "opening"))?;
        let metadata =
            guarded(|| ArrowReaderMetadata::load(&Counted::new(file, Arc::default()), ArrowReaderOptions::new()))
                .map_err(|error| failure::reading(path, Format::Parquet, error))?;
        Ok(Self { metadata })
    }

    /// The columns; one with a dictionary counts as one of its values' type.
    pub fn fields(&self) -> Vec<Field> {
        let plain = |field: &Field| match field.data_type() {
            DataType::Dictionary(_, value) => field.clone().with_data_type(value.as_ref().clone()),
            _ => field.clone(),
        };
        self.metadata.schema().fields().iter().map(|field| plain(field)).collect()
    }

    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default()
    }

    pub fn scan(&self, path: &Path, columns: &[usize], rows: usize, bytes: Arc<AtomicU64>) -> Result<Batches> {
        let file = std::fs::File::open(path).map_err(FileError::io(path, "opening"))?;
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(Counted::new(file, bytes), self.metadata.clone())
                .with_projection(mask)
                .with_batch_size(rows.max(1));
        guarded(|| builder.build())
            .map(|decoder| Batches { decoder: Some(decoder) })
            .map_err(|error| failure::reading(path, Format::Parquet, error))
    }
}
