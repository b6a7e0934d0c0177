//! The report as tables.

use comfy_table::{CellAlignment, Table, presets};

use super::measure::{Copy, Figure, Row};
use super::rivals::Rival;

/// Copies by size.
pub fn copies(copies: &[Copy]) -> String {
    let mut table = table(["copied", "by a kernel", "spread", "GB/s moved", "by command, best", "GB/s moved"].into());
    for copy in copies {
        let rate = |seconds: Option<f64>| seconds.map_or_else(String::new, |s| gigabytes(2.0 * copy.bytes as f64 / s));
        let (by_kernel, by_command) = (copy.by_kernel.median(), copy.by_command.median());
        table.add_row([
            bytes(copy.bytes),
            figure(&copy.by_kernel),
            spread(&copy.by_kernel),
            rate(by_kernel),
            figure(&copy.by_command),
            rate(by_command),
        ]);
    }
    aligned(table, 0)
}

/// Kernels and what stands beside them.
pub fn kernels(rows: &[Row]) -> String {
    let mut header = vec![
        "kernel",
        "case",
        "items",
        "moved",
        "kernel alone",
        "spread",
        "GB/s",
        "of copy",
        "resident",
        "end to end",
        "CPU, 1 thread",
        "CPU, all",
    ];
    header.extend(Rival::ALL.map(Rival::name));
    let mut table = table(header);
    for row in rows {
        let mut cells = vec![
            row.kernel.to_string(),
            row.name.clone(),
            row.items.to_string(),
            bytes(row.moved),
            figure(&row.kernel_time),
            spread(&row.kernel_time),
            row.rate().map(gigabytes).unwrap_or_default(),
            row.of_copy.map(percent).unwrap_or_default(),
        ];
        let figures = [&row.resident, &row.end_to_end, &row.one_core, &row.all_cores];
        cells.extend(figures.into_iter().chain(row.rivals.iter().map(|(_, figure)| figure)).map(figure));
        table.add_row(cells);
    }
    aligned(table, 1)
}

fn table(header: Vec<&str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table
}

/// Numbers to the right, all but the columns up to one.
fn aligned(mut table: Table, words: usize) -> String {
    table.column_iter_mut().skip(words + 1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table.to_string()
}

fn figure(figure: &Figure) -> String {
    match figure {
        Figure::Taken(samples) => seconds(samples.median()),
        Figure::Not(reason) => reason.clone(),
    }
}

fn spread(figure: &Figure) -> String {
    figure.taken().map(|samples| percent(samples.spread())).unwrap_or_default()
}

/// Two digits at least.
pub fn percent(share: f64) -> String {
    let decimals = if share < 0.0995 { 1 } else { 0 };
    format!("{:.decimals$} %", 100.0 * share)
}

fn gigabytes(bytes_per_second: f64) -> String {
    format!("{:.2}", bytes_per_second * 1e-9)
}

/// Three digits with a unit.
fn seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "us"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    match value {
        v if v < 10.0 => format!("{v:.2} {unit}"),
        v if v < 100.0 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        b if b < 1_000_000 => format!("{:.1} kB", b as f64 * 1e-3),
        b if b < 1_000_000_000 => format!("{:.1} MB", b as f64 * 1e-6),
        b => format!("{:.2} GB", b as f64 * 1e-9),
    }
}
