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
mod calibrate;
mod contest;
mod digits;
mod evaluation;
mod learned;
mod models;
mod plots;
#[path = "../../src/methods/random.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod random;
mod report;
mod summary;
mod synthesis;
mod task;
mod whole_file;

use std::error::Error;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use consilience::Engine;
use consilience::arrow::EvidenceReader;
use consilience::learning::State;

use self::args::{Args, Mode};
use self::calibrate::Calibration;
use self::learned::Learned;
use self::task::Task;

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
        Mode::File { input, output } => file(args, input, output),
    }
}

/// One file into another.
fn file(args: &Args, input: &Path, output: &Path) -> Result<(), Failure> {
    let engine = Engine::open(&args.engine_options())?;
    let reader = EvidenceReader::open(input, &args.evidence())?;
    let (sources, classes) = (reader.sources().to_vec(), reader.classes());
    drop(reader);
    let mut learned = match &args.learn {
        Some(path) => Learned::of_file(path, &sources)?,
        None => None,
    };
    if args.learn.is_some() && learned.is_none() && args.labels.is_none() {
        return Err("--learn: there is no such file yet, and without --labels nothing to learn from".into());
    }
    let mut job = args.job(input, output, learned.as_ref())?;
    let calibration = match &args.calibrate {
        Some(path) => Some(Calibration::fit(&engine, &job, path)?),
        None => None,
    };
    if let Some(calibration) = &calibration {
        job.fusion = calibration.apply(job.fusion);
    }
    if args.learn.is_some() && args.labels.is_some() && learned.is_none() {
        learned = Some(Learned::new(&sources, classes)?);
    }
    let task = Task {
        job,
        labels: args.labels.as_deref(),
        except: calibration.as_ref().map(|calibration| &calibration.labels),
        progress: std::io::stderr().is_terminal(),
    };
    let done = task.run(&engine, learned.as_mut())?;
    print!("{}", report::of_file(&engine, &task.job, &done));
    if let Some(calibration) = &calibration {
        println!("{}", report::temperatures(&sources, &calibration.sources, &calibration.pool));
    }
    if let (Some(path), Some(learned)) = (&args.learn, &learned) {
        println!("{}", report::learned(learned));
        if args.labels.is_some() {
            learned.save(path)?;
        }
    }
    match &args.json {
        Some(path) => summary::write(path, &engine, &task.job, &done),
        None => Ok(()),
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
