//! The command line.

use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Eight thoughts and their synthesis, of a model behind HTTP.
#[derive(Debug, Parser)]
#[command(name = "iterate")]
pub struct Args {
    /// Pictures to ask about
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=599))]
    pub items: u16,
    /// Thoughts for each picture
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub thoughts: u32,
    /// Which way to think
    #[arg(long, value_enum, default_value = "both")]
    pub order: Orders,
    /// Milliseconds that the built-in server takes for a call, on average
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub service_time: u64,
    /// Calls that the built-in server processes at a time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub at_once: u16,
    /// From 0, where all thoughts are alike, to 2
    #[arg(long, default_value_t = 1.0, value_parser = temperature)]
    pub temperature: f32,
    /// What pictures and thoughts are drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Pictures whose thoughts are shown as they come
    #[arg(long, default_value_t = 1)]
    pub show: u16,
    /// Seconds for each picture
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    deadline: u64,
    /// A service to ask in place of the built-in one, such as http://localhost:11434/v1
    #[arg(long, requires = "model")]
    pub url: Option<String>,
    /// The model to ask there
    #[arg(long, requires = "url")]
    pub model: Option<String>,
}

/// Which ways to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Orders {
    /// One after the other, then side by side.
    Both,
    /// One after the other; each thought is shown those before it.
    Sequential,
    /// Side by side.
    Parallel,
}

impl Args {
    pub fn service_time(&self) -> Duration {
        Duration::from_millis(self.service_time)
    }

    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline)
    }
}

fn temperature(text: &str) -> Result<f32, String> {
    let within = text.parse().ok().filter(|t| (0.0..=2.0).contains(t));
    within.ok_or_else(|| "it must be a number from 0 to 2".to_owned())
}
