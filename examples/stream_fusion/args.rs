//! The command line.

use std::ops::Range;

use clap::Parser;
use consilience::stream::Options;
use consilience::{Device, Rule};

use crate::synthetic::Synthetic;

/// Streams made-up evidence through an engine.
#[derive(Debug, Parser)]
#[command(name = "stream_fusion")]
pub struct Args {
    /// Evidence to be fused, in 10^9 bytes
    #[arg(long, default_value_t = 4.0)]
    gigabytes: f64,
    /// Number of sources
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    sources: u16,
    /// Number of classes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..))]
    classes: u16,
    /// Items of a chunk
    #[arg(long, default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..))]
    chunk_items: u32,
    /// Chunks in the ring
    #[arg(long, default_value_t = 4)]
    depth: usize,
    /// linear, vote, log_pool, ensemble, …
    #[arg(long, default_value = "ensemble")]
    pub rule: Rule,
    /// auto, cpu, gpu, or part of a GPU's name
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Items in the middle of the stream that are fused once more, in one piece
    #[arg(long, default_value_t = 100_000)]
    check_slice: u32,
    /// Seed of what is made up
    #[arg(long, default_value_t = 20_260)]
    seed: u64,
}

impl Args {
    pub fn synthetic(&self) -> Synthetic {
        Synthetic { sources: self.sources.into(), classes: self.classes.into(), seed: self.seed }
    }

    /// Items in all: whole chunks and a last one that need not be.
    pub fn items(&self) -> u64 {
        (1e9 * self.gigabytes / self.synthetic().bytes_per_item() as f64) as u64
    }

    pub fn chunk_items(&self) -> u64 {
        self.chunk_items.into()
    }

    /// What a chunk takes: its rows, and a posterior, a decision and a confidence an item.
    pub fn options(&self) -> Options {
        let answers = 4 * (u64::from(self.classes) + 2);
        let bytes_per_item = self.synthetic().bytes_per_item() + answers;
        Options { depth: self.depth, chunk_bytes: self.chunk_items() * bytes_per_item }
    }

    /// The items that are fused once more.
    pub fn slice(&self) -> Range<u64> {
        let len = self.items().min(self.check_slice.into());
        let first = (self.items() - len) / 2;
        first..first + len
    }
}
