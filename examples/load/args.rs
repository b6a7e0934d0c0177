//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// A load for the server, at a rate that does not depend on how the server keeps up.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Args {
    /// The server; plain HTTP
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// A file with the server's token
    #[arg(long)]
    pub token_file: Option<PathBuf>,
    /// Requests a second; with `--knee`, the first rate that is tried
    #[arg(long, default_value_t = 1200.0, value_parser = positive)]
    pub rate: f64,
    /// Seconds that are measured; with `--knee`, at each rate
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    seconds: f64,
    /// Seconds of the same load before, which are not measured
    #[arg(long, default_value_t = 2.0, value_parser = not_negative)]
    warm_up: f64,
    /// When requests are due
    #[arg(long, value_enum, default_value = "constant")]
    pub arrivals: Arrivals,
    /// Connections, all kept alive: the most requests under way
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub connections: u16,
    /// Seconds from when a request is due until it is given up, sent or not
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    timeout: f64,
    /// What Poisson's arrivals and the evidence to fuse are drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// What is asked for
    #[arg(long, value_enum, default_value = "process")]
    pub what: What,
    /// The question; `{}` stands for the request's number, so that no two need be the same
    #[arg(long, default_value = "is {} even?")]
    pub question: String,
    /// The deadline that requests state, in milliseconds
    #[arg(long)]
    pub deadline: Option<u64>,
    /// A batch to fuse, as JSON (`.json`) or as a stream of Arrow; without it one is drawn, as JSON
    #[arg(long)]
    pub body: Option<PathBuf>,
    /// Items of a batch that is drawn
    #[arg(long, default_value_t = 64)]
    pub items: usize,
    /// Classes of a batch that is drawn
    #[arg(long, default_value_t = 4)]
    pub classes: usize,
    /// Sources of a batch that is drawn
    #[arg(long, default_value_t = 5)]
    pub sources: usize,

    /// Find the highest rate at which 99 % of answers come within `--p99` and no more than `--most-errors` fail
    #[arg(long, conflicts_with_all = ["soak", "check"])]
    pub knee: bool,
    /// The limit of the knee, in milliseconds
    #[arg(long, default_value_t = 20.0, value_parser = positive)]
    pub p99: f64,
    /// State every `--interval` what became of the load and of the server's memory
    #[arg(long)]
    pub soak: bool,
    /// Seconds between two rows of a soak
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    interval: f64,
    /// The most that the server's memory may grow in a soak, in MiB an hour; above it with 95 % certainty, the soak fails
    #[arg(long, value_parser = not_negative)]
    pub most_growth: Option<f64>,
    /// The most requests that may fail; beyond, the program does
    #[arg(long, default_value_t = 0)]
    pub most_errors: u64,
    /// Fail unless the server's own histogram agrees
    #[arg(long)]
    pub check: bool,
    /// A file for all figures, as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// When requests are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Arrivals {
    /// All the same time apart.
    Constant,
    /// Each independent of all others, as of many users.
    Poisson,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// A question, through sources and fusion.
    Process,
    /// The fusion of a batch of evidence.
    Fuse,
}

impl Args {
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up)
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout)
    }

    pub fn interval(&self) -> Duration {
        Duration::from_secs_f64(self.interval)
    }
}

/// A number that no time or rate here needs to exceed: a million seconds are 11 days.
const MOST: f64 = 1e6;

fn positive(text: &str) -> Result<f64, String> {
    let within = text.parse().ok().filter(|x| (1e-3..=MOST).contains(x));
    within.ok_or_else(|| format!("it must be a number from 0.001 to {MOST}"))
}

fn not_negative(text: &str) -> Result<f64, String> {
    let within = text.parse().ok().filter(|x| (0.0..=MOST).contains(x));
    within.ok_or_else(|| format!("it must be a number from 0 to {MOST}"))
}
