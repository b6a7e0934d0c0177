//! Where cases are fused.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::{Case, FusionProcess, Verdict};
use crate::engine::Engine;
use crate::error::Result;
use crate::orchestration::Batcher;
use crate::orchestration::batcher::{Stats, Submission};

/// Fuses the cases of many requests, each by itself or all that wait together.
///
/// A CPU fuses one case in microseconds, less than handing it to another thread takes. A GPU takes about as long for one
/// case as for thousands, and whoever waits for it must not block the threads that sources are asked on.
///
/// Clones share the engine, and the batcher where there is one.
///
/// # Examples
///
/// *Together with whatever else is being asked.*
///
/// ```
/// use std::sync::Arc;
///
/// use consilience::orchestration::fuse::{Case, Fuser};
/// use consilience::orchestration::{Batcher, FusionProcess, Opinion};
/// use consilience::{Engine, Fusion};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let fuser = Fuser::together(Batcher::builder(FusionProcess::new(Arc::new(Engine::cpu()?))).build()?);
/// let opinions = vec![Some(Opinion::label(2)), Some(Opinion::label(2)), None];
/// let verdict = fuser.fuse(Case::new(Arc::new(Fusion::default()), 3, opinions)?).await?;
/// assert_eq!(verdict.decision, Some(2));
/// assert_eq!(fuser.stats().map(|stats| stats.answered), Some(1));
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Fuser(Way);

#[derive(Clone)]
enum Way {
    Alone(FusionProcess),
    Together(Batcher<FusionProcess>),
}

impl Fuser {
    /// The way that fits the engine's device: each case by itself on a CPU, and on a GPU together with others, through a
    /// batcher of its own.
    ///
    /// # Errors
    ///
    /// The system gives no thread for the batcher.
    pub fn new(engine: Arc<Engine>) -> Result<Self> {
        if engine.is_gpu() {
            return Ok(Self::together(Batcher::builder(FusionProcess::new(engine)).name("fusion").build()?));
        }
        Ok(Self::alone(engine))
    }

    /// Each case by itself, on the thread that asks, which is blocked for as long as it takes.
    #[must_use]
    pub const fn alone(engine: Arc<Engine>) -> Self {
        Self(Way::Alone(FusionProcess::new(engine)))
    }

    /// Through a batcher, whose limits and slots are the caller's choice.
    #[must_use]
    pub const fn together(batcher: Batcher<FusionProcess>) -> Self {
        Self(Way::Together(batcher))
    }

    /// What the batcher has done so far; `None` where there is none.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.batcher().map(Batcher::stats)
    }

    /// The batcher, where there is one.
    #[must_use]
    pub const fn batcher(&self) -> Option<&Batcher<FusionProcess>> {
        match &self.0 {
            Way::Alone(_) => None,
            Way::Together(batcher) => Some(batcher),
        }
    }

    /// Fuses a case. Nothing happens before the future is polled; dropped while it waits, the case is not fused.
    ///
    /// # Errors
    ///
    /// The fusion does not fit the case, the engine refuses a value that the case was let through with, the device fails,
    /// or, through a batcher, there is no room, or it was shut down.
    pub fn fuse(&self, case: Case) -> impl Future<Output = Result<Verdict>> + Send + use<> {
        let way = self.0.clone();
        async move {
            match way {
                Way::Alone(process) => process.fuse(&case),
                Way::Together(batcher) => batcher.submit(case, Submission::default()).await,
            }
        }
    }
}

impl fmt::Debug for Fuser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Alone(process) => f.debug_tuple("Alone").field(process).finish(),
            Way::Together(batcher) => f.debug_tuple("Together").field(batcher).finish(),
        }
    }
}
