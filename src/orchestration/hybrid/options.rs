//! How a hybrid executor goes about it.

use std::time::Duration;

use crate::error::{RequestError, Result};
use crate::orchestration::lane::Priority;
use crate::orchestration::{cache, dependency, history, selector};

/// How a hybrid executor goes about it: plain data.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How long a request may take.
    pub deadline: Duration,
    /// How urgent its calls are among others of the lane.
    pub priority: Priority,
    /// What is kept, and for how long.
    pub cache: cache::Options,
    /// How an arm is chosen.
    pub selector: selector::Options,
    /// What is remembered of sources.
    pub dependencies: dependency::Options,
    /// How many requests are remembered.
    pub records: usize,
}

impl Default for Options {
    /// Five seconds; arms by the fixed rule; the last ten thousand requests.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            priority: Priority::default(),
            cache: cache::Options::default(),
            selector: selector::Options::default(),
            dependencies: dependency::Options::default(),
            records: history::History::CAPACITY,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        if self.deadline.is_zero() {
            return Err(RequestError::NoTime.into());
        }
        Ok(())
    }
}
