//! What is printed.

use comfy_table::{CellAlignment, Table, presets};
use consilience::truth::Method;

use crate::args::Args;
use crate::row::Row;
use crate::task::{Data, Task};
use crate::{DIRECTORY, files, machine};

/// What the annotations are, in a line or two.
pub fn task(task: &Task) -> String {
    let annotations = task.annotations();
    let mut text = format!(
        "{} annotations of {} items by {} sources, {} classes",
        annotations.len(),
        annotations.items(),
        annotations.sources(),
        annotations.classes()
    );
    if let Data::Named(named) = &task.data {
        let names = named.classes();
        text +=
            &format!(": {}{}", names[..names.len().min(12)].join(", "), if names.len() > 12 { ", ..." } else { "" });
    }
    text += &match task.sorted {
        Some(sorted) => {
            let simulated = (task.prepared - sorted).as_secs_f64();
            format!("; simulated in {simulated:.3} s, sorted in {:.3} s", sorted.as_secs_f64())
        }
        None => format!("; read and sorted in {:.3} s", task.prepared.as_secs_f64()),
    };
    if task.truth.len() + task.gold.len() > 0 {
        text += &format!("\nthe truth of {} items is to be found", task.truth.len());
        if !task.gold.is_empty() {
            text += &format!("; that of {} others is told", task.gold.len());
        }
        if task.unknown > 0 {
            text += &format!("; of {} more that nobody annotated it is left aside", task.unknown);
        }
    }
    text
}

/// One row a method.
pub fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let scored = rows.iter().any(|row| row.score.is_some());
    let mut header = vec!["method"];
    if scored {
        header.push("accuracy %");
    }
    header.extend(["objective", "iterations"]);
    if scored {
        header.extend(["NLL", "ECE", "NLL, tempered", "ECE, tempered"]);
    }
    header.push("time, ms");
    table.set_header(header);
    for row in rows {
        let mut cells = vec![row.method.name().to_owned()];
        if scored {
            cells.push(row.score.map_or_else(String::new, |score| format!("{:.2}", 100.0 * score.accuracy)));
        }
        cells.push(row.objective.map_or_else(String::new, |objective| format!("{objective:.2}")));
        cells.push(if row.iterations > 0 { row.iterations.to_string() } else { String::new() });
        if scored {
            let of = row.score.map(|score| (score.nll, score.ece, score.tempered));
            let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
            let tempered = of.and_then(|of| of.2);
            cells.extend([
                number(of.map(|of| of.0)),
                number(of.map(|of| of.1)),
                number(tempered.map(|of| of[0])),
                number(tempered.map(|of| of[1])),
            ]);
        }
        cells.push(format!("{:.1}", 1e3 * row.time.as_secs_f64()));
        table.add_row(cells);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// What the columns mean, where the files are, and the memory it took.
pub fn notes(task: &Task, answering: &Method, args: &Args) -> String {
    let mut text = String::new();
    if !task.truth.is_empty() {
        text += "A tie counts by the share of the truth in it; tempered is each half of the truth by the temperature of the other.\n";
    }
    text += &format!("{DIRECTORY}/sources.svg: the sources by {answering}\n");
    if let Some(path) = &args.output {
        let skill = files::beside(path, "skill");
        text += &format!("{}, {}: items and sources by {answering}\n", path.display(), skill.display());
    }
    text += &match machine::peak_bytes() {
        Some(bytes) => {
            format!("Most memory the process ever had resident: {:.1} MiB", bytes as f64 / f64::from(1 << 20))
        }
        None => "Most memory the process ever had resident: unknown on this system".to_owned(),
    };
    text
}
