//! What is spent while it is being spent.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::SourceError;
use crate::orchestration::{Cost, Reply};

/// What a call has cost so far, or several that belong together. Clones are one meter; whoever makes the call reads it,
/// even after the call was dropped.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Spending>>);

#[derive(Debug, Default)]
struct Spending {
    is_call: bool,
    /// What the source has said as it went along.
    said: Cost,
    /// Of the calls that this one consists of.
    parts: Vec<Meter>,
    /// What the reply says, which is the whole.
    replied: Option<Cost>,
}

impl Meter {
    /// Of one call by itself.
    pub fn call() -> Self {
        Self(Arc::new(Mutex::new(Spending { is_call: true, ..Spending::default() })))
    }

    /// Of a call that belongs to this.
    pub fn begin_call(&self) -> Self {
        self.begin(Self::call())
    }

    /// Of several calls that belong to this.
    pub fn begin_part(&self) -> Self {
        self.begin(Self::default())
    }

    fn begin(&self, part: Self) -> Self {
        self.with(|spending| spending.parts.push(part.clone()));
        part
    }

    pub fn spend(&self, cost: Cost) {
        self.with(|spending| spending.said += cost);
    }

    /// The call has ended.
    pub fn end(&self, reply: &Result<Reply, SourceError>) {
        if let Ok(reply) = reply {
            self.with(|spending| spending.replied = Some(reply.cost));
        }
    }

    pub fn total(&self) -> Cost {
        let (is_call, said, parts) = match self.with(|s| s.replied.ok_or((s.is_call, s.said, s.parts.clone()))) {
            Ok(cost) => return cost,
            Err(so_far) => so_far,
        };
        let mut cost = said + parts.iter().map(Self::total).sum();
        if is_call {
            cost.calls = cost.calls.max(1);
        }
        cost
    }

    /// No code of a caller runs under the lock. Were it poisoned all the same, its contents are whole.
    fn with<T>(&self, what: impl FnOnce(&mut Spending) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
