//! What can be set, and within which bounds.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::error::{RequestError, Result, SpecError};

/// How requests are carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The most requests under way at a time.
    pub concurrency: u64,
    /// The most items in one dispatch of the engine.
    pub batch: u64,
    /// What the engine computes on.
    pub executor: Executor,
    /// The share of the requests that is turned away on arrival.
    pub shed: f64,
    /// Per source the share of the requests it is asked in: 0 is resting. A source without an entry is asked in all.
    pub trust: BTreeMap<String, f64>,
}

/// What the engine computes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Executor {
    /// What its cost model finds the faster for each job.
    Auto,
    /// The CPU.
    Cpu,
    /// The accelerator.
    Gpu,
}

/// Within which every setting lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Of the requests under way at a time; at least 1.
    pub concurrency: RangeInclusive<u64>,
    /// Of the items in one dispatch; at least 1.
    pub batch: RangeInclusive<u64>,
    /// The largest share that may be shed, in [0, 1).
    pub shed: f64,
    /// The sources that must not rest; at least 1.
    pub awake: usize,
    /// Whether the executor may be changed.
    pub executor: bool,
}

impl Default for Bounds {
    /// 4 to 1 024 requests at a time, batches of 1 to 4 096 items, at most half of the requests shed, one source awake.
    fn default() -> Self {
        Self { concurrency: 4..=1_024, batch: 1..=4_096, shed: 0.5, awake: 1, executor: true }
    }
}

/// One of the things that can be set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knob {
    /// [`Setting::concurrency`].
    Concurrency,
    /// [`Setting::batch`].
    Batch,
    /// [`Setting::executor`].
    Executor,
    /// [`Setting::shed`].
    Shed,
    /// [`Setting::trust`] of the source of this name.
    Trust(String),
}

/// What a knob is set to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Of [`Knob::Concurrency`] and [`Knob::Batch`].
    Count(u64),
    /// Of [`Knob::Shed`] and [`Knob::Trust`], in [0, 1].
    Share(f64),
    /// Of [`Knob::Executor`].
    Executor(Executor),
}

impl Setting {
    /// The share of the requests in which a source is asked.
    #[must_use]
    pub fn trust(&self, source: &str) -> f64 {
        self.trust.get(source).copied().unwrap_or(1.0)
    }

    /// What a knob is set to.
    #[must_use]
    pub fn get(&self, knob: &Knob) -> Value {
        match knob {
            Knob::Concurrency => Value::Count(self.concurrency),
            Knob::Batch => Value::Count(self.batch),
            Knob::Executor => Value::Executor(self.executor),
            Knob::Shed => Value::Share(self.shed),
            Knob::Trust(source) => Value::Share(self.trust(source)),
        }
    }

    /// Sets a knob to what was read of it, or made for it.
    pub(super) fn set(&mut self, knob: &Knob, value: Value) {
        match (knob, value) {
            (Knob::Concurrency, Value::Count(count)) => self.concurrency = count,
            (Knob::Batch, Value::Count(count)) => self.batch = count,
            (Knob::Executor, Value::Executor(executor)) => self.executor = executor,
            (Knob::Shed, Value::Share(share)) => self.shed = share,
            (Knob::Trust(source), Value::Share(1.0)) => drop(self.trust.remove(source)),
            (Knob::Trust(source), Value::Share(share)) => drop(self.trust.insert(source.clone(), share)),
            // Values are made by `moves` alone, of the kind of their knob.
            _ => {}
        }
    }

    /// The knobs that are not where `normal` has them, in the order in which they go back: first what costs requests, then
    /// what costs opinions.
    pub(super) fn off(&self, normal: &Self) -> Vec<Knob> {
        let sources = self.trust.keys().cloned().map(Knob::Trust);
        let knobs = [Knob::Shed].into_iter().chain(sources);
        let knobs = knobs.chain([Knob::Executor, Knob::Batch, Knob::Concurrency]);
        knobs.filter(|knob| self.get(knob) != normal.get(knob)).collect()
    }

    /// Refuses what lies outside of the bounds.
    pub(super) fn check(&self, bounds: &Bounds) -> Result<()> {
        let within = |what: &'static str, value: u64, range: &RangeInclusive<u64>| {
            if range.contains(&value) {
                return Ok(());
            }
            let must = format!("it must be in [{}, {}]", range.start(), range.end());
            Err(RequestError::Setting { setting: what, is: format!("is {value}"), must })
        };
        within("the number of requests at a time", self.concurrency, &bounds.concurrency)?;
        within("the size of a batch", self.batch, &bounds.batch)?;
        let shed = (0.0..=bounds.shed).contains(&self.shed);
        SpecError::check("the share that is shed", self.shed, "in [0, the most that may be]", shed)?;
        for (source, &trust) in &self.trust {
            let holds = (0.0..=1.0).contains(&trust);
            SpecError::check(&format!("the trust in `{source}`"), trust, "in [0, 1]", holds)?;
        }
        Ok(())
    }
}

impl Bounds {
    pub(super) fn check(&self) -> Result<()> {
        for (what, range) in [("requests at a time", &self.concurrency), ("items in a batch", &self.batch)] {
            let (least, most) = (*range.start(), *range.end());
            SpecError::check(&format!("the least number of {what}"), least as f64, "at least 1", least >= 1)?;
            let holds = most >= least;
            SpecError::check(&format!("the largest number of {what}"), most as f64, "at least the least", holds)?;
        }
        SpecError::check("the most that is shed", self.shed, "in [0, 1)", (0.0..1.0).contains(&self.shed))?;
        Ok(SpecError::check("the number of sources awake", self.awake as f64, "at least 1", self.awake >= 1)?)
    }
}

impl Executor {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

impl Knob {
    /// Its name, for a label: that of a source is not in it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Batch => "batch",
            Self::Executor => "executor",
            Self::Shed => "shed",
            Self::Trust(_) => "trust",
        }
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trust(source) => write!(f, "the trust in `{source}`"),
            Self::Concurrency => f.write_str("the number of requests at a time"),
            Self::Batch => f.write_str("the size of a batch"),
            Self::Executor => f.write_str("the executor"),
            Self::Shed => f.write_str("the share that is shed"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => write!(f, "{share:.2}"),
            Self::Executor(executor) => f.write_str(executor.name()),
        }
    }
}
