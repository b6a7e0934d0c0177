//! What is printed.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use consilience::orchestration::cache::LevelStats;
use consilience::orchestration::history::Recommendation;
use consilience::orchestration::hybrid::Told;
use consilience::orchestration::selector::{Arm, Context, Held, Work};
use consilience::orchestration::{Cost, Dependencies, Selector};

use crate::replay::{Replayed, Replied};
use crate::workload::Kind;

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn ms(time: Duration) -> String {
    format!("{:.1}", 1e3 * time.as_secs_f64())
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1}", 100.0 * part as f64 / whole.max(1) as f64)
}

fn mean<'a>(replies: impl Iterator<Item = &'a Replied>) -> Option<Duration> {
    let (sum, n) = replies.fold((Duration::ZERO, 0), |(sum, n), reply| (sum + reply.latency, n + 1));
    (n > 0).then(|| sum / n)
}

/// How long requests took, and how many tickets were answered.
pub fn latencies(all: &[Replayed]) -> Table {
    let mut table = table([
        "latency in ms",
        "mean",
        "median",
        "p95",
        "p99",
        "new",
        "repeat",
        "burst",
        "export",
        "export again",
        "calls",
        "cost",
        "whole %",
        "right %",
    ]);
    for replayed in all {
        let mut sorted: Vec<Duration> = replayed.replies.iter().map(|reply| reply.latency).collect();
        sorted.sort_unstable();
        let at = |q: f64| sorted.get(((sorted.len() - 1) as f64 * q).round() as usize).copied().unwrap_or_default();
        let sum = |of: fn(&Replied) -> usize| replayed.replies.iter().map(of).sum::<usize>();
        let cost: Cost = replayed.replies.iter().map(|reply| reply.cost).sum();
        let mut row = vec![replayed.strategy.name().to_owned(), ms(replayed.mean())];
        row.extend([0.5, 0.95, 0.99].map(|q| ms(at(q))));
        row.extend(
            Kind::ALL.map(|kind| {
                mean(replayed.replies.iter().filter(|reply| reply.kind == kind)).map_or("-".to_owned(), ms)
            }),
        );
        let tickets = sum(|reply| reply.tickets);
        row.extend([
            cost.calls.to_string(),
            format!("{:.2}", 1e-6 * cost.micros as f64),
            percent(sum(|reply| reply.whole), tickets),
            percent(sum(|reply| reply.right), sum(|reply| reply.answered)),
        ]);
        table.add_row(row);
    }
    table
}

/// How many requests each arm was taken for.
pub fn taken(all: &[Replayed]) -> Table {
    let mut table = table(["requests", "cache", "sequential", "parallel", "accelerator", "cluster", "no answer"]);
    for replayed in all {
        let count = |arm: Option<Arm>| replayed.replies.iter().filter(|reply| reply.arm == arm).count().to_string();
        let arms = Arm::ALL.into_iter().map(Some).chain([None]).map(count);
        table.add_row([replayed.strategy.name().to_owned()].into_iter().chain(arms));
    }
    table
}

/// What the caches did.
pub fn caches(all: &[Replayed]) -> Table {
    let mut table = table([
        "cache",
        "opinions looked up",
        "hits %",
        "joined",
        "expired",
        "entries",
        "KiB",
        "saved, calls",
        "saved, s",
        "answers looked up",
        "hits %",
    ]);
    let hits = |level: &LevelStats| level.hit_rate().map_or("-".to_owned(), |rate| format!("{:.1}", 100.0 * rate));
    for replayed in all {
        let (opinions, answers) = (&replayed.told.cache.opinions, &replayed.told.cache.posteriors);
        table.add_row([
            replayed.strategy.name().to_owned(),
            opinions.lookups().to_string(),
            hits(opinions),
            opinions.joined.to_string(),
            opinions.expired.to_string(),
            opinions.entries.to_string(),
            format!("{:.0}", opinions.bytes as f64 / 1024.0),
            opinions.saved.calls.to_string(),
            format!("{:.0}", opinions.saved_latency.as_secs_f64()),
            answers.lookups().to_string(),
            hits(answers),
        ]);
    }
    table
}

