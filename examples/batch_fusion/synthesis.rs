//! Made-up evidence of any size, to see that memory stays bounded.

use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use crate::args::Shape;
use crate::random::below;
use crate::{Failure, whole_file};

/// Floats made at a time.
const FLOATS: usize = 4 << 20;

/// Writes a wide Parquet file, as it comes: neither compressed nor with dictionaries. Answers its size in bytes.
pub fn write(path: &Path, shape: Shape, seed: u64) -> Result<u64, Failure> {
    let Shape { items, sources, classes } = shape;
    let element = Arc::new(Field::new("element", DataType::Float32, false));
    let lists = DataType::FixedSizeList(Arc::clone(&element), i32::try_from(classes)?);
    let mut fields = vec![Field::new("item", DataType::Int64, false)];
    fields.extend((0..sources).map(|source| Field::new(format!("s{source}"), lists.clone(), false)));
    let schema = Arc::new(Schema::new(fields));
    let rows = (FLOATS / (sources * classes)).max(1);
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(rows))
        .build();
    whole_file::write(path, |file| {
        let file = BufWriter::with_capacity(1 << 20, file);
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
        let mut random = SplitMix64::seed_from_u64(seed);
        let mut first = 0;
        while first < items {
            let rows = (rows as u64).min(items - first);
            let truth: Vec<usize> = (0..rows).map(|_| below(&mut random, classes)).collect();
            let mut columns: Vec<ArrayRef> =
                vec![Arc::new(Int64Array::from_iter_values(first as i64..(first + rows) as i64))];
            for _ in 0..sources {
                let values: ArrayRef = Arc::new(Float32Array::from(opinions(&truth, classes, &mut random)));
                columns.push(Arc::new(FixedSizeListArray::try_new(
                    Arc::clone(&element),
                    i32::try_from(classes)?,
                    values,
                    None,
                )?));
            }
            writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
            first += rows;
        }
        writer.close()?;
        Ok(())
    })?;
    Ok(std::fs::metadata(path)?.len())
}

/// One source's rows: the true class tends to get more, and each row sums to one.
fn opinions(truth: &[usize], classes: usize, random: &mut SplitMix64) -> Vec<f32> {
    let mut values = vec![0.0; truth.len() * classes];
    for (row, &class) in values.chunks_exact_mut(classes).zip(truth) {
        for pair in row.chunks_mut(2) {
            let bits = random.next_u64();
            for (value, half) in pair.iter_mut().zip([bits >> 40, bits & 0xFF_FFFF]) {
                *value = (half + 1) as f32;
            }
        }
        row[class] += (random.next_u64() >> 39) as f32;
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
    values
}
