//! Finds who is right when sources disagree and nobody knows the answer.
//!
//! Without arguments: simulates 100,000 annotations of which the truth is known, lets every method find it, and prints how near
//! each came, how likely it makes the annotations, and whether its probabilities mean what they say; draws the sources, how good
//! each was found to be over how much it said.
//!
//! ```sh
//! cargo run --release --example truth_inference
//! cargo run --release --example truth_inference -- --labels labels.csv --truth truth.csv --output answers.parquet
//! cargo run --release --example truth_inference -- --annotations 100000000 --method dawid_skene
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod args;
mod files;
#[path = "../stream_fusion/machine.rs"]
#[expect(dead_code, reason = "here nobody asks for cores and their time")]
mod machine;
mod plot;
#[path = "../../src/methods/random.rs"]
mod random;
mod report;
mod row;
mod score;
#[path = "../../benches/simulation.rs"]
mod simulation;
mod summary;
mod task;
#[path = "../batch_fusion/whole_file.rs"]
mod whole_file;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use consilience::truth::Method;
use consilience::{Engine, EngineOptions};

use self::args::Args;
use self::row::Row;
use self::task::{Data, Task};

/// What a program may fail with.
type Failure = Box<dyn Error>;

const DIRECTORY: &str = "target/truth_inference";

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
    let options = EngineOptions { device: args.device.clone(), threads: args.threads, ..EngineOptions::default() };
    let engine = Engine::open(&options)?;
    println!("{}", engine.describe());
    let methods = args.methods()?;
    let task = Task::of(args)?;
    println!("{}\n", report::task(&task));

    // Of several methods the default one answers, or else the first.
    let answering = methods.iter().position(|method| *method == Method::default()).unwrap_or_default();
    let mut rows = Vec::with_capacity(methods.len());
    for (place, method) in methods.iter().enumerate() {
        let (row, fit) = Row::of(&engine, &task, method)?;
        rows.push(row);
        if place == answering {
            if let (Some(path), Data::Named(named)) = (&args.output, &task.data) {
                named.write_posterior(path, fit.posterior())?;
                named.write_skill(files::beside(path, "skill"), fit.skill())?;
            }
            std::fs::create_dir_all(DIRECTORY).map_err(|error| format!("{DIRECTORY}: {error}"))?;
            plot::sources(&args.picture(), method, &fit, &task)?;
        }
    }
    println!("{}", report::table(&rows));
    println!("{}", report::notes(&task, &methods[answering], args));
    if let Some(path) = &args.json {
        summary::write(path, &engine, &task, &rows)?;
    }
    if args.labels.is_none() {
        score::check_default(&task, &rows)?;
    }
    Ok(())
}
