//! The machine-readable summary.

use std::io::Write;
use std::path::Path;

use consilience::Engine;
use consilience::arrow::FuseJob;
use consilience::calibration::Scores;
use serde_json::{Value, json};

use crate::task::Done;
use crate::{Failure, whole_file};

pub fn write(path: &Path, engine: &Engine, job: &FuseJob, done: &Done) -> Result<(), Failure> {
    let summary = &done.summary;
    let sources = summary
        .sources
        .iter()
        .enumerate()
        .map(|(source, name)| json!({ "name": name, "scores": done.sources.get(source).and_then(scores) }));
    let text = json!({
        "engine": engine.describe(),
        "input": job.input,
        "output": job.output,
        "fusion": job.fusion,
        "items": summary.items,
        "sources": sources.collect::<Vec<_>>(),
        "classes": summary.classes,
        "class_names": summary.class_names,
        "chunks": summary.chunks,
        "seconds": {
            "read": summary.read.as_secs_f64(),
            "fuse": summary.fuse.as_secs_f64(),
            "write": summary.write.as_secs_f64(),
            "score": done.scoring.as_secs_f64(),
            "total": summary.total.as_secs_f64(),
        },
        "scores": done.score.as_ref().and_then(scores),
    });
    whole_file::write(path, |mut file| {
        serde_json::to_writer_pretty(file, &text)?;
        Ok(file.write_all(b"\n")?)
    })
}

fn scores(scores: &Scores) -> Option<Value> {
    let summary = scores.summary()?;
    Some(json!({
        "items": summary.items,
        "accuracy": summary.accuracy.mean,
        "accuracy_interval_95": [summary.accuracy.low, summary.accuracy.high],
        "nll": summary.nll,
        "ece": summary.ece,
        "brier": summary.brier,
    }))
}
