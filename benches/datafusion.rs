//! Items fused in SQL from a long Parquet file to a Parquet file, beside the same pool written with the functions that SQL has,
//! and beside the job that reads the same opinions from a wide file. `ITEMS` in the environment says how many, of 8 sources and
//! 10 classes.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use consilience::arrow::FuseJob;
use consilience::datafusion::register;
use consilience::{Engine, Fusion, Output, Rule};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use futures_util::StreamExt;
use parquet::arrow::ArrowWriter;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const SOURCES: usize = 8;
const CLASSES: usize = 10;
const BATCH: usize = 65_536;

fn rows(random: &mut StdRng, count: usize) -> Vec<f32> {
    let mut values: Vec<f32> = (0..count * CLASSES).map(|_| random.random_range(0.01..1.0)).collect();
    for row in values.chunks_exact_mut(CLASSES) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum);
    }
    values
}

fn list(values: Vec<f32>) -> ArrayRef {
    let item = Arc::new(Field::new_list_field(DataType::Float32, false));
    Arc::new(FixedSizeListArray::new(item, CLASSES as i32, Arc::new(Float32Array::from(values)), None))
}

fn schema(names: &[String], opinion: &ArrayRef) -> Arc<Schema> {
    let item = Field::new("item", DataType::Int64, false);
    let opinions = names.iter().map(|name| Field::new(name, opinion.data_type().clone(), false));
    Arc::new(Schema::new([item].into_iter().chain(opinions).collect::<Vec<_>>()))
}

/// Writes the same opinions to a wide file and to a long one.
fn write(dir: &Path, items: usize) {
    let random = &mut StdRng::seed_from_u64(1);
    let empty = list(Vec::new());
    let names: Vec<String> = (0..SOURCES).map(|source| format!("source_{source}")).collect();
    let (wide, long) = (schema(&names, &empty), schema(&["opinion".to_owned()], &empty));
    let open = |name: &str, schema: &Arc<Schema>| {
        let file = File::create(dir.join(name)).expect("a file");
        ArrowWriter::try_new(file, Arc::clone(schema), None).expect("a writer")
    };
    let (mut wide_file, mut long_file) = (open("wide.parquet", &wide), open("long.parquet", &long));
    for first in (0..items).step_by(BATCH) {
        let count = BATCH.min(items - first);
        let planes: Vec<Vec<f32>> = (0..SOURCES).map(|_| rows(random, count)).collect();
        let ids = || (first..first + count).map(|item| item as i64);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(ids()))];
        columns.extend(planes.iter().cloned().map(list));
        wide_file.write(&RecordBatch::try_new(Arc::clone(&wide), columns).expect("a batch")).expect("written");
        let of_item =
            |item: usize| planes.iter().flat_map(move |plane| plane[item * CLASSES..][..CLASSES].iter().copied());
        let opinions = list((0..count).flat_map(of_item).collect());
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids().flat_map(|item| [item; SOURCES])));
        long_file
            .write(&RecordBatch::try_new(Arc::clone(&long), vec![ids, opinions]).expect("a batch"))
            .expect("written");
    }
    wide_file.close().expect("a footer");
    long_file.close().expect("a footer");
}

/// A pool in the functions that SQL has: each class by itself, then the sum of all.
fn built_in(of_class: impl Fn(usize) -> String, normalise: bool) -> String {
    let each = |f: &dyn Fn(usize) -> String| (1..=CLASSES).map(f).collect::<Vec<_>>().join(", ");
    let pooled = format!("SELECT item, {} FROM long GROUP BY item", each(&|k| format!("{} AS p{k}", of_class(k))));
    if !normalise {
        return format!("SELECT item, make_array({}) AS posterior FROM ({pooled})", each(&|k| format!("p{k}")));
    }
    let sum = each(&|k| format!("p{k}")).replace(", ", " + ");
    let shares = each(&|k| format!("p{k} / ({sum})"));
    format!("SELECT item, make_array({shares}) AS posterior FROM ({pooled})")
}

/// How many rows come.
async fn count(mut rows: SendableRecordBatchStream) -> Result<usize, DataFusionError> {
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch?.num_rows();
    }
    Ok(count)
}

fn sql(c: &mut Criterion) {
    let items = std::env::var("ITEMS").map_or(100_000, |items| items.parse().expect("a number of items"));
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), items);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let context = SessionContext::new();
    register(&mut *context.state_ref().write()).expect("registered");
    let (long, out) = (dir.path().join("long.parquet"), dir.path().join("out.parquet"));
    let long = context.register_parquet("long", long.to_str().expect("UTF-8"), ParquetReadOptions::default());
    runtime.block_on(long).expect("a table");
    let copy = |query: &str| {
        let copy = format!("COPY ({query}) TO '{}' STORED AS PARQUET", out.display());
        runtime.block_on(async { context.sql(&copy).await?.collect().await }).expect("rows")
    };
    // The same table in memory, as many partitions as there are cores.
    let table = runtime.block_on(async { context.table("long").await?.cache().await }).expect("a table");
    context.register_table("held", table.into_view()).expect("registered");
    let read = |query: &str| {
        runtime.block_on(async { count(context.sql(query).await?.execute_stream().await?).await }).expect("rows")
    };
    let mut group = c.benchmark_group(format!("datafusion/B{items}xN{SOURCES}xC{CLASSES}"));
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Elements(items as u64));
    group.bench_function("read/file", |b| b.iter(|| read("SELECT item, opinion FROM long")));
    group.bench_function("read/memory", |b| b.iter(|| read("SELECT item, opinion FROM held")));
    group.bench_function("count/file", |b| b.iter(|| read("SELECT item, count(*) FROM long GROUP BY item")));
    group.bench_function("count/memory", |b| b.iter(|| read("SELECT item, count(*) FROM held GROUP BY item")));
    for (name, rule) in [("linear", Rule::Linear), ("log_pool", Rule::LogPool), ("ensemble", Rule::default())] {
        let ours = format!("SELECT item, fuse_{name}(opinion) AS posterior FROM long GROUP BY item");
        group.bench_function(format!("{name}/functions"), |b| b.iter(|| copy(&ours)));
        let held = ours.replace("FROM long", "FROM held");
        group.bench_function(format!("{name}/functions/memory"), |b| b.iter(|| read(&held)));
        let built_in = match rule {
            Rule::Linear => Some(built_in(|k| format!("avg(opinion[{k}])"), false)),
            Rule::LogPool => Some(built_in(|k| format!("exp(avg(ln(greatest(opinion[{k}], 1e-7))))"), true)),
            _ => None,
        };
        if let Some(query) = built_in {
            group.bench_function(format!("{name}/built-in"), |b| b.iter(|| copy(&query)));
            let held = query.replace("FROM long", "FROM held");
            group.bench_function(format!("{name}/built-in/memory"), |b| b.iter(|| read(&held)));
        }
        let engine = Engine::cpu().expect("a CPU engine");
        let fusion = Fusion::new(rule).outputs(&[Output::Posterior]);
        group.bench_function(format!("{name}/wide-file"), |b| {
            b.iter(|| {
                let mut job = FuseJob::new(dir.path().join("wide.parquet"), &out);
                job.fusion = fusion.clone();
                job.run(&engine, |_| {}).expect("a file")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sql);
criterion_main!(benches);
