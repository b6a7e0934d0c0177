//! How a service answers.

use serde::{Deserialize, Serialize};

use crate::orchestration::router::Worth;
use crate::orchestration::{parallel_fusion, router};

/// How a service answers: plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How the sources of a step are asked and fused. A fusion with a list of one value per source fits only steps of so
    /// many sources.
    pub fusion: parallel_fusion::Options,
    /// How groups are chosen.
    pub router: router::Options,
    /// Requests that may be under way at a time, at least 1; more are refused.
    pub most_at_once: usize,
    /// What an answer is worth to the router.
    pub worth: Worth,
}

impl Default for Options {
    /// The presets of its parts, a thousand requests at once, and a right answer worth 1 however long it took.
    fn default() -> Self {
        Self {
            fusion: parallel_fusion::Options::default(),
            router: router::Options::default(),
            most_at_once: 1000,
            worth: Worth { second: 0.0, million: 0.0 },
        }
    }
}
