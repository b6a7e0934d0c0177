//! What is printed.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use consilience::Engine;
use consilience::arrow::{FuseJob, Summary};
use consilience::calibration::{Scores, Temperature};

use crate::learned::Learned;
use crate::task::Done;

/// Scores under one another: a name, what it is, and its scores. Who scored nothing is left out.
pub fn table<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str, &'a Scores)>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["", "", "accuracy %", "95 % interval", "NLL", "ECE", "Brier"]);
    for (kind, name, scores) in rows {
        let Some(summary) = scores.summary() else { continue };
        table.add_row([
            kind.to_owned(),
            name.to_owned(),
            format!("{:.1}", 100.0 * summary.accuracy.mean),
            format!("{:.1} to {:.1}", 100.0 * summary.accuracy.low, 100.0 * summary.accuracy.high),
            format!("{:.3}", summary.nll),
            format!("{:.3}", summary.ece),
            format!("{:.3}", summary.brier),
        ]);
    }
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// Temperatures in one line.
pub fn temperatures(names: &[String], sources: &[Temperature], pool: &Temperature) -> String {
    let each = names.iter().zip(sources).map(|(name, fitted)| format!("{name} {:.2}", fitted.value()));
    let few = if pool.is_of_few_items() { ", which is few" } else { "" };
    format!(
        "temperatures: {}; the pool {:.2} (NLL {:.3} before, {:.3} after, on the {} items it was fitted to{few})",
        each.collect::<Vec<_>>().join(", "),
        pool.value(),
        pool.nll_before(),
        pool.nll_after(),
        pool.items()
    )
}

/// What was learned, in one line.
pub fn learned(learned: &Learned) -> String {
    let each = learned.rows().map(|(name, reliability, seen)| format!("{name} {reliability:.3} ({seen:.0})"));
    format!("learned reliabilities (labelled answers): {}", each.collect::<Vec<_>>().join(", "))
}

/// Where a job's time went, in one line.
pub fn times(summary: &Summary, scoring: Duration) -> String {
    let Summary { read, fuse, write, total, .. } = summary;
    format!(
        "read {} | fuse {} | write {} | score {} | in all {} (reading, fusing and writing overlap)",
        seconds(*read),
        seconds(*fuse),
        seconds(*write),
        seconds(scoring),
        seconds(*total)
    )
}

/// What became of one file.
pub fn of_file(engine: &Engine, job: &FuseJob, done: &Done) -> String {
    let Summary { items, sources, classes, chunks, total, .. } = &done.summary;
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", engine.describe());
    let rate = *items as f64 / total.as_secs_f64();
    let _ = writeln!(
        text,
        "{}: {items} items x {} sources x {classes} classes (chunks: {chunks}), {rate:.0} items/s",
        job.output.display(),
        sources.len()
    );
    let _ = writeln!(text, "{}", times(&done.summary, done.scoring));
    match &done.score {
        None => {}
        Some(score) if score.items() == 0 => {
            let _ = writeln!(text, "no item has a label; do the ids of both files mean the same?");
        }
        Some(score) => {
            let _ = writeln!(text, "{} of {items} items are scored", score.items());
            let rows = sources.iter().zip(&done.sources).map(|(name, score)| ("source", name.as_str(), score));
            let _ = writeln!(text, "{}", table(rows.chain([("fused", job.fusion.rule.name(), score)])));
        }
    }
    text
}

pub fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
