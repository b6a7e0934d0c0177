//! Beams and cycle objects, a million of each where nothing else is asked for, on the chosen device.
//!
//! Every beam is fused from three random channels, in one pass: digits, channel values, confidence, agreement and position.
//! Every object goes round the flow 1, 2, 4, 8, 7, 5, ever more slowly, for a minute in closed form and by ticks; it carries
//! the channels of a beam, which relax towards the anchors; then what meets at each position is counted and measured.
//!
//! Prints a summary and writes it as JSON, and draws where beams and objects are and what they carry. Numbers are compared
//! with f64 on a sample: the program fails if one of them is not what it should be.
//!
//! ```sh
//! cargo run --release --example vortex_beams -- --device gpu
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod beams;
mod cycles;
mod picture;
mod summary;
#[path = "../batch_fusion/whole_file.rs"]
mod whole_file;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use consilience::{Device, Engine, EngineOptions};

use self::summary::Summary;

/// What a program may fail with.
type Failure = Box<dyn Error>;

/// Beams and cycle objects on the chosen device.
#[derive(Debug, Parser)]
#[command(name = "vortex_beams")]
struct Args {
    /// Number of beams
    #[arg(long, default_value_t = 1_000_000)]
    beams: usize,
    /// Number of cycle objects
    #[arg(long, default_value_t = 1_000_000)]
    objects: usize,
    /// auto, cpu, gpu, or part of a GPU's name
    #[arg(long, default_value = "auto")]
    device: Device,
    /// What the random channels, places and velocities begin with
    #[arg(long, default_value_t = 369)]
    seed: u64,
    /// Folder of the picture and the summary
    #[arg(long, default_value = "target/vortex_beams")]
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
    if args.beams == 0 || args.objects == 0 {
        return Err("there is nothing to do without beams or without objects; give at least 1 of each".into());
    }
    let at = args.output.display();
    fs::create_dir_all(&args.output).map_err(|error| format!("{at}: {error}"))?;
    let engine = Engine::open(&EngineOptions { device: args.device.clone(), ..EngineOptions::default() })?;
    println!("{}\n", engine.describe());

    let fused = beams::fuse(&engine, args.beams, args.seed)?;
    let moved = cycles::go_round(&engine, args.objects, args.seed, &fused.label_mean)?;
    let summary = Summary::of(&fused, &moved);
    println!("{summary}");

    whole_file::write(&args.output.join("summary.json"), |mut file| {
        serde_json::to_writer_pretty(file, &summary)?;
        Ok(file.write_all(b"\n")?)
    })?;
    picture::draw(&args.output.join("positions.svg"), &summary)?;
    println!("Written: {at}/summary.json and {at}/positions.svg");
    Ok(())
}
