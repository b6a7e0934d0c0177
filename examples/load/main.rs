//! A load for the server, at a rate that does not depend on how the server keeps up.
//!
//! ```sh
//! cargo run --release --example load -- --rate 1200 --seconds 60 --check
//! cargo run --release --example load -- --knee
//! cargo run --release --example load -- --soak --rate 1200 --seconds 600 --interval 10
//! ```
//!
//! A request has a time at which it should be sent, and its latency counts from then, whether a connection was free or not:
//! a server that stalls for a second at 100 requests/s has delayed 100 requests, not one. A generator that waits for an
//! answer before it asks again would leave 99 of them out ("coordinated omission").
//!
//! There is a thread for each connection, which sleeps until the next request is due, sends it and waits for its answer.
//! Threads rather than tasks, for tokio's timers tick once a millisecond: too coarse where a whole request takes less.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod agreement;
mod args;
mod connection;
mod exposition;
mod generator;
mod knee;
#[path = "../stream_fusion/machine.rs"]
#[expect(dead_code, reason = "the most memory is asked of the server, not of this process")]
mod machine;
#[path = "../../src/methods/random.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod random;
mod report;
mod schedule;
mod slope;
mod soak;
mod tally;
mod target;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use self::args::Args;
use self::generator::Generator;
use self::report::Report;

/// What a program may fail with.
type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let mut generator = Generator::new(args)?;
    generator.knock()?;
    let mut report = Report::new(args);
    let outcome = match (args.knee, args.soak) {
        (true, _) => knee::find(args, &mut generator, &mut report),
        (_, true) => soak::soak(args, &mut generator, &mut report),
        _ => once(args, &mut generator, &mut report),
    };
    // What was measured before something failed is worth having.
    if let Some(path) = &args.json {
        report.write(path)?;
    }
    outcome
}

/// One rate.
fn once(args: &Args, generator: &mut Generator, report: &mut Report) -> Result<(), Failure> {
    generator.run(args.rate, args.warm_up())?;
    let before = generator.scrape();
    let done = generator.run(args.rate, args.length())?;
    println!("{}", report::steps(&[done.step(args.rate)]));
    println!("{}", report::remarks(&done));
    report.steps.push(done.step(args.rate));
    let compared = generator.compare(before, &done);
    match &compared {
        Ok(agreement) => println!("{}", report::agreement(agreement)),
        Err(why) => println!("Not compared with the server's own histogram: {why}"),
    }
    let agreed = compared.as_ref().is_ok_and(agreement::Agreement::holds);
    report.agreement = compared.ok();
    done.within(args.most_errors)?;
    if args.check && !agreed {
        return Err("the server's own histogram does not agree with what was measured here".into());
    }
    Ok(())
}
