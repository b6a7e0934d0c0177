//! What goes on beside requests: what was learned is saved, what was measured is looked at.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::shared::Shared;
use crate::error::{RequestError, Result};
use crate::orchestration::ledger::Ledger;
use crate::orchestration::service::Learned;

/// The name under which a ledger has what was learned.
const NAME: &str = "service";

/// Ends when it is told so, or dropped.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    ledger: Option<Arc<Ledger>>,
    running: JoinHandle<()>,
}

impl Keeper {
    /// Takes up what was learned before, and begins.
    pub(super) async fn start(shared: &Arc<Shared>, ledger: Option<Arc<Ledger>>) -> Result<Self> {
        if let Some(ledger) = ledger.clone() {
            let learned = blocking(move || ledger.load_state::<Learned>(NAME)).await?;
            if let Some(learned) = learned {
                shared.service.resume(learned)?;
            }
        }
        let running = tokio::spawn(run(Arc::clone(shared), ledger.clone()));
        Ok(Self { shared: Arc::clone(shared), ledger, running })
    }

    /// Saves what was learned, and ends.
    pub(super) async fn end(self) -> Result<()> {
        self.running.abort();
        match self.ledger.clone() {
            Some(ledger) => save(&self.shared, ledger).await,
            None => Ok(()),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn run(shared: Arc<Shared>, ledger: Option<Arc<Ledger>>) {
    let every = |period| {
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    };
    let (mut saves, mut looks) = (every(shared.options.save_every), every(shared.options.interval));
    loop {
        tokio::select! {
            _ = saves.tick() => {
                if let Some(ledger) = &ledger
                    && shared.learned.swap(false, Ordering::AcqRel)
                    && let Err(error) = save(&shared, Arc::clone(ledger)).await
                {
                    shared.learned.store(true, Ordering::Release);
                    tracing::error!(%error, "what was learned was not saved");
                }
            }
            _ = looks.tick() => {
                let turned = shared.window.turn();
                // How groups did is learned from every request.
                if turned.requests > 0 {
                    shared.learned.store(true, Ordering::Release);
                }
                let of = Arc::clone(&shared);
                if let Err(error) = spawn_blocking(move || of.steering.look(&of, &turned)).await {
                    tracing::error!(%error, "what was measured was not looked at");
                }
            }
        }
    }
}

async fn save(shared: &Shared, ledger: Arc<Ledger>) -> Result<()> {
    let learned = shared.service.learned();
    blocking(move || ledger.save_state(NAME, &learned)).await
}

/// What waits for a disk, beside what must not wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(RequestError::Panicked { what: "the ledger", message: error.to_string() }.into()))
}
