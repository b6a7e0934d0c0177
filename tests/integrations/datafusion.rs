//! Fusion in SQL and data frames, compared with naive f64.

mod aggregates;
mod dawid_skene;
mod refusals;
mod rows;
mod scores;

use std::sync::Arc;

use consilience::datafusion::register;
use datafusion::arrow::array::{
    ArrayRef, AsArray, FixedSizeListArray, Float32Array, Int64Array, ListArray, RecordBatch, UInt32Array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Float32Type, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::support::problem::Random;

/// What one source says of one item.
#[derive(Debug, Clone)]
struct Said {
    item: i64,
    opinion: Option<Vec<f32>>,
    weight: f32,
    confidence: Option<f32>,
    label: Option<i64>,
}

/// Sources on items, about one opinion in six missing, in any order.
fn said(items: usize, sources: usize, classes: usize, seed: u64) -> Vec<Said> {
    let mut random = Random::new(seed);
    let mut all = Vec::new();
    for item in 0..items {
        let label = (random.below(4) > 0).then(|| random.below(classes) as i64);
        for _ in 0..sources {
            let numbers: Vec<f32> = random.list(classes, 0.001, 1.0);
            let sum: f32 = numbers.iter().sum();
            all.push(Said {
                item: item as i64,
                opinion: (random.below(6) > 0).then(|| numbers.iter().map(|x| x / sum).collect()),
                // Coarse, so that some are equal and some nothing.
                weight: random.below(5) as f32 / 4.0,
                confidence: (random.below(2) > 0).then(|| random.below(5) as f32 / 4.0),
                label,
            });
        }
    }
    random.shuffle(all.len()).into_iter().map(|i| all[i].clone()).collect()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Lists {
    Fixed,
    Variable,
}

fn lists(opinions: &[Option<Vec<f32>>], classes: usize, kind: Lists) -> ArrayRef {
    let item = Arc::new(Field::new_list_field(DataType::Float32, true));
    let nulls = NullBuffer::from_iter(opinions.iter().map(Option::is_some));
    match kind {
        Lists::Fixed => {
            let values: Vec<f32> =
                opinions.iter().flat_map(|o| o.clone().unwrap_or_else(|| vec![f32::NAN; classes])).collect();
            let values = Arc::new(Float32Array::from(values));
            Arc::new(FixedSizeListArray::new(item, classes as i32, values, Some(nulls)))
        }
        Lists::Variable => {
            let values: Vec<f32> = opinions.iter().flatten().flatten().copied().collect();
            let lengths = opinions.iter().map(|o| o.as_ref().map_or(0, Vec::len));
            let offsets = OffsetBuffer::from_lengths(lengths);
            Arc::new(ListArray::new(item, offsets, Arc::new(Float32Array::from(values)), Some(nulls)))
        }
    }
}

/// Columns of one length by their names.
fn record(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let field = |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect()).expect("columns of a length")
}

fn batch(said: &[Said], classes: usize, kind: Lists) -> RecordBatch {
    let opinions: Vec<_> = said.iter().map(|said| said.opinion.clone()).collect();
    let opinion = lists(&opinions, classes, kind);
    record(vec![
        ("item", Arc::new(Int64Array::from_iter_values(said.iter().map(|said| said.item)))),
        ("opinion", opinion),
        ("weight", Arc::new(Float32Array::from_iter_values(said.iter().map(|said| said.weight)))),
        ("confidence", Arc::new(said.iter().map(|said| said.confidence).collect::<Float32Array>())),
        ("label", Arc::new(said.iter().map(|said| said.label).collect::<Int64Array>())),
    ])
}

/// A session that knows the functions and a table `said` in so many partitions.
fn session(said: &[Said], classes: usize, kind: Lists, partitions: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(7 + 100 / partitions);
    let context = SessionContext::new_with_config(config);
    register(&mut *context.state_ref().write()).expect("registered");
    let parts: Vec<Vec<RecordBatch>> = said
        .chunks(said.len().div_ceil(partitions).max(1))
        .map(|part| part.chunks(13).map(|rows| batch(rows, classes, kind)).collect())
        .collect();
    let schema = batch(&[], classes, kind).schema();
    context.register_table("said", Arc::new(MemTable::try_new(schema, parts).expect("a table"))).expect("registered");
    context
}

async fn query(context: &SessionContext, sql: &str) -> Result<RecordBatch> {
    let frame = context.sql(sql).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    Ok(concat_batches(&schema, &frame.collect().await?)?)
}

/// The lists of a column.
fn posteriors(batch: &RecordBatch, name: &str) -> Vec<Option<Vec<f32>>> {
    let column = batch.column_by_name(name).expect("a column");
    let of = |row: usize| {
        let list = match column.data_type() {
            DataType::FixedSizeList(..) => column.as_fixed_size_list().value(row),
            _ => column.as_list::<i32>().value(row),
        };
        column.is_valid(row).then(|| list.as_primitive::<Float32Type>().values().to_vec())
    };
    (0..batch.num_rows()).map(of).collect()
}

fn decisions(batch: &RecordBatch, name: &str) -> Vec<Option<u32>> {
    let column: &UInt32Array = batch.column_by_name(name).expect("a column").as_primitive();
    column.iter().collect()
}

fn run<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}
