//! Tickets of a help desk answered through a hybrid executor: a recorded workload, replayed under each fixed way to carry
//! requests out and under the selector that learns which way is the quickest.
//!
//! ```sh
//! cargo run --release --example hybrid
//! ```
//!
//! Sources, accelerator and cluster are simulated, and so is the clock: an hour is over in seconds, and comes out
//! the same on every machine. What the executor itself takes is measured on the real clock at the end. `--trace` replays
//! a workload of your own.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod plot;
mod real;
mod replay;
mod report;
mod strategy;
#[path = "../batch_fusion/whole_file.rs"]
mod whole_file;
mod workload;
mod world;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use self::replay::{Replayed, replay};
use self::strategy::Strategy;

/// What a program may fail with.
type Failure = Box<dyn Error>;

/// A recorded workload under each way to carry requests out.
#[derive(Debug, Parser)]
struct Args {
    /// What the workload, the sources and the selector's bandit are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests of the workload.
    #[arg(long, default_value_t = 3000)]
    requests: usize,
    /// A workload recorded before, as JSON lines, instead of one that is drawn.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// The folder for the workload and the picture.
    #[arg(long, default_value = "target/hybrid")]
    output: PathBuf,
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
    let trace = match &args.trace {
        Some(path) => workload::read(path)?,
        None => workload::draw(args.seed, args.requests),
    };
    std::fs::create_dir_all(&args.output)?;
    workload::write(&args.output.join("trace.jsonl"), &trace)?;
    println!("{}\n", workload::summary(&trace));

    let mut all = Vec::new();
    for strategy in Strategy::ALL {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
        all.push(runtime.block_on(replay(strategy, &trace, args.seed))?);
    }
    println!("{}\n", report::latencies(&all));
    println!("{}\n", report::taken(&all));
    println!("{}\n", report::caches(&all));
    let learned =
        all.iter().find(|replayed| replayed.strategy == Strategy::Learned).ok_or("the selector did not run")?;
    println!("what the selector learned: for each kind of request the median latency of each arm, in ms");
    println!("{}\n", report::learned(&learned.selector));
    println!("its arms, and how long they take against one after another on requests of the same class");
    println!("{}\n", report::arms(&learned.told));
    println!("sources asked together");
    println!("{}", report::pairs(&learned.dependencies));
    println!("{}\n", report::diagnosis(&learned.told));
    let path = args.output.join("latency.svg");
    plot::latencies(&path, &all, &trace)?;

    let runtime = Builder::new_current_thread().enable_time().build()?;
    let real = runtime.block_on(real::measure(args.seed))?;
    println!("{real}");
    println!("\nThe workload and the picture are in {}", args.output.display());
    check(&all, learned)
}

/// What the program exists to show must have come out.
fn check(all: &[Replayed], learned: &Replayed) -> Result<(), Failure> {
    let fixed = all.iter().filter(|replayed| replayed.strategy != Strategy::Learned);
    let best = fixed.min_by_key(|replayed| replayed.mean()).ok_or("no fixed strategy ran")?;
    let (ours, theirs) = (learned.mean().as_secs_f64(), best.mean().as_secs_f64());
    println!(
        "The selector's mean latency is {:.1} % of that of the best fixed strategy ({})",
        100.0 * ours / theirs,
        best.strategy.name()
    );
    if ours < theirs { Ok(()) } else { Err("a fixed strategy was quicker than the selector".into()) }
}
