//! A long run, and what became of the server's memory.

use std::time::Duration;

use serde::Serialize;

use crate::Failure;
use crate::args::Args;
use crate::exposition::Exposition;
use crate::generator::Generator;
use crate::report::{self, Report, milliseconds};
use crate::slope::Slope;
use crate::tally::Tally;

const MIB: f64 = (1 << 20) as f64;
const HOUR: f64 = 3600.0;

/// One interval.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// When it ended.
    pub at_s: f64,
    /// Answers a second.
    pub reached: f64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub errors: u64,
    /// What the server had in memory at its end; `None` where it does not say.
    pub resident_bytes: Option<f64>,
}

/// A long run at one rate, a row for every interval.
pub fn soak(args: &Args, generator: &mut Generator, report: &mut Report) -> Result<(), Failure> {
    generator.run(args.rate, args.warm_up())?;
    let before = generator.scrape();
    println!("|      s | answers/s | p50 ms | p99 ms | max ms | failed | server's memory, MiB |");
    println!("|-------:|----------:|-------:|-------:|-------:|-------:|---------------------:|");
    let mut from = Duration::ZERO;
    let done = generator.run_and_tell(args.rate, args.length(), args.interval(), |end, tally, exposition| {
        let row = Row::of(from, end, tally, exposition.ok().as_ref());
        from = end;
        println!("{}", row.line());
        report.rows.push(row);
        Ok(())
    })?;
    println!("\n{}", report::steps(&[done.step(args.rate)]));
    println!("{}", report::remarks(&done));
    report.steps.push(done.step(args.rate));
    report.memory = Slope::through(&memory(&report.rows));
    match &report.memory {
        Some(slope) => println!("{}", growth(slope, args.length().as_secs_f64())),
        None => println!("Whether the server's memory grew is not known: it was read less than five times."),
    }
    let compared = generator.compare(before, &done);
    match &compared {
        Ok(agreement) => println!("\n{}", report::agreement(agreement)),
        Err(why) => println!("Not compared with the server's own histogram: {why}"),
    }
    let agreed = compared.as_ref().is_ok_and(|agreement| agreement.holds());
    report.agreement = compared.ok();
    done.within(args.most_errors)?;
    match (args.most_growth, &report.memory) {
        (Some(most), Some(slope)) if slope.low > most => {
            return Err(format!("the server's memory grows by more than {most} MiB an hour").into());
        }
        (Some(_), None) => return Err("whether the server's memory grew is not known".into()),
        _ => {}
    }
    if args.check && !agreed {
        return Err("the server's own histogram does not agree with what was measured here".into());
    }
    Ok(())
}

/// In MiB, over hours.
fn memory(rows: &[Row]) -> Vec<(f64, f64)> {
    rows.iter().filter_map(|row| Some((row.at_s / HOUR, row.resident_bytes? / MIB))).collect()
}

fn growth(slope: &Slope, seconds: f64) -> String {
    let Slope { slope, low, high, correlation } = slope;
    let verdict = if *low > 0.0 {
        "it grew"
    } else if *high < 0.0 {
        "it shrank"
    } else {
        "no growth that can be told from chance"
    };
    format!(
        "The server's memory: {verdict}; {slope:+.1} MiB an hour, 95 % interval {low:+.1} to {high:+.1} (neighbours hang \
         together by {correlation:.2}), {:+.1} MiB in this run",
        slope * seconds / HOUR
    )
}

impl Row {
    fn of(from: Duration, end: Duration, tally: &Tally, exposition: Option<&Exposition>) -> Self {
        let at = |q: f64| tally.latency.quantile(q).map(milliseconds);
        Self {
            at_s: end.as_secs_f64(),
            reached: tally.latency.len() as f64 / end.saturating_sub(from).as_secs_f64().max(f64::MIN_POSITIVE),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
            errors: tally.errors(),
            resident_bytes: exposition.and_then(|e| e.value("process_resident_memory_bytes")),
        }
    }

    fn line(&self) -> String {
        let Self { at_s, reached, p50_ms, p99_ms, max_ms, errors, resident_bytes } = self;
        let [p50_ms, p99_ms, max_ms] = [p50_ms, p99_ms, max_ms].map(|time| report::ms(*time));
        let memory = resident_bytes.map_or("-".to_owned(), |bytes| format!("{:.1}", bytes / MIB));
        format!(
            "| {at_s:>6.0} | {reached:>9.1} | {p50_ms:>6} | {p99_ms:>6} | {max_ms:>6} | {errors:>6} | {memory:>20} |"
        )
    }
}
