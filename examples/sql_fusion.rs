//! Opinions in a long table fused by a query, part by part: on this machine or on a cluster, with what was finished kept.
//!
//! ```text
//! cargo run --release --features datafusion --example sql_fusion
//! cargo run --release --features datafusion --example sql_fusion -- --input opinions.parquet --rule log_pool --output fused
//! cargo run --release --features ballista --example sql_fusion -- --input /shared/opinions --cluster df://scheduler:50050
//! ```
//!
//! A query calls the table `opinions`. It is run once for each part of the items, and each part becomes a Parquet file that
//! gets its name when it is whole: a job that is stopped goes on with the parts that are missing.

#![expect(clippy::print_stdout, reason = "that is how a program answers")]

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use clap::Parser;
use consilience::datafusion::{Aggregate, register};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext};
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use parquet::arrow::ArrowWriter;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// A Parquet file or a folder of them, one row an opinion; on a cluster, under a path that every executor sees. Made up
    /// where none is given.
    #[arg(long)]
    input: Option<PathBuf>,

    /// A folder for the answer.
    #[arg(long, default_value = "target/sql_fusion")]
    output: PathBuf,

    /// The rule, as in `fuse_log_pool` without `fuse_`.
    #[arg(long, default_value = "ensemble", conflicts_with = "sql")]
    rule: String,

    /// A column of weights.
    #[arg(long, conflicts_with = "sql")]
    weight: Option<String>,

    /// A query of one's own over `opinions`, whose answer on an item depends on no other item.
    #[arg(long)]
    sql: Option<String>,

    /// The column that says which item a row is of.
    #[arg(long, default_value = "item")]
    item: String,

    /// A Parquet file of labels, columns `item` and `label`, by which `posterior` is scored.
    #[arg(long)]
    labels: Option<PathBuf>,

    /// Into how many parts the items are divided.
    #[arg(long, default_value_t = 8)]
    parts: u32,

    /// The scheduler of a cluster, as in `df://localhost:50050`; this machine where none is given.
    #[arg(long)]
    cluster: Option<String>,

    /// How many items are made up.
    #[arg(long, default_value_t = 20_000)]
    items: usize,
}

/// What tells one job from another.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    input: PathBuf,
    sql: String,
    item: String,
    parts: u32,
}

#[derive(Debug, Serialize)]
struct Report {
    job: Job,
    /// Parts that were there before.
    resumed: u32,
    rows: u64,
    seconds: f64,
    scores: Option<Scores>,
}

#[derive(Debug, Serialize)]
struct Scores {
    accuracy: f64,
    nll: f64,
    brier: f64,
    ece: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.output)?;
    let (input, labels) = match &arguments.input {
        Some(input) => (fs::canonicalize(input)?, arguments.labels.clone()),
        None => made_up(&arguments.output, arguments.items)?,
    };
    let sql = match &arguments.sql {
        Some(sql) => sql.clone(),
        None => query(&arguments)?,
    };
    let job = Job { input, sql, item: arguments.item.clone(), parts: arguments.parts.max(1) };
    let parts = claim(&arguments.output, &job)?;
    let context = connect(arguments.cluster.as_deref()).await?;
    let began = Instant::now();
    let (resumed, rows) = run(&context, &job, &parts).await?;
    let seconds = began.elapsed().as_secs_f64();
    let scores = match &labels {
        Some(labels) => Some(scored(&parts, labels).await?),
        None => None,
    };
    println!("{rows} rows in {} parts, {resumed} of them from before, in {seconds:.1} s", job.parts);
    if let Some(Scores { accuracy, nll, brier, ece }) = &scores {
        println!("accuracy {accuracy:.4}  nll {nll:.4}  brier {brier:.4}  ece {ece:.4}");
    }
    let report = Report { job, resumed, rows, seconds, scores };
    fs::write(arguments.output.join("report.json"), serde_json::to_string_pretty(&report)?)?;
    Ok(())
}

/// The query that a rule is.
fn query(arguments: &Arguments) -> Result<String> {
    let name = format!("fuse_{}", arguments.rule);
    let known: Vec<_> = Aggregate::all().iter().map(|f| f.name()).filter(|name| name.starts_with("fuse_")).collect();
    if !known.contains(&&*name) {
        return Err(format!("no rule `{}`; there are {}", arguments.rule, known.join(", ").replace("fuse_", "")).into());
    }
    let weight = arguments.weight.iter().map(|weight| format!(", {weight}")).collect::<String>();
    let item = &arguments.item;
    Ok(format!("SELECT {item}, {name}(opinion{weight}) AS posterior FROM opinions GROUP BY {item}"))
}

/// The folder of a job's parts, which holds those of no other job.
fn claim(output: &Path, job: &Job) -> Result<PathBuf> {
    let (parts, file) = (output.join("parts"), output.join("job.json"));
    fs::create_dir_all(&parts)?;
    if !file.exists() {
        fs::write(&file, serde_json::to_string_pretty(job)?)?;
    }
    let held: Job = serde_json::from_str(&fs::read_to_string(&file)?)?;
    if held != *job {
        return Err(format!("{} holds parts of another job, {held:?}; take another folder", output.display()).into());
    }
    Ok(parts)
}

