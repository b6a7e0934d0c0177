//! What was made of all that was heard.

use std::time::Duration;

use super::{Agreement, Origin};
use crate::orchestration::fuse::Verdict;

/// What was made of all that was heard.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The fused distribution, `[C]`; empty where the fusion was not asked for it.
    pub posterior: Vec<f32>,
    /// The class decided for.
    pub decision: usize,
    /// How far the sources agree.
    pub agreement: Agreement,
    /// Each source that was heard, in the order of their names.
    pub provenance: Vec<Provenance>,
    /// All that the fusion says; `None` where sums were enough.
    pub verdict: Option<Verdict>,
}

/// A source's part in an answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Provenance {
    /// Who.
    pub source: String,
    /// By which way its opinion came, and what it cost.
    pub origin: Origin,
    /// Which of its answers it is.
    pub generation: u64,
    /// How long ago it said so.
    pub age: Duration,
    /// Its share of the weight of all, in [0, 1].
    pub weight: f64,
}
