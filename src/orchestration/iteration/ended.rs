//! A thought that has ended.

use std::time::Duration;

use super::Thought;
use crate::orchestration::Cost;
use crate::orchestration::source::Answer;

/// A thought that has ended.
pub struct Ended {
    pub index: u32,
    pub answer: Answer,
    pub latency: Duration,
    pub cost: Cost,
}

impl Ended {
    pub fn thought(&self) -> Thought {
        let reply = self.answer.as_ref().map(|(reply, _)| reply.clone()).map_err(Clone::clone);
        Thought { index: self.index, reply, latency: self.latency, cost: self.cost }
    }
}
