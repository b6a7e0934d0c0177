//! An occupancy grid from simulated range scans.
//!
//! Two scanners, a precise one and a coarse one, stand in turn at random places of a made-up building: rooms, doors and
//! pillars. Their echoes are noisy, some come from nothing, some never come. Each scan says of every cell within its reach
//! whether it was hit or looked through, once; how often that happened is counted, and the counts of both scanners are fused
//! into the probability that a cell is occupied, in one pass on the device.
//!
//! Draws the map beside the estimate, and ends with the log loss against the map over the cells that were observed. Fails
//! when that is not well below what knowing nothing costs, or when a hundredth of the cells, summed in f64, differs from
//! what the device says.
//!
//! ```sh
//! cargo run --release --example bayes_grid
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod args;
mod map;
mod picture;
#[path = "../../src/methods/random.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod random;
mod scanner;
mod score;
mod survey;
#[path = "../batch_fusion/whole_file.rs"]
mod whole_file;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use consilience::bayes::{CellEvidence, LogOddsGrid};
use consilience::{Engine, EngineOptions};
use serde_json::json;

use self::args::Args;
use self::map::Map;
use self::score::Score;

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
    let directory = &args.output;
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let engine = Engine::open(&EngineOptions { device: args.device.clone(), ..EngineOptions::default() })?;
    println!("{}", engine.describe());

    let map = Map::random(args.size(), args.seed);
    let begin = Instant::now();
    let planes = survey::counts(&map, args.scans(), args.seed);
    let scanned = begin.elapsed().as_secs_f64();
    println!("{0} x {0} cells, {1} scans simulated in {scanned:.1} s", args.size(), args.scans());

    let evidence: Vec<CellEvidence<'_>> = planes
        .iter()
        .zip(&scanner::ALL)
        .map(|(counts, scanner)| CellEvidence::Counts { counts, model: scanner.model })
        .collect();
    let mut grid = LogOddsGrid::new(map.cells()).with_limits(-score::LIMIT, score::LIMIT)?;
    let timing = grid.update(&engine, &evidence)?;
    let probabilities = grid.probabilities(&engine)?;
    let seconds = timing.total.as_secs_f64();
    println!("fused in {:.1} ms: {:.0} million cells a second", 1e3 * seconds, 1e-6 * map.cells() as f64 / seconds);

    score::against_sums(&planes, &grid, &probabilities)?;
    let score = Score::of(&map, &planes, &grid);
    picture::draw(&directory.join("map_and_estimate.png"), &map, &probabilities)?;
    let summary = json!({
        "size": args.size(),
        "scans": args.scans(),
        "observed": score.observed,
        "log_loss": score.log_loss,
        "log_loss_of_the_prior": std::f64::consts::LN_2,
        "accuracy": score.accuracy,
    });
    let path = directory.join("summary.json");
    whole_file::write(&path, |mut file| Ok(writeln!(file, "{summary:#}")?))?;
    println!("{score}");
    println!("{}: map_and_estimate.png, summary.json", directory.display());
    score.check()
}
