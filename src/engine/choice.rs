//! Where a job goes, and why, for a caller to read.

use std::fmt;

use crate::plan::cost::{Demand, Estimate, Executor, Model, Next};

/// Where an engine runs a job, and what that was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// Where it runs.
    pub executor: Executor,
    /// What the job is known by: its kernel, of a fusion its rules and outputs, of a fit how often it is expected to evaluate.
    pub job: String,
    /// What it takes on the CPU; `None` where it cannot run there, or nothing was measured because there is no choice.
    pub cpu: Option<Estimate>,
    /// What it takes on the GPU, by the same.
    pub gpu: Option<Estimate>,
    /// Why.
    pub reason: Reason,
}

/// Why an executor was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no GPU, or it is given up.
    NoGpu,
    /// The engine was asked for the GPU.
    AskedFor,
    /// The evidence is where it is.
    EvidenceIsThere,
    /// It is expected to take less.
    Faster,
    /// The ways to the GPU and back take longer than all of it does on the CPU, so that the GPU's kernel was not measured
    /// and is taken to need no time.
    TransferAlone,
    /// The other could not be measured.
    NotMeasured,
}

impl Choice {
    /// By what was measured.
    pub(super) fn of(model: &Model, demand: &Demand) -> Self {
        let (cpu, gpu) = (model.cpu(demand), model.gpu(demand));
        let (executor, gpu, reason) = match (model.next(demand), cpu) {
            (Next::Run(executor), _) if gpu.is_some() => (executor, gpu, Reason::Faster),
            (Next::Run(executor), Some(_)) => (executor, Some(model.gpu_at_best(demand)), Reason::TransferAlone),
            _ => (Executor::Cpu, gpu, Reason::NotMeasured),
        };
        Self { executor, job: demand.to_string(), cpu, gpu, reason }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.job)?;
        for (executor, estimate) in [(Executor::Cpu, self.cpu), (Executor::Gpu, self.gpu)] {
            match estimate {
                Some(estimate) if executor == Executor::Gpu && self.reason == Reason::TransferAlone => {
                    writeln!(f, "   {executor}     at least {estimate}")?;
                }
                Some(estimate) => writeln!(f, "   {executor}     {estimate}")?,
                None => writeln!(f, "   {executor}     not estimated")?,
            }
        }
        writeln!(f, "   chosen  {}: {}", self.executor, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoGpu => "there is no GPU in use",
            Self::AskedFor => "the engine was asked for the GPU",
            Self::EvidenceIsThere => "the evidence is there",
            Self::Faster => "it is expected to take less",
            Self::TransferAlone => "the ways to the GPU and back alone take longer",
            Self::NotMeasured => "the other could not be measured",
        })
    }
}
