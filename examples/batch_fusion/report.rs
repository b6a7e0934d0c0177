//! What is printed.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use consilience::Engine;
use consilience::arrow::{FuseJob, Summary};

use crate::score::Score;
use crate::task::Done;

/// Scores under one another: a name, what it is, and its score.
pub fn table<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str, &'a Score)>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["", "", "accuracy %", "95 % interval", "NLL", "ECE", "Brier"]);
    for (kind, name, score) in rows {
        let (low, high) = score.interval();
        table.add_row([
            kind.to_owned(),
            name.to_owned(),
            format!("{:.1}", 100.0 * score.accuracy()),
            format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high),
            format!("{:.3}", score.nll()),
            format!("{:.3}", score.ece()),
            format!("{:.3}", score.brier()),
        ]);
    }
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
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
            let _ = writeln!(text, "{} of {items} items are labelled", score.items());
            let each = sources.iter().zip(&done.sources).filter(|(_, score)| score.items() > 0);
            let rows = each.map(|(name, score)| ("source", name.as_str(), score));
            let _ = writeln!(text, "{}", table(rows.chain([("fused", job.fusion.rule.name(), score)])));
        }
    }
    text
}

pub fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
