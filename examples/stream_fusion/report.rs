//! What is printed of a stream.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use consilience::stream::{StageTime, Summary};

use crate::alone::{Pace, Paces};
use crate::machine;

/// The stages, alone and together.
pub fn stages(summary: &Summary, paces: &Paces) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["stage", "alone, GB/s", "cores alone", "busy in the stream, s", "waiting, s"]);
    let times = [summary.source, summary.fusion, summary.sink];
    for ((name, pace), StageTime { busy, waiting, .. }) in ["source", "engine", "sink"].iter().zip(paces).zip(times) {
        let cores = pace.cpu.map(|cpu| cpu.as_secs_f64() / pace.wall.as_secs_f64());
        table.add_row([
            (*name).to_owned(),
            format!("{:.2}", 1e-9 * pace.bytes_per_second()),
            cores.map_or("unknown".to_owned(), |cores| format!("{cores:.2}")),
            format!("{:.2}", busy.as_secs_f64()),
            format!("{:.2}", waiting.as_secs_f64()),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// How fast the stream was, and beside what: the slowest stage alone, and all stages' work on the cores it had.
pub fn pace(summary: &Summary, cpu: Option<Duration>, paces: &Paces) -> String {
    let seconds = summary.total.as_secs_f64();
    let streamed = summary.bytes as f64 / seconds;
    let slowest = paces.iter().map(Pace::bytes_per_second).fold(f64::INFINITY, f64::min);
    let mut text = format!(
        "{:.2} GB in {seconds:.2} s: {:.2} GB/s, {:.1} million items a second; {:.0} % of the slowest stage alone",
        1e-9 * summary.bytes as f64,
        1e-9 * streamed,
        1e-6 * summary.items as f64 / seconds,
        100.0 * streamed / slowest,
    );
    let work: Option<f64> = paces.iter().map(Pace::cpu_seconds_per_byte).sum();
    text += &match cpu.zip(work) {
        Some((cpu, work)) => {
            let (cpu, alone) = (cpu.as_secs_f64(), work * summary.bytes as f64);
            format!(
                "\nIt had {:.2} of {} cores and took {cpu:.1} s of them, where the stages alone take {alone:.1} s; by that work \
                 so many cores allow {:.2} GB/s",
                cpu / seconds,
                machine::cores(),
                1e-9 * cpu / seconds / work,
            )
        }
        None => "\nHow much of the cores each stage takes this system does not tell".to_owned(),
    };
    text
}
