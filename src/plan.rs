//! From a specification to a program of kernel dispatches, and the sizes it takes: pure code that knows no device.

mod lower;
#[cfg(feature = "gpu")]
pub(crate) mod partition;

use std::fmt;

pub use self::lower::lower;
use crate::kernel::Kernel;
use crate::kernel::fusion::pool::Pool;
use crate::spec::Rule;
use crate::tensor::Output;

/// What the executors run: steps in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The dispatches.
    pub steps: Vec<Step>,
}

/// One dispatch of one kernel over all items.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which kernel.
    pub kernel: Kernel,
    /// Whether it reads presence masks.
    pub presence: bool,
    /// Whether it reads given confidences.
    pub confidence: bool,
    /// What it computes.
    pub pool: Pool,
}

impl Step {
    /// Bytes read and written per item: what a device must move.
    #[must_use]
    pub fn bytes_per_item(&self) -> (f64, f64) {
        let (n, c) = (self.pool.sources.len() as f64, self.pool.classes as f64);
        let presence = if self.presence { n / 8.0 } else { 0.0 };
        let confidence = if self.confidence { 4.0 * n } else { 0.0 };
        let written = self.pool.outputs.iter().map(|o| if o == Output::Posterior { 4.0 * c } else { 4.0 }).sum();
        (4.0 * n * c + presence + confidence, written)
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
        let Pool { classes, sources, mix, gamma, log_floor, encoding, on_invalid, outputs, .. } = &self.pool;
        let n = sources.len();
        writeln!(f, "{}", self.kernel)?;
        write!(f, "   reads   {} f32[{n}, B, {classes}]", encoding.name())?;
        write!(f, "{}", if self.presence { format!(", presence bit[{n}, B]") } else { String::new() })?;
        writeln!(f, "{}", if self.confidence { format!(", confidence f32[{n}, B]") } else { String::new() })?;
        let rules = Rule::SIMPLE.iter().zip(mix).filter(|(_, share)| **share > 0.0);
        let rules = rules.map(|(rule, share)| format!("{share:.4} {rule}")).collect::<Vec<_>>();
        writeln!(f, "   rule    {}; eps {log_floor:e}; invalid: {}", rules.join(" + "), on_invalid.name())?;
        let terms = sources.iter().map(|s| match (s.offset, s.scale) {
            (offset, 0.0) => format!("{offset:.4}"),
            (0.0, scale) => format!("{scale:.4} c^{gamma}"),
            (offset, scale) => format!("{offset:.4} + {scale:.4} c^{gamma}"),
        });
        writeln!(f, "   weight  {}", terms.collect::<Vec<_>>().join(", "))?;
        let priors = sources.iter().map(|s| format!("{:.4}", s.prior)).collect::<Vec<_>>();
        writeln!(f, "   prior   {}", priors.join(", "))?;
        let written = outputs.iter().map(|output| match output {
            Output::Posterior => format!("{output} f32[B, {classes}]"),
            Output::Decision | Output::Flags => format!("{output} u32[B]"),
            _ => format!("{output} f32[B]"),
        });
        writeln!(f, "   writes  {}", written.collect::<Vec<_>>().join(", "))?;
        let (read, written) = self.bytes_per_item();
        writeln!(f, "   moves   {read} + {written} bytes per item")
    }
}
