//! A task that does one job after another.

use std::sync::Arc;

use super::job::{Job, Running};
use super::shared::Shared;

/// A worker's place in a lane. Dropped before it has left, as when its runtime ends, it says so.
pub(super) struct Worker {
    lane: Arc<Shared>,
    left: bool,
}

impl Worker {
    pub fn new(lane: Arc<Shared>) -> Self {
        Self { lane, left: false }
    }

    /// Does this job, and others until there is none for it.
    pub async fn work(mut self, job: Job, running: Running) {
        let mut next = Some((job, running));
        while let Some((job, running)) = next {
            job(running).await;
            next = self.lane.next();
        }
        self.left = true;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.left {
            self.lane.lost();
        }
    }
}
