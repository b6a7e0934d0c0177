//! What a hybrid executor answers.

use std::sync::Arc;
use std::time::Duration;

use crate::error::SourceError;
use crate::orchestration::Cost;
use crate::orchestration::aggregate::{Agreement, Provenance};
use crate::orchestration::cache::Footprint;
use crate::orchestration::selector::Choice;

/// An answer that was made of several opinions, as it is kept.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Fused {
    /// The fused distribution, `[C]`.
    pub posterior: Vec<f32>,
    /// The class decided for.
    pub decision: usize,
    /// How far the sources agree.
    pub agreement: Agreement,
    /// Each source that was heard, as of when the answer was made.
    pub provenance: Vec<Provenance>,
    /// The class that each of them votes for.
    pub votes: Vec<(Arc<str>, u32)>,
}

impl Footprint for Fused {
    fn heap_bytes(&self) -> usize {
        let names: usize = self.provenance.iter().map(|part| part.source.capacity()).sum();
        let votes = self.votes.capacity() * size_of::<(Arc<str>, u32)>();
        let provenance = self.provenance.capacity() * size_of::<Provenance>();
        names + votes + provenance + self.posterior.capacity() * size_of::<f32>()
    }
}

/// An answer to one question, and how it came about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// What was made of what was heard; shared with the cache.
    pub fused: Arc<Fused>,
    /// How long ago it was made; nothing where it was made for this question.
    pub age: Duration,
    /// Sources that were asked in vain, each with the cause.
    pub failed: Vec<(Arc<str>, SourceError)>,
    /// What the request is learned from together with.
    pub class: Arc<str>,
    /// How the request was carried out that the question was part of.
    pub choice: Arc<Choice>,
    /// What this question cost.
    pub cost: Cost,
    /// How long the request took.
    pub latency: Duration,
    /// The number of the request's record, to learn from the truth by.
    pub record: u64,
}
