//! From training to scores: classifiers, their evidence in a file, that file fused by every rule.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use consilience::arrow::FuseJob;
use consilience::calibration::Scores;
use consilience::{Engine, Evidence, Fusion, Rule};
use ndarray::Array2;
use parquet::arrow::ArrowWriter;

use crate::contest::{Contest, Third};
use crate::digits::{CLASSES, Digits, Part};
use crate::models::{self, Source};
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
        let task = Task { job, labels: Some(&labels), except: None, progress: false };
        fused.push((task.job.fusion.rule.clone(), task.run(engine, None)?));
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
    contest(engine, &digits, &sources)?;
    plots::reliability(&directory.join("reliability.svg"), &rows)?;
    plots::accuracy(&directory.join("accuracy.svg"), &rows)?;
    println!(
        "{DIRECTORY}: evidence.parquet, calibration.parquet, labels.parquet, fused*.parquet, reliability.svg, accuracy.svg"
    );
    Ok(())
}

/// Calibrates on the second third, scores on the last, and says whether fusing was worth it.
fn contest(engine: &Engine, digits: &Digits, sources: &[Source]) -> Result<(), Failure> {
    let planes = |said: fn(&Source) -> &Array2<f64>| -> Vec<Vec<f32>> {
        sources.iter().map(|source| said(source).iter().map(|&p| p as f32).collect()).collect()
    };
    let (calibration, test) = (planes(|source| &source.calibration), planes(|source| &source.test));
    let calibration = Evidence::probabilities(CLASSES, &views(&calibration))?;
    let test = Evidence::probabilities(CLASSES, &views(&test))?;
    let names: Vec<&str> = sources.iter().map(|source| source.name).collect();
    let contest = Contest::hold(
        engine,
        &names,
        Third { evidence: &calibration, labels: &digits.calibration.labels },
        Third { evidence: &test, labels: &digits.test.labels },
        SEED,
    )?;
    let mut rows = Vec::new();
    for contender in &contest.contenders {
        rows.push((contender.kind, contender.name.as_str(), contest.scores(contender)?));
    }
    println!(
        "Calibrated on the second third (temperatures of the sources and of the pool; stacking), scored on the last:"
    );
    println!("{}", report::table(rows.iter().map(|(kind, name, scores)| (*kind, *name, scores))));
    let chosen = contest.chosen()?;
    println!(
        "Chosen on the second third: {}. Its NLL on the last, less that of each source (paired bootstrap, 95 %):",
        chosen.name
    );
    for duel in contest.duels(SEED)? {
        let (other, d) = (duel.other, duel.difference);
        println!("  {} {}: {:+.3} ({:+.3} to {:+.3})", other.kind, other.name, d.mean, d.low, d.high);
    }
    for (name, coverage, size) in contest.sets(SEED)? {
        println!("Conformal sets at 90 %, {name}: {:.1} % covered, {size:.2} classes on average", 100.0 * coverage);
    }
    Ok(())
}

fn views(planes: &[Vec<f32>]) -> Vec<&[f32]> {
    planes.iter().map(Vec::as_slice).collect()
}

/// Kind, name and score of every source and every rule.
fn rows(fused: &[(Rule, Done)]) -> Result<Vec<(&'static str, String, &Scores)>, Failure> {
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
