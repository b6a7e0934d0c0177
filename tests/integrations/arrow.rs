//! Evidence, label and answer files.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod annotations;
mod damage;
mod job;
mod labels;
mod long;
mod wide;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, LargeListArray, ListArray,
    RecordBatch, StringArray,
};
use consilience::arrow::{EvidenceOptions, EvidenceReader};
use consilience::{Error, ErrorKind, FileError};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Two items, a null, three classes: what most files here say of source a.
const ROWS: [Option<[f32; 3]>; 3] = [Some([0.5, 0.25, 0.25]), None, Some([0.0, 1.0, 0.0])];

/// All of a file, with the bounds of the chunks gone.
#[derive(Debug, Default, PartialEq)]
struct Contents {
    ids: Vec<String>,
    /// Per source, per item.
    opinions: Vec<Vec<Option<Vec<f32>>>>,
    chunks: Vec<usize>,
}

fn contents(path: &Path, rows_per_chunk: usize) -> Result<Contents, Error> {
    let options = EvidenceOptions { rows_per_chunk: Some(rows_per_chunk), ..EvidenceOptions::default() };
    let reader = EvidenceReader::open(path, &options)?;
    let mut all = Contents { opinions: vec![Vec::new(); reader.sources().len()], ..Contents::default() };
    for chunk in reader {
        let chunk = chunk?;
        assert_eq!(chunk.first_item(), all.ids.len() as u64);
        all.chunks.push(chunk.items());
        all.ids.extend(strings(chunk.ids()));
        for (source, opinions) in all.opinions.iter_mut().enumerate() {
            for (item, row) in chunk.plane(source).chunks(chunk.classes()).enumerate() {
                let present = chunk.presence(source).is_none_or(|presence| presence[item]);
                opinions.push(present.then(|| row.to_vec()));
            }
        }
    }
    Ok(all)
}

fn strings(ids: &ArrayRef) -> Vec<String> {
    match ids.as_string_opt::<i32>() {
        Some(text) => text.iter().map(|id| id.unwrap().to_owned()).collect(),
        None => ids.as_primitive::<Int64Type>().iter().map(|id| id.unwrap().to_string()).collect(),
    }
}

fn opinions<const N: usize, const C: usize>(rows: [Option<[f32; C]>; N]) -> Vec<Option<Vec<f32>>> {
    rows.iter().map(|row| row.map(|row| row.to_vec())).collect()
}

fn text_file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn parquet_file(dir: &Path, name: &str, columns: &[(&str, ArrayRef)]) -> PathBuf {
    let path = dir.join(name);
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn batch_of(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    builder.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap()
}

fn int_ids(ids: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(ids.to_vec()))
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn floats(values: &[Option<f32>]) -> ArrayRef {
    Arc::new(Float32Array::from(values.to_vec()))
}

fn doubles(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

type ListOf = fn(Vec<Option<Vec<Option<f32>>>>) -> ArrayRef;

/// Every kind of list column that evidence may stand in.
const LISTS: [(&str, ListOf); 4] = [
    ("list of f32", |rows| Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows))),
    ("large list of f32", |rows| Arc::new(LargeListArray::from_iter_primitive::<Float32Type, _, _>(rows))),
    ("fixed list of f32", |rows| Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 3))),
    ("list of f64", |rows| {
        let wide = |row: Option<Vec<Option<f32>>>| {
            row.map(|row| row.into_iter().map(|v| v.map(f64::from)).collect::<Vec<_>>())
        };
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows.into_iter().map(wide)))
    }),
];

fn list(rows: &[Option<Vec<f32>>]) -> ArrayRef {
    LISTS[0].1(nullable(rows))
}

fn nullable(rows: &[Option<Vec<f32>>]) -> Vec<Option<Vec<Option<f32>>>> {
    rows.iter().map(|row| row.as_ref().map(|row| row.iter().copied().map(Some).collect())).collect()
}

/// Column, row and complaint of an error about a value.
#[track_caller]
fn value(error: &Error) -> (&str, u64, &str) {
    match error.kind() {
        ErrorKind::File(FileError::Value { column, row, why, .. }) => (column, *row, why),
        other => panic!("{other:?}"),
    }
}

/// The complaint of an error about a layout.
#[track_caller]
fn layout(error: &Error) -> &str {
    match error.kind() {
        ErrorKind::File(FileError::Layout { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

/// Names in a directory, sorted.
fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
