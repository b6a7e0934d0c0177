//! How sources are asked and fused.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{RequestError, Result, SpecError};
use crate::methods::learning::{ReliabilityOptions, WeightsOptions};
use crate::orchestration::stop::Stop;
use crate::spec::{Fusion, Rule};

/// How sources are asked and fused: plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How opinions are fused. `None`: two sources as [`Fusion::two_source`] says, others by the default ensemble. Which
    /// outputs it asks for is of no account: an [`Outcome`](super::Outcome) has its own. An invalid opinion is a failure of
    /// its source, unless [`OnInvalid::Renormalise`](crate::OnInvalid::Renormalise) mends it.
    pub fusion: Option<Fusion>,
    /// How long a request may take.
    pub deadline: Duration,
    /// What the confidence is multiplied by for each source that failed or was late, kappa in [0, 1].
    pub penalty: f32,
    /// When the rest is not waited for.
    pub stop: Stop,
    /// When a slow source is asked a second time; `None`: never.
    pub hedge: Option<Hedge>,
    /// How the weights follow what is learned of the sources: those of the fusion's rule where it is adaptive, and of its
    /// weighting unless that goes by what is said of the item. `None`: they stay as the fusion has them.
    pub learning: Option<Learning>,
}

/// When a slow source is asked a second time. The first of both answers counts, and the other call is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// The quantile of the source's own latencies after which it is slow, in (0, 1).
    pub quantile: f64,
    /// After how long it is slow as long as fewer than twenty of its answers are known.
    pub before_known: Duration,
    /// Second calls allowed per first call, in [0, 1]. Unused ones are saved, up to ten.
    pub budget: f64,
}

/// How the weights follow what is learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// The observation at which the weights first move.
    pub warm_up: u64,
    /// How far they move at each, in [0, 1].
    pub alpha: f64,
    /// How reliabilities are learned.
    pub reliability: ReliabilityOptions,
}

impl Options {
    /// Waits for all, up to five seconds; nine tenths of the confidence for each failure; weights (0.6 and 0.4 for two
    /// sources, else equal) that move by a tenth from the tenth observation on.
    #[must_use]
    pub fn parallel_fusion() -> Self {
        Self {
            fusion: None,
            deadline: Duration::from_secs(5),
            penalty: 0.9,
            stop: Stop::default(),
            hedge: None,
            learning: Some(Learning::parallel_fusion()),
        }
    }

    /// Answers as soon as the decision cannot change or the posterior of two sources or more reaches 0.9, within half a
    /// second; asks slow sources a second time, for at most one call in twenty. Fuses by the default ensemble, which has a
    /// bound.
    #[must_use]
    pub fn low_latency() -> Self {
        let hedge = Hedge { quantile: 0.95, before_known: Duration::from_millis(100), budget: 0.05 };
        Self {
            fusion: Some(Fusion::default()),
            deadline: Duration::from_millis(500),
            stop: Stop::LOCKED.or_at(0.9, 2),
            hedge: Some(hedge),
            ..Self::parallel_fusion()
        }
    }

    /// Waits for all, up to thirty seconds, and averages the rules of the default ensemble with the log pool.
    #[must_use]
    pub fn accurate() -> Self {
        let rules = [Rule::Linear, Rule::Vote, Rule::BayesianAverage, Rule::LogPool];
        Self {
            fusion: Some(Fusion::new(Rule::ensemble(&rules))),
            deadline: Duration::from_secs(30),
            ..Self::parallel_fusion()
        }
    }

    /// The same with another fusion.
    #[must_use]
    pub fn fusion(mut self, fusion: Fusion) -> Self {
        self.fusion = Some(fusion);
        self
    }

    /// The same with another deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same with another stop rule.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.deadline.is_zero() {
            return Err(RequestError::NoTime.into());
        }
        within("the penalty", f64::from(self.penalty), "in [0, 1]", |x| (0.0..=1.0).contains(&x))?;
        self.stop.check()?;
        if let Some(hedge) = &self.hedge {
            within("the quantile of a hedge", hedge.quantile, "in (0, 1)", |x| x > 0.0 && x < 1.0)?;
            within("the budget of hedges", hedge.budget, "in [0, 1]", |x| (0.0..=1.0).contains(&x))?;
        }
        Ok(())
    }
}

impl Default for Options {
    /// [`Options::parallel_fusion`].
    fn default() -> Self {
        Self::parallel_fusion()
    }
}

impl Learning {
    /// As the preset `parallel_fusion` learns.
    #[must_use]
    pub fn parallel_fusion() -> Self {
        let WeightsOptions { warm_up, alpha, reliability, .. } = WeightsOptions::parallel_fusion();
        Self { warm_up, alpha, reliability }
    }

    pub(super) fn weights(self, sources: usize) -> WeightsOptions {
        let start = if sources == 2 { vec![0.6, 0.4] } else { vec![1.0; sources] };
        WeightsOptions { start, warm_up: self.warm_up, alpha: self.alpha, reliability: self.reliability }
    }
}

fn within(what: &str, value: f64, must: &'static str, ok: impl Fn(f64) -> bool) -> Result<()> {
    Ok(SpecError::check(what, value, must, ok(value))?)
}