/// Per context how long each arm takes, and of how many rewards that is remembered.
pub fn learned(selector: &Selector) -> Table {
    let mut table =
        table(["what is missing", "held", "batch", "lane", "sequential", "parallel", "accelerator", "cluster"]);
    for work in [Work::Unknown, Work::Little, Work::Some, Work::Much] {
        for held in [Held::Nothing, Held::Part, Held::Most] {
            for (batch, busy) in [(false, false), (false, true), (true, false), (true, true)] {
                let context = Context { work, held, batch, busy };
                let cell = |arm: Arm| {
                    let rewards = selector.rewards(context, arm);
                    let estimate = selector.estimate(context, arm).filter(|_| rewards > 0.0);
                    estimate.map_or("-".to_owned(), |estimate| format!("{} ({rewards:.0})", ms(estimate.median)))
                };
                let cells: Vec<String> = Arm::ALL[1..].iter().map(|&arm| cell(arm)).collect();
                if cells.iter().all(|cell| cell == "-") {
                    continue;
                }
                let work = match work {
                    Work::Unknown => "unknown",
                    Work::Little => "up to 50 ms",
                    Work::Some => "up to 500 ms",
                    Work::Much => "more",
                };
                let held = match held {
                    Held::Nothing => "nothing",
                    Held::Part => "some",
                    Held::Most => "most",
                };
                let head = [work, held, if batch { "yes" } else { "no" }, if busy { "busy" } else { "free" }]
                    .map(str::to_owned);
                table.add_row(head.into_iter().chain(cells));
            }
        }
    }
    table
}

/// How each arm did.
pub fn arms(told: &Told) -> Table {
    let mut table = table(["arm", "requests", "led to an answer %", "mean ms", "right %", "against one after another"]);
    for effect in &told.history.arms {
        let against = effect.against.map_or("-".to_owned(), |against| {
            format!("{:.2} [{:.2}, {:.2}]", against.ratio, against.interval[0], against.interval[1])
        });
        table.add_row([
            effect.arm.name().to_owned(),
            effect.success.of.to_string(),
            format!("{:.1}", 100.0 * effect.success.share),
            ms(effect.latency),
            effect.correctness.map_or("-".to_owned(), |right| format!("{:.1}", 100.0 * right)),
            against,
        ]);
    }
    table
}

/// What pairs of sources have to do with each other.
pub fn pairs(dependencies: &Dependencies) -> Table {
    let mut table = table(["sources", "needed together %", "work over wall time", "phi of errors"]);
    let names: Vec<&str> = dependencies.sources().collect();
    for (n, a) in names.iter().enumerate() {
        for b in &names[n + 1..] {
            let or_dash = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
            table.add_row([
                format!("{a}, {b}"),
                or_dash(dependencies.demand(a, b).map(|demand| format!("{:.1}", 100.0 * demand.share))),
                or_dash(dependencies.pair_benefit(a, b).map(|benefit| format!("{:.2}", benefit.ratio))),
                or_dash(dependencies.correlation(a, b).map(|correlation| format!("{:.2}", correlation.phi))),
            ]);
        }
    }
    table
}

/// How good estimates are, and what is recommended.
pub fn diagnosis(told: &Told) -> String {
    let mut text = String::new();
    if let Some(quality) = told.history.quality {
        text += &format!("\nlatencies are {:.2} times the median that was estimated", quality.bias.exp());
        if let Some(coverage) = quality.coverage {
            text += &format!("; {:.1} % of them are in the interval for 90 %", 100.0 * coverage.share);
        }
    }
    if let Some(trend) = told.history.trend {
        text += &format!("; trend z = {:.1}, p = {:.2}", trend.z, trend.p);
    }
    let class = |number: u32| told.classes.get(number as usize).map_or("others", |name| &**name);
    for recommendation in &told.history.recommendations {
        text += "\nrecommended: ";
        text += &match recommendation {
            Recommendation::LongerLifetime { class: number, expired } => {
                format!(
                    "keep opinions longer; of \"{}\" {:.0} % of misses had been held",
                    class(*number),
                    100.0 * expired.share
                )
            }
            Recommendation::NeverBetter { arm, against } => {
                format!("take {} no more; it takes {:.2} times as long", arm.name(), against.ratio)
            }
            Recommendation::Unreliable { arm, success } => {
                format!("see why {} fails; it answers {:.0} %", arm.name(), 100.0 * success.share)
            }
            Recommendation::BiasedEstimates { factor, .. } => format!("multiply estimates by {factor:.2}"),
            Recommendation::WiderIntervals { coverage } => {
                format!("estimate wider intervals; {:.0} % are in them", 100.0 * coverage.share)
            }
            Recommendation::NarrowerIntervals { coverage } => {
                format!("estimate narrower intervals; {:.0} % are in them", 100.0 * coverage.share)
            }
            Recommendation::Slower { trend } => format!("see what became slower (z = {:.1})", trend.z),
            Recommendation::Redundant { pair } => {
                format!(
                    "ask one of {} and {}, which err together (phi {:.2})",
                    pair.source, pair.beside, pair.correlation.phi
                )
            }
            other => format!("{other:?}"),
        };
    }
    text
}
