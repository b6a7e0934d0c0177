//! The machine-readable summary.

use std::io::Write;
use std::path::Path;

use consilience::Engine;
use serde_json::{Value, json};

use crate::row::Row;
use crate::task::{Data, Task};
use crate::{Failure, machine, whole_file};

pub fn write(path: &Path, engine: &Engine, task: &Task, rows: &[Row]) -> Result<(), Failure> {
    let annotations = task.annotations();
    let class_names = match &task.data {
        Data::Named(named) => Some(named.classes()),
        Data::Simulated(_) => None,
    };
    let text = json!({
        "engine": engine.describe(),
        "annotations": annotations.len(),
        "items": annotations.items(),
        "sources": annotations.sources(),
        "classes": annotations.classes(),
        "class_names": class_names,
        "truth": { "scored": task.truth.len(), "told": task.gold.len(), "not_annotated": task.unknown },
        "seconds": { "prepare": task.prepared.as_secs_f64(), "sort": task.sorted.map(|sorted| sorted.as_secs_f64()) },
        "methods": rows.iter().map(method).collect::<Vec<_>>(),
        "peak_bytes": machine::peak_bytes(),
    });
    whole_file::write(path, |mut file| {
        serde_json::to_writer_pretty(file, &text)?;
        Ok(file.write_all(b"\n")?)
    })
}

fn method(row: &Row) -> Value {
    let score = row.score.map(|score| {
        let tempered = score.tempered.map(|[nll, ece]| json!({ "nll": nll, "ece": ece }));
        json!({ "accuracy": score.accuracy, "nll": score.nll, "ece": score.ece, "tempered": tempered })
    });
    json!({
        "name": row.method.name(),
        "objective": row.objective,
        "iterations": row.iterations,
        "seconds": row.time.as_secs_f64(),
        "score": score,
    })
}
