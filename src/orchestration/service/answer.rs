//! What a service answers.

use tokio::time::error::Elapsed;

use crate::error::{Error, Result};
use crate::orchestration::ledger::{Entry, SourceFate};
use crate::orchestration::parallel_fusion::{Outcome, Report};
use crate::orchestration::router::{Attempt, Choice};
use crate::orchestration::telemetry::Label;

/// A fused answer, who was chosen to give it, and whether it is on record.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    /// The fused answer, of the last step. Its cost is that of all steps, of those that failed as well.
    pub outcome: Outcome,
    /// Whom the router chose, and why.
    pub choice: Choice,
    /// The groups that were asked; those of the last step gave the answer.
    pub attempts: Vec<Attempt>,
    /// Whether it is on record.
    pub recorded: Recorded,
}

/// Whether an answer is on record.
#[derive(Debug)]
pub enum Recorded {
    /// There is no ledger.
    Off,
    /// It is not sure enough to be kept.
    Below,
    /// Under this number, on the disk.
    As(u64),
    /// The disk had not answered at the request's deadline: it may be on record or not.
    Late,
    /// The ledger failed.
    Failed(Error),
}

impl Recorded {
    pub(super) fn of(answer: Result<Result<Option<u64>>, Elapsed>) -> Self {
        match answer {
            Ok(Ok(Some(id))) => Self::As(id),
            Ok(Ok(None)) => Self::Below,
            Ok(Err(error)) => Self::Failed(error),
            Err(_) => Self::Late,
        }
    }
}

/// An outcome as a ledger keeps it.
pub(super) fn entry(outcome: &Outcome) -> Entry {
    let fate = |report: &Report| SourceFate { name: report.name.to_string(), fate: report.fate.name().to_owned() };
    Entry {
        decision: outcome.decision,
        confidence: outcome.confidence,
        posterior: outcome.posterior.clone(),
        content: outcome.content.clone(),
        sources: outcome.reports.iter().map(fate).collect(),
        cost: outcome.cost,
        elapsed: outcome.elapsed,
    }
}
