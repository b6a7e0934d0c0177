//! What is printed and written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::Failure;
use crate::agreement::Agreement;
use crate::args::Args;
use crate::generator::Done;
use crate::slope::Slope;
use crate::soak::Row;
use crate::tally::Times;

/// The share of P99 from which the generator's own lateness is remarked on, where it is more than what any timer is late.
const MUCH: f64 = 0.25;
const TIMER: Duration = Duration::from_millis(1);

/// All figures of one call of the program.
#[derive(Debug, Serialize)]
pub struct Report {
    url: String,
    connections: u16,
    pub steps: Vec<Step>,
    pub rows: Vec<Row>,
    /// In MiB an hour.
    pub memory: Option<Slope>,
    /// Requests a second.
    pub knee: Option<f64>,
    pub agreement: Option<Agreement>,
}

/// A run at one rate.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Requests a second that were due.
    pub rate: f64,
    /// Answers a second.
    pub reached: f64,
    pub requests: u64,
    pub errors: u64,
    pub endings: BTreeMap<String, u64>,
    pub p50_ms: Option<f64>,
    pub p90_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub p999_ms: Option<f64>,
    pub max_ms: Option<f64>,
    /// How late the generator was, where a connection was free.
    pub late_p99_ms: Option<f64>,
    /// Requests for which no connection was free.
    pub queued: u64,
    /// What the generator had of all cores, in microseconds a request.
    pub cpu_us: Option<f64>,
    pub held: Option<bool>,
}

impl Report {
    pub fn new(args: &Args) -> Self {
        Self {
            url: args.url.clone(),
            connections: args.connections,
            steps: Vec::new(),
            rows: Vec::new(),
            memory: None,
            knee: None,
            agreement: None,
        }
    }

    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?)
    }
}

impl Done {
    pub fn step(&self, rate: f64) -> Step {
        let Self { tally, span, cpu, .. } = self;
        let at = |q: f64| tally.latency.quantile(q).map(milliseconds);
        let requests = tally.requests();
        Step {
            rate,
            reached: tally.latency.len() as f64 / span.as_secs_f64(),
            requests,
            errors: tally.errors(),
            endings: tally.endings.iter().map(|(ending, count)| (ending.to_string(), *count)).collect(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: at(1.0),
            late_p99_ms: tally.late.quantile(0.99).map(milliseconds),
            queued: tally.queued.len(),
            cpu_us: cpu.map(|cpu| 1e6 * cpu.as_secs_f64() / requests.max(1) as f64),
            held: None,
        }
    }
}

/// A row for each rate.
pub fn steps(steps: &[Step]) -> Table {
    let mut table = table([
        "requests/s",
        "answers/s",
        "requests",
        "failed",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "sent late, p99 ms",
        "no connection free",
        "generator, us each",
        "held",
    ]);
    for step in steps {
        table.add_row([
            format!("{:.0}", step.rate),
            format!("{:.1}", step.reached),
            step.requests.to_string(),
            step.errors.to_string(),
            ms(step.p50_ms),
            ms(step.p90_ms),
            ms(step.p99_ms),
            ms(step.p999_ms),
            ms(step.max_ms),
            ms(step.late_p99_ms),
            step.queued.to_string(),
            step.cpu_us.map_or("-".to_owned(), |us| format!("{us:.0}")),
            step.held.map_or("-", |held| if held { "yes" } else { "no" }).to_owned(),
        ]);
    }
    table
}

/// What else there is to know of a run.
pub fn remarks(done: &Done) -> String {
    let Done { tally, outside, .. } = done;
    let at = |times: &Times, q: f64| ms(times.quantile(q).map(milliseconds));
    let mut text = format!(
        "Latencies count from when a request was due, and are of those that succeeded. Sent late where a connection was \
         free, the generator's own fault: median {} ms, P99 {}, at most {}.",
        at(&tally.late, 0.5),
        at(&tally.late, 0.99),
        at(&tally.late, 1.0),
    );
    let much = tally.latency.quantile(0.99).map_or(TIMER, |p99| p99.mul_f64(MUCH).max(TIMER));
    if tally.late.quantile(0.99).is_some_and(|late| late > much) {
        text += "\nThe generator itself fell behind: much of P99 is its own, and says little of the server.";
    }
    if tally.queued.len() > 0 {
        text += &format!(
            "\nRequests for which no connection was free: {}, sent late by {} ms at the median, {} at most.",
            tally.queued.len(),
            at(&tally.queued, 0.5),
            at(&tally.queued, 1.0),
        );
    }
    if tally.errors() > 0 {
        let failed = tally.endings.iter().filter(|(ending, _)| !ending.is_success());
        let each: Vec<String> = failed.map(|(ending, count)| format!("{ending}: {count}")).collect();
        text += &format!("\nFailed: {}.", each.join(", "));
    }
    if outside.len() > 0 {
        text += &format!(
            "\nA request for next to nothing, beside the load: median {} ms, P99 {}.",
            at(outside, 0.5),
            at(outside, 0.99)
        );
    }
    text
}

/// How the server's own histogram compares.
pub fn agreement(agreement: &Agreement) -> String {
    let mut table = table(["from sending to the last byte", "here ms", "server's bucket ms", "at most ms", "agrees"]);
    for quantile in &agreement.quantiles {
        let ms = |seconds: f64| format!("{:.3}", 1e3 * seconds);
        let or = |seconds: Option<f64>| seconds.map_or("any".to_owned(), ms);
        table.add_row([
            format!("p{}", 100.0 * quantile.q),
            ms(quantile.here),
            format!("{} to {}", ms(quantile.low), or(quantile.high)),
            or(quantile.most),
            if quantile.agrees { "yes" } else { "no" }.to_owned(),
        ]);
    }
    let counts = if agreement.counts_agree() { "as it should" } else { "which is not the same" };
    let verdict = if agreement.holds() { "agrees" } else { "does not agree" };
    format!(
        "{table}\nThe server's own histogram {verdict}. It counted {} requests, {counts}: {} were answered here{}.",
        agreement.there,
        agreement.here,
        if agreement.unanswered > 0 {
            format!(", {} sent and not answered", agreement.unanswered)
        } else {
            String::new()
        }
    )
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table.column_iter_mut().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// A time in milliseconds as it is printed.
pub fn ms(time: Option<f64>) -> String {
    time.map_or("-".to_owned(), |time| format!("{time:.2}"))
}

pub fn milliseconds(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}
