//! Every figure as a line of comma-separated values (RFC 4180): times in seconds, sizes in bytes.

use super::machine::Machine;
use super::measure::{Copy, Figure, Row};
use super::statistics::Samples;

/// The report as text. Each line ends with what the machine is, so that lines of several machines can stand together.
pub fn report(machine: &Machine, copies: &[Copy], rows: &[Row]) -> String {
    let facts = machine.facts();
    let mut columns: Vec<String> =
        ["kernel", "case", "items", "bytes_moved", "operations", "bytes_per_second", "fraction_of_copy"]
            .map(str::to_owned)
            .into();
    let rivals: Vec<String> = super::rivals::Rival::ALL.map(|rival| rival.name().to_owned()).into();
    let figures = ["kernel", "resident", "end_to_end", "cpu_one_thread", "cpu_all_threads"].map(str::to_owned);
    let figures: Vec<String> = figures.into_iter().chain(rivals).collect();
    for figure in &figures {
        columns.extend(["seconds", "spread", "samples", "note"].map(|what| format!("{figure} {what}")));
    }
    columns.extend(facts.iter().map(|(name, _)| (*name).to_owned()));

    let mut text = line(&columns);
    let mut add = |named: Vec<String>, figures_of: Vec<&Figure>| {
        let mut fields = named;
        fields.extend(figures_of.into_iter().flat_map(of_figure));
        fields.resize(columns.len() - facts.len(), String::new());
        fields.extend(facts.iter().map(|(_, value)| value.clone()));
        text += &line(&fields);
    };
    for copy in copies {
        for (how, figure) in [("by a kernel", &copy.by_kernel), ("by command", &copy.by_command)] {
            let rate = figure.median().map(|seconds| 2.0 * copy.bytes as f64 / seconds);
            let moved = (2 * copy.bytes).to_string();
            let named = ["copy", how, "", &moved, "", &number(rate), ""].map(str::to_owned);
            add(named.into(), vec![figure]);
        }
    }
    for row in rows {
        let named = [
            row.kernel.to_string(),
            row.name.clone(),
            row.items.to_string(),
            row.moved.to_string(),
            number(row.operations),
            number(row.rate()),
            number(row.of_copy),
        ];
        let ours = [&row.kernel_time, &row.resident, &row.end_to_end, &row.one_core, &row.all_cores];
        add(named.into(), ours.into_iter().chain(row.rivals.iter().map(|(_, figure)| figure)).collect());
    }
    text
}

fn of_figure(figure: &Figure) -> [String; 4] {
    match figure {
        Figure::Taken(samples) => of_samples(samples),
        Figure::Not(reason) => [String::new(), String::new(), String::new(), reason.clone()],
    }
}

fn of_samples(samples: &Samples) -> [String; 4] {
    [number(Some(samples.median())), number(Some(samples.spread())), samples.len().to_string(), String::new()]
}

fn number(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.6e}")).unwrap_or_default()
}

/// One line with its end.
fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| super::quoted::field(field)).collect();
    fields.join(",") + "\r\n"
}
