//! What is told of sources, and what it is learned from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Correlation;

/// One source's part in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its name.
    pub source: &'a str,
    /// Whether the cache held its opinion.
    pub held: bool,
    /// How long it took by itself; `None` where it was not asked, or that is not known.
    pub work: Option<Duration>,
    /// What its opinion takes in the cache, in bytes.
    pub bytes: u64,
}

/// How often two sources are needed by one request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// The share of all requests that need both; older ones count less.
    pub share: f64,
    /// The share of the requests that need either.
    pub of_either: f64,
    /// The requests that needed both.
    pub observations: u64,
}

/// What asking side by side gains.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Benefit {
    /// Work over wall time.
    pub ratio: f64,
    /// Where that is known from.
    pub basis: Basis,
    /// The requests it is learned from: of the source with the fewest, where it is estimated.
    pub observations: u64,
}

/// Where a benefit is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Requests that asked just these side by side, or for a pair these and maybe others.
    Measured,
    /// The mean work of all over that of the slowest: what could be gained if every latency were its mean and nothing else
    /// took time, which is more than will be.
    Estimated,
}

/// What it is worth to keep a source's opinions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CacheWorth {
    /// The share of requests for its opinion that the cache answered.
    pub reuse: f64,
    /// The mean time that an answer from the cache saves.
    pub saved: Duration,
    /// The mean size of an opinion, in bytes.
    pub bytes: f64,
    /// Reuse times seconds saved over bytes.
    pub seconds_per_byte: f64,
}

/// A source that was selected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// Its name.
    pub source: String,
    /// What it is expected to tell beyond those selected before it, in nats.
    pub information: f64,
}

/// Two sources that err together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redundant {
    /// The one.
    pub source: String,
    /// The other.
    pub beside: String,
    /// How far.
    pub correlation: Correlation,
}
