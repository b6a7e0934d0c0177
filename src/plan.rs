//! From a specification to a program of kernel dispatches, and the sizes it takes: pure code that knows no device.

pub(crate) mod batch;
pub(crate) mod cost;
mod lower;
#[cfg(feature = "gpu")]
pub(crate) mod partition;
#[cfg(feature = "gpu")]
pub(crate) mod regression;

use std::fmt;

pub use self::lower::{lower, lower_differentiable};
use crate::kernel::Kernel;
use crate::kernel::fusion::pool::{By, Pool, Slot};
use crate::spec::Rule;
use crate::tensor::{Form, Output};

/// What the executors run: steps in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The dispatches.
    pub steps: Vec<Step>,
}

/// One dispatch of one kernel over all items.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Whether it reads presence masks.
    pub presence: bool,
    /// Whether it reads given confidences.
    pub confidence: bool,
    /// What it computes.
    pub pool: Pool,
}

impl Program {
    /// The kernel of its last step: what it is named after.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.steps.last().map_or(Kernel::Pool, Step::kernel)
    }
}

impl Step {
    /// Which kernel it is for.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        if self.pool.is_wide() { Kernel::PoolWide } else { Kernel::Pool }
    }

    /// Bytes read and written per item: what a device must move.
    #[must_use]
    pub fn bytes_per_item(&self) -> (f64, f64) {
        let (n, c) = (self.pool.sources.len(), self.pool.classes);
        let presence = if self.presence { n as f64 / 8.0 } else { 0.0 };
        let confidence = if self.confidence { 4.0 * n as f64 } else { 0.0 };
        let opinions: usize = self.pool.forms.iter().map(|form| form.bytes_per_item(c)).sum();
        let written: usize = self.pool.outputs.iter().map(|output| 4 * self.words_per_item(output)).sum();
        (opinions as f64 + presence + confidence, written as f64)
    }

    /// Words of one output per item.
    #[must_use]
    pub fn words_per_item(&self, output: Output) -> usize {
        match output {
            Output::Posterior => self.pool.classes,
            Output::Contributions => self.pool.sources.len(),
            _ => 1,
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            write!(f, "{index}: {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pool = &self.pool;
        let n = pool.sources.len();
        writeln!(f, "{}", self.kernel())?;
        write!(f, "   reads   {}", forms(&pool.forms, pool.classes))?;
        write!(f, "{}", if self.presence { format!(", presence bit[{n}, B]") } else { String::new() })?;
        writeln!(f, "{}", if self.confidence { format!(", confidence f32[{n}, B]") } else { String::new() })?;
        let rules = Slot::ALL.iter().filter(|&&slot| pool.share(slot) > 0.0);
        let rules = rules.map(|&slot| format!("{:.4} {}", pool.share(slot), rule(pool, slot))).collect::<Vec<_>>();
        let (log_floor, invalid) = (pool.log_floor, pool.on_invalid.name());
        writeln!(f, "   rule    {}; eps {log_floor:e}; invalid: {invalid}", rules.join(" + "))?;
        let by = match pool.by {
            By::Max => format!("c^{}", pool.gamma),
            By::Margin => format!("margin^{}", pool.gamma),
            By::Entropy => format!("(1 - H / ln C)^{}", pool.gamma),
            By::Hellinger => format!("/ (1 + {} Hellinger)", pool.steepness),
            By::JensenShannon => format!("/ (1 + {} JSD)", pool.steepness),
        };
        let terms = pool.sources.iter().map(|s| match (s.offset, s.scale) {
            (offset, 0.0) => format!("{offset:.4}"),
            (0.0, scale) => format!("{scale:.4} {by}"),
            (offset, scale) => format!("{offset:.4} + {scale:.4} {by}"),
        });
        write!(f, "   weight  {}", terms.collect::<Vec<_>>().join(", "))?;
        writeln!(f, "{}", if pool.class_weights.is_empty() { "" } else { ", times a factor per class" })?;
        let priors = pool.sources.iter().map(|s| format!("{:.4}", s.prior)).collect::<Vec<_>>();
        writeln!(f, "   prior   {}", priors.join(", "))?;
        if pool.sources.iter().any(|s| s.inverse_temperature != 1.0) || pool.inverse_temperature != 1.0 {
            let of = pool.sources.iter().map(|s| format!("{:.4}", 1.0 / s.inverse_temperature)).collect::<Vec<_>>();
            writeln!(f, "   heat    {}; the pool {:.4}", of.join(", "), 1.0 / pool.inverse_temperature)?;
        }
        let written = pool.outputs.iter().map(|output| match output {
            Output::Posterior | Output::Contributions => format!("{output} f32[B, {}]", self.words_per_item(output)),
            Output::Decision | Output::Flags => format!("{output} u32[B]"),
            _ => format!("{output} f32[B]"),
        });
        writeln!(f, "   writes  {}", written.collect::<Vec<_>>().join(", "))?;
        let (read, written) = self.bytes_per_item();
        writeln!(f, "   moves   {read} + {written} bytes per item")
    }
}

/// Neighbours of one form together.
fn forms(forms: &[Form], classes: usize) -> String {
    let run = |run: &[Form]| match run[0].values_per_item(classes) {
        1 if classes > 1 => format!("{}[{}, B]", run[0], run.len()),
        _ => format!("{}[{}, B, {classes}]", run[0], run.len()),
    };
    forms.chunk_by(|a, b| a == b).map(run).collect::<Vec<_>>().join(", ")
}

/// A rule by name, with its parameter.
fn rule(pool: &Pool, slot: Slot) -> String {
    match slot {
        Slot::Linear => Rule::Linear.to_string(),
        Slot::Vote => Rule::Vote.to_string(),
        Slot::MaxVote => Rule::MaxVote.to_string(),
        Slot::BayesianAverage => Rule::BayesianAverage.to_string(),
        Slot::LogPool => Rule::LogPool.to_string(),
        Slot::Extremised => format!("extremised:{}", pool.extremise),
        Slot::Evidence => "evidence".to_owned(),
        Slot::PowerMean => format!("power_mean:{}", pool.power),
        Slot::Median => Rule::Median.to_string(),
        Slot::Trimmed => format!("trimmed:{}", pool.trim),
        Slot::DempsterShafer => Rule::DempsterShafer { conflict: pool.conflict }.to_string(),
        Slot::Belief => Rule::Belief(pool.belief).to_string(),
        Slot::Confusion => "confusion".to_owned(),
        Slot::Stacked => "stacked".to_owned(),
        Slot::Adaptive => "adaptive".to_owned(),
    }
}
