//! The highest rate that holds.

use crate::Failure;
use crate::args::Args;
use crate::generator::Generator;
use crate::report::{self, Report};

/// A rate that held is followed by one so many times as high.
const STEP: f64 = 1.5;
/// The search ends where a rate that held and one that did not are this close, as a ratio.
const CLOSE: f64 = 1.05;
/// The rate that holds in the end is run so many times as long.
const CONFIRMED: u32 = 3;
/// Below so many requests a second none is sought.
const LEAST: f64 = 1.0;

/// Raises the rate until it does not hold, and states the highest that did.
pub fn find(args: &Args, generator: &mut Generator, report: &mut Report) -> Result<(), Failure> {
    println!("A rate holds where P99 is at most {} ms and at most {} requests fail.", args.p99, args.most_errors);
    let mut failed = None;
    let highest = search(args.rate, |rate, confirm| {
        generator.run(rate, args.warm_up())?;
        let done = generator.run(rate, args.length() * if confirm { CONFIRMED } else { 1 })?;
        let mut step = done.step(rate);
        let held = step.p99_ms.is_some_and(|p99| p99 <= args.p99) && step.errors <= args.most_errors;
        step.held = Some(held);
        println!(
            "{rate:.0} a second{}: {} (P99 {} ms, {} failed of {})",
            if confirm { ", to confirm it" } else { "" },
            if held { "held" } else { "did not hold" },
            report::ms(step.p99_ms),
            step.errors,
            step.requests
        );
        if !held {
            failed = Some(done);
        }
        report.steps.push(step);
        Ok(held)
    })?;
    println!("\n{}", report::steps(&report.steps));
    if let Some(done) = &failed {
        println!("{}", report::remarks(done));
    }
    report.knee = highest;
    match highest {
        Some(rate) => {
            println!("The highest rate that held, and held again for {CONFIRMED} times as long: {rate:.0} requests/s");
            Ok(())
        }
        None => Err("no rate held".into()),
    }
}

/// The highest rate for which `holds`, to within [`CLOSE`]; `None` where none did. A rate has failed when it failed twice,
/// for a machine may be busy with something else once. The last is asked about once more, to confirm it; where that fails,
/// a lower one is.
pub fn search(first: f64, mut holds: impl FnMut(f64, bool) -> Result<bool, Failure>) -> Result<Option<f64>, Failure> {
    let mut twice = |rate, confirm| Ok::<bool, Failure>(holds(rate, confirm)? || holds(rate, confirm)?);
    let (mut low, mut high) = (first, first);
    if twice(first, false)? {
        loop {
            high = low * STEP;
            if !twice(high, false)? {
                break;
            }
            low = high;
        }
    } else {
        loop {
            low = high / STEP;
            if low < LEAST {
                return Ok(None);
            }
            if twice(low, false)? {
                break;
            }
            high = low;
        }
    }
    while high / low > CLOSE {
        let middle = (low * high).sqrt();
        if twice(middle, false)? { low = middle } else { high = middle }
    }
    while low >= LEAST {
        if twice(low, true)? {
            return Ok(Some(low));
        }
        low /= CLOSE;
    }
    Ok(None)
}
