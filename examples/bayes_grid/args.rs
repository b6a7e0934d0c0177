//! The command line.

use std::path::PathBuf;

use clap::Parser;
use consilience::Device;

/// Fuses simulated range scans into an occupancy grid.
#[derive(Debug, Parser)]
#[command(name = "bayes_grid")]
pub struct Args {
    /// Cells on a side
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u16).range(256..=16_384))]
    size: u16,
    /// Scans [default: one for each 8192 cells, at least 64]
    #[arg(long)]
    scans: Option<u16>,
    /// auto, cpu, gpu, or part of a GPU's name
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Seed of what is made up
    #[arg(long, default_value_t = 20_260)]
    pub seed: u64,
    /// Where the picture and the summary go
    #[arg(long, default_value = "target/bayes_grid")]
    pub output: PathBuf,
}

impl Args {
    pub fn size(&self) -> usize {
        usize::from(self.size)
    }

    /// Number of scans; each counts a cell once at most, and counts go up to 65,535.
    pub fn scans(&self) -> usize {
        self.scans.map_or((self.size().pow(2) / 8192).clamp(64, usize::from(u16::MAX)), usize::from)
    }
}
