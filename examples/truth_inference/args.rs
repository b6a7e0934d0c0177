//! The command line.

use std::path::{Path, PathBuf};

use clap::Parser;
use consilience::Device;
use consilience::truth::Method;

use crate::{DIRECTORY, Failure};

/// Finds who is right when sources disagree and nobody knows the answer.
///
/// Without arguments: simulates annotations of which the truth is known.
#[derive(Debug, Parser)]
#[command(name = "truth_inference")]
pub struct Args {
    /// Annotations: a .parquet or .csv file with columns of items, sources (or workers) and labels
    #[arg(long)]
    pub labels: Option<PathBuf>,
    /// What is true of items: a file of items and labels (or truths)
    #[arg(long, requires = "labels")]
    pub truth: Option<PathBuf>,
    /// A method by its name, or all
    #[arg(long, default_value = "all")]
    method: String,
    /// Posteriors: a .parquet or .csv file; the skill of each source is written beside it, as NAME.skill.ENDING
    #[arg(long, requires = "labels", value_name = "ANSWERS")]
    pub output: Option<PathBuf>,
    /// Write a machine-readable summary here
    #[arg(long, value_name = "SUMMARY")]
    pub json: Option<PathBuf>,
    /// Part of the truth that the methods are told; what they are told is not scored
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0)]
    pub gold: f64,
    /// The classes, in order [default: the labels that occur, sorted]
    #[arg(long, requires = "labels", value_delimiter = ',', value_name = "LIST")]
    pub classes: Option<Vec<String>>,
    /// Labels that say that a source abstained; an empty label says so, too
    #[arg(long, requires = "labels", value_delimiter = ',', value_name = "LIST", allow_hyphen_values = true)]
    pub abstained: Vec<String>,
    /// auto, cpu, gpu, or part of a GPU's name
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Threads of the CPU engine [default: one per core]
    #[arg(long)]
    pub threads: Option<usize>,
    /// Annotations to simulate
    #[arg(long, conflicts_with = "labels", default_value_t = 100_000)]
    pub annotations: u32,
    /// Sources to simulate [default: one for 200 annotations]
    #[arg(long, conflicts_with = "labels")]
    pub sources: Option<u32>,
    /// Write what is simulated here, and what is true of it beside it, as NAME.truth.ENDING: .parquet or .csv
    #[arg(long, conflicts_with = "labels", value_name = "LABELS")]
    pub write: Option<PathBuf>,
    /// Seed of what is simulated, and of who is told the truth
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
}

impl Args {
    pub fn methods(&self) -> Result<Vec<Method>, Failure> {
        if self.method == "all" {
            return Ok(Method::all().collect());
        }
        Ok(vec![self.method.parse()?])
    }

    /// Where the sources are drawn.
    pub fn picture(&self) -> PathBuf {
        Path::new(DIRECTORY).join("sources.svg")
    }
}
