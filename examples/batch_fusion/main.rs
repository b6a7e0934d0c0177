//! Fuses files of evidence into files of answers.
//!
//! Without arguments: trains classifiers on handwritten digits, writes what they say of unseen ones to a Parquet file,
//! fuses that file by every rule and scores sources and rules against the truth.
//!
//! ```sh
//! cargo run --release --example batch_fusion
//! cargo run --release --example batch_fusion -- --input evidence.parquet --output fused.parquet --labels labels.parquet
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod args;
mod digits;
mod evaluation;
mod models;
mod plots;
mod random;
mod report;
mod score;
mod summary;
mod synthesis;
mod task;
mod whole_file;

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use consilience::Engine;

use self::args::{Args, Mode};

/// What a program may fail with.
type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    match args.mode()? {
        Mode::Digits => evaluation::run(&Engine::open(&args.engine_options())?),
        Mode::Synthesise { shape, output } => {
            let bytes = synthesis::write(output, shape, args.seed)?;
            println!("{}: {shape}, {:.1} MB", output.display(), bytes as f64 / 1e6);
            Ok(())
        }
        Mode::File { input, output } => {
            let engine = Engine::open(&args.engine_options())?;
            let task = task::Task {
                job: args.job(input, output),
                labels: args.labels.as_deref(),
                progress: std::io::stderr().is_terminal(),
            };
            let done = task.run(&engine)?;
            print!("{}", report::of_file(&engine, &task.job, &done));
            match &args.json {
                Some(path) => summary::write(path, &engine, &task.job, &done),
                None => Ok(()),
            }
        }
    }
}

/// The error and its causes; a cause that the error before it quotes is not said again.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text += &format!("\n  because: {said}");
        }
        cause = error.source();
    }
    text
}