async fn connect(cluster: Option<&str>) -> Result<SessionContext> {
    match cluster {
        None => {
            let context = SessionContext::new();
            register(&mut *context.state_ref().write())?;
            Ok(context)
        }
        #[cfg(feature = "ballista")]
        Some(url) => {
            use ballista::prelude::SessionConfigExt;
            Ok(consilience::ballista::connect(url, SessionConfig::new_with_ballista()).await?)
        }
        #[cfg(not(feature = "ballista"))]
        Some(_) => Err("this program was built without the feature `ballista`, which a cluster needs".into()),
    }
}

/// Runs what is missing. Answers how many parts were there, and how many rows there are now.
async fn run(context: &SessionContext, job: &Job, parts: &Path) -> Result<(u32, u64)> {
    let table = job.input.display().to_string();
    context.register_parquet("every_opinion", table, ParquetReadOptions::default()).await?;
    let bar = ProgressBar::new(job.parts.into());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} parts, {eta} to go {msg}")?);
    let (mut resumed, mut rows) = (0, 0);
    for part in 0..job.parts {
        let path = parts.join(format!("part-{part:05}.parquet"));
        if path.exists() {
            resumed += 1;
        } else {
            let of_part = format!("SELECT * FROM every_opinion WHERE bucket({}, {}) = {part}", job.item, job.parts);
            context.deregister_table("opinions")?;
            context.register_table("opinions", context.sql(&of_part).await?.into_view())?;
            write(context.sql(&job.sql).await?, &path).await?;
        }
        let file = parquet::file::reader::SerializedFileReader::try_from(path.as_path())?;
        rows += parquet::file::reader::FileReader::metadata(&file).file_metadata().num_rows() as u64;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((resumed, rows))
}

/// A file that gets its name when it is whole.
async fn write(answer: DataFrame, path: &Path) -> Result<()> {
    let file = tempfile::NamedTempFile::new_in(path.parent().ok_or("a part lies in a folder")?)?;
    let mut rows = answer.execute_stream().await?;
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None)?;
    while let Some(batch) = rows.next().await {
        writer.write(&batch?)?;
    }
    writer.into_inner()?.persist(path)?;
    Ok(())
}

/// Scores of the posteriors of those items that have a label.
async fn scored(parts: &Path, labels: &Path) -> Result<Scores> {
    let context = SessionContext::new_with_config(SessionConfig::new());
    register(&mut *context.state_ref().write())?;
    for (name, path) in [("fused", parts), ("labels", labels)] {
        context.register_parquet(name, path.display().to_string(), ParquetReadOptions::default()).await?;
    }
    let each = ["accuracy", "nll", "brier", "ece"].map(|score| format!("{score}(posterior, label)")).join(", ");
    let sql = format!("SELECT {each} FROM fused JOIN labels ON fused.item = labels.item");
    let answer = context.sql(&sql).await?.collect().await?;
    let row = answer.first().ok_or("a query of scores gives a row")?;
    let score = |column: usize| -> Result<f64> {
        let column = row.column(column).as_any().downcast_ref::<Float64Array>().ok_or("a score is a number")?;
        if column.is_valid(0) { Ok(column.value(0)) } else { Err("no item has a label".into()) }
    };
    Ok(Scores { accuracy: score(0)?, nll: score(1)?, brier: score(2)?, ece: score(3)? })
}

/// Opinions of seven sources over four classes, of whom each is right more often than not, and labels.
fn made_up(output: &Path, items: usize) -> Result<(PathBuf, Option<PathBuf>)> {
    const SOURCES: usize = 7;
    const CLASSES: usize = 4;
    let (opinions, labels) = (output.join("opinions.parquet"), output.join("labels.parquet"));
    let random = &mut StdRng::seed_from_u64(1);
    let truth: Vec<usize> = (0..items).map(|_| random.random_range(0..CLASSES)).collect();
    let mut values = Vec::with_capacity(items * SOURCES * CLASSES);
    for &class in &truth {
        for source in 0..SOURCES {
            let said = if random.random::<f32>() < 0.4 + 0.05 * source as f32 {
                class
            } else {
                random.random_range(0..CLASSES)
            };
            let confidence = random.random_range(0.4..0.95_f32);
            let rest = (1.0 - confidence) / (CLASSES - 1) as f32;
            values.extend((0..CLASSES).map(|k| if k == said { confidence } else { rest }));
        }
    }
    let number = Arc::new(Field::new_list_field(DataType::Float32, false));
    let opinion = FixedSizeListArray::try_new(number, CLASSES as i32, Arc::new(Float32Array::from(values)), None)?;
    let each =
        |f: fn(usize) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..items * SOURCES).map(f))) };
    let item = each(|row| (row / SOURCES) as i64);
    let source = each(|row| (row % SOURCES) as i64);
    save(&opinions, vec![("item", item), ("source", source), ("opinion", Arc::new(opinion))])?;
    let item = Arc::new(Int64Array::from_iter_values(0..items as i64));
    let label = Arc::new(Int64Array::from_iter_values(truth.iter().map(|&class| class as i64)));
    save(&labels, vec![("item", item), ("label", label)])?;
    Ok((fs::canonicalize(opinions)?, Some(labels)))
}

fn save(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
    let field = |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), false);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, column)| column).collect())?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, schema, None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}
