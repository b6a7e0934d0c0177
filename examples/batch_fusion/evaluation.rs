//! From training to scores: classifiers, their evidence in a file, that file fused by every rule.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use consilience::arrow::FuseJob;
use consilience::{Engine, Fusion, Rule};
use ndarray::Array2;
use parquet::arrow::ArrowWriter;

use crate::digits::{Digits, Part};
use crate::models::{self, Source};
use crate::score::Score;
use crate::task::{Done, Task};
use crate::{Failure, plots, report, whole_file};

const DIRECTORY: &str = "target/batch_fusion";
const SEED: u64 = 20_260;

pub fn run(engine: &Engine) -> Result<(), Failure> {
    let directory = Path::new(DIRECTORY);
    fs::create_dir_all(directory).map_err(|error| format!("{DIRECTORY}: {error}"))?;
    let start = Instant::now();
    let digits = Digits::split(SEED);
    let sources = models::train(&digits, SEED)?;
    let training = start.elapsed();
    let (evidence, labels) = (directory.join("evidence.parquet"), directory.join("labels.parquet"));
    write_evidence(&evidence, &digits.test, &sources, |source| &source.test)?;
    write_evidence(&directory.join("calibration.parquet"), &digits.calibration, &sources, |source| {
        &source.calibration
    })?;
    write_labels(&labels, &digits)?;

    let mut fused = Vec::new();
    for rule in [Rule::default()].into_iter().chain(Rule::SIMPLE) {
        let name = if rule == Rule::default() { "fused.parquet".to_owned() } else { format!("fused_{rule}.parquet") };
        let mut job = FuseJob::new(&evidence, directory.join(name));
        job.fusion = Fusion::new(rule);
        let task = Task { job, labels: Some(&labels), progress: false };
        fused.push((task.job.fusion.rule.clone(), task.run(engine)?));
    }
    let rows = rows(&fused)?;
    println!("{}", engine.describe());
    println!(
        "{} digits: {} to train on, {} to calibrate on, {} to score on. The sources, and what each was made with:",
        digits.train.items.len() + digits.calibration.items.len() + digits.test.items.len(),
        digits.train.items.len(),
        digits.calibration.items.len(),
        digits.test.items.len()
    );
    for source in &sources {
        println!("  {}: {}", source.name, source.made);
    }
    println!("{}", report::table(rows.iter().map(|row| (row.0, row.1.as_str(), row.2))));
    let (_, default) = &fused[0];
    println!(
        "training {} | default ensemble: {}",
        report::seconds(training),
        report::times(&default.summary, default.scoring)
    );
    plots::reliability(&directory.join("reliability.svg"), &rows)?;
    plots::accuracy(&directory.join("accuracy.svg"), &rows)?;
    println!(
        "{DIRECTORY}: evidence.parquet, calibration.parquet, labels.parquet, fused*.parquet, reliability.svg, accuracy.svg"
    );
    Ok(())
}

/// Kind, name and score of every source and every rule.
fn rows(fused: &[(Rule, Done)]) -> Result<Vec<(&'static str, String, &Score)>, Failure> {
    let (_, first) = fused.first().ok_or("nothing was fused")?;
    let sources = first.summary.sources.iter().cloned().zip(&first.sources);
    let mut rows: Vec<_> = sources.map(|(name, score)| ("source", name, score)).collect();
    for (rule, done) in fused {
        rows.push(("rule", rule.to_string(), done.score.as_ref().ok_or("nothing was scored")?));
    }
    Ok(rows)
}

fn write_evidence(
    path: &Path,
    part: &Part,
    sources: &[Source],
    said: fn(&Source) -> &Array2<f64>,
) -> Result<(), Failure> {
    let mut columns: Vec<(&str, ArrayRef)> = vec![("item", ids(&part.items))];
    for source in sources {
        let rows = said(source).rows().into_iter().map(|row| Some(row.to_vec().into_iter().map(|p| Some(p as f32))));
        columns.push((source.name, Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows))));
    }
    write_columns(path, columns)
}

fn write_labels(path: &Path, digits: &Digits) -> Result<(), Failure> {
    let parts = [("train", &digits.train), ("calibration", &digits.calibration), ("test", &digits.test)];
    let (mut items, mut labels, mut splits) = (Vec::new(), Vec::new(), Vec::new());
    for (name, part) in parts {
        items.extend(&part.items);
        labels.extend(part.labels.iter().map(|&label| i64::from(label)));
        splits.extend(vec![name; part.items.len()]);
    }
    write_columns(
        path,
        vec![
            ("item", ids(&items)),
            ("label", Arc::new(Int64Array::from(labels))),
            ("split", Arc::new(StringArray::from(splits))),
        ],
    )
}

fn write_columns(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), Failure> {
    whole_file::write(path, |file| {
        let batch = RecordBatch::try_from_iter(columns)?;
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    })
}

fn ids(items: &[usize]) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(items.iter().map(|&item| item as i64)))
}
