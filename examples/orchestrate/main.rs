//! Classifiers of handwritten digits as live sources: slow, faulty, asked at once, stopped early, routed, learned from.
//!
//! ```sh
//! cargo run --release --example orchestrate
//! ```
//!
//! The classifiers are real and see real pictures. How long they take and how they fail is drawn from a seed, on a clock
//! that is simulated: the same on every machine, and over in seconds. `--watch` shows the first requests on the real clock,
//! in a terminal.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

#[path = "../batch_fusion/digits.rs"]
#[expect(dead_code, reason = "places in the data set are for files")]
mod digits;
mod live;
#[path = "../batch_fusion/models.rs"]
#[expect(dead_code, reason = "nothing is calibrated here")]
mod models;
#[path = "../../src/methods/random.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod random;
mod routes;
mod stops;
mod view;
mod watch;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use consilience::Engine;
use tokio::runtime::Builder;

use self::digits::Digits;
use self::live::Live;

/// What a program may fail with.
type Failure = Box<dyn Error>;

/// Classifiers of handwritten digits as live sources.
#[derive(Debug, Parser)]
struct Args {
    /// What latencies, faults, forests and bandits are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests whose events are shown one by one.
    #[arg(long, default_value_t = 3)]
    show: usize,
    /// Shows them as they happen, on the real clock; needs a terminal.
    #[arg(long)]
    watch: bool,
}

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
    let digits = Digits::split(args.seed);
    let mut models = models::train(&digits, args.seed)?;
    for model in &models {
        println!("{}: {}", model.name, model.made);
    }
    println!();
    let live = Arc::new(Live::new(&models, &digits, args.seed));
    // Three more forests, for the case of eight.
    for seed in 1..=3 {
        let forests = models::train(&digits, args.seed + seed)?;
        models.extend(forests.into_iter().filter(|source| source.name == "forest"));
    }
    let eight = Arc::new(Live::new(&models, &digits, args.seed));
    let engine = Arc::new(Engine::cpu()?);
    if args.watch {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(watch::watch(&engine, &live, args.show))?;
    }
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        if !args.watch {
            view::show(&engine, &live, args.show).await?;
        }
        stops::compare(&engine, &live, &eight).await?;
        routes::compare(&engine, &live, &digits).await
    })
}
