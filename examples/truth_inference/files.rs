//! What is simulated, as files.

use std::ffi::OsString;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use consilience::arrow::Format;
use parquet::arrow::ArrowWriter;

use crate::{Failure, whole_file};

/// Rows written together.
const ROWS: usize = 1 << 16;

/// Writes annotations, and what is true beside them.
pub fn write(path: &Path, items: &[u32], sources: &[u32], labels: &[u32], truth: &[u32]) -> Result<(), Failure> {
    table(
        path,
        items.len(),
        &[("item", &|row| items[row]), ("source", &|row| sources[row]), ("label", &|row| labels[row])],
    )?;
    table(&beside(path, "truth"), truth.len(), &[("item", &|row| row as u32), ("truth", &|row| truth[row])])
}

/// NAME.WHAT.ENDING for NAME.ENDING.
pub fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_stem().map(OsString::from).unwrap_or_default();
    for part in [Some(what.as_ref()), path.extension()].into_iter().flatten() {
        name.push(".");
        name.push(part);
    }
    path.with_file_name(name)
}

/// A column, and what stands in each of its rows.
type Column<'a> = (&'a str, &'a dyn Fn(usize) -> u32);

fn table(path: &Path, rows: usize, columns: &[Column<'_>]) -> Result<(), Failure> {
    let format = Format::of(path)?;
    let batch = |first: usize| {
        let rows = first..rows.min(first + ROWS);
        RecordBatch::try_from_iter(columns.iter().map(|(name, of)| {
            let values: ArrayRef = Arc::new(UInt32Array::from_iter_values(rows.clone().map(of)));
            (*name, values)
        }))
    };
    whole_file::write(path, |file| {
        match format {
            Format::Parquet => {
                let mut writer = ArrowWriter::try_new(file, batch(rows)?.schema(), None)?;
                for first in (0..rows).step_by(ROWS) {
                    writer.write(&batch(first)?)?;
                }
                writer.close()?;
            }
            Format::Csv => {
                let mut writer = arrow_csv::Writer::new(BufWriter::with_capacity(1 << 20, file));
                for first in (0..rows).step_by(ROWS) {
                    writer.write(&batch(first)?)?;
                }
                writer.into_inner().flush()?;
            }
        }
        Ok(())
    })
}
