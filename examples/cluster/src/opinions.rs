//! Opinions that are made up, as a folder of Parquet files.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;
use datafusion::parquet::arrow::ArrowWriter;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Writes what `sources` sources say of `items` items over `classes` classes to so many files: the opinions of an item are
/// spread over all of them.
///
/// # Errors
///
/// The folder cannot be written.
pub fn write(folder: &Path, items: usize, sources: usize, classes: usize, files: usize) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut random = StdRng::seed_from_u64(1);
    for file in 0..files {
        let rows: Vec<usize> = (file..items * sources).step_by(files).collect();
        let mut values = Vec::with_capacity(rows.len() * classes);
        for _ in &rows {
            let numbers: Vec<f32> = (0..classes).map(|_| random.random_range(0.01..1.0)).collect();
            let whole: f32 = numbers.iter().sum();
            values.extend(numbers.iter().map(|number| number / whole));
        }
        let number = Arc::new(Field::new_list_field(DataType::Float32, false));
        let opinions = FixedSizeListArray::try_new(number, classes as i32, Arc::new(Float32Array::from(values)), None)?;
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("item", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| (row / sources) as i64)))),
            ("source", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| (row % sources) as i64)))),
            ("weight", Arc::new(Float32Array::from_iter_values(rows.iter().map(|row| 0.5 + (row % sources) as f32)))),
            ("opinion", Arc::new(opinions)),
        ];
        let field = |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), false);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, column)| column).collect())?;
        let mut writer =
            ArrowWriter::try_new(File::create(folder.join(format!("part-{file}.parquet")))?, schema, None)?;
        writer.write(&batch)?;
        writer.close()?;
    }
    Ok(())
}
