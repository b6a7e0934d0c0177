//! The functions of [`datafusion`](crate::datafusion) on a cluster of [Ballista](https://datafusion.apache.org/ballista/):
//! schedulers, executors and clients that know them.
//!
//! Scheduling, shuffles and recovery are Ballista's own. A plan names functions, and each process takes them from its own
//! registry: a scheduler whose sessions are made by [`session_state`], executors with the [`function_registry`], and a client
//! by [`connect`]. `examples/cluster` has them as programs.
//!
//! Where an executor is lost while a stage runs that reads from others, Ballista 55 may count rows twice. The scheduler of
//! `examples/cluster` fails such a job, and its client asks again; one of yours should do the same. That example also says
//! without which settings a job waits for ever.
//!
//! A cluster materialises what its stages hand on: it is for batches, not for requests that wait.

use std::sync::Arc;

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::utils::default_session_builder;
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::datafusion::register;

/// What a session of Ballista begins with: a scheduler's `override_session_builder`.
///
/// # Errors
///
/// None so far but Ballista's own.
pub fn session_state(config: SessionConfig) -> Result<SessionState> {
    let mut state = default_session_builder(config)?;
    register(&mut state)?;
    Ok(state)
}

/// The functions that an executor takes plans apart with: its `override_function_registry`. They are those of a session, for an
/// executor's own default lacks some that a scheduler plans with.
///
/// # Errors
///
/// As [`session_state`].
pub fn function_registry() -> Result<Arc<BallistaFunctionRegistry>> {
    Ok(Arc::new(BallistaFunctionRegistry::from(&session_state(SessionConfig::new_with_ballista())?)))
}

/// A session whose queries run on the cluster at `url`, as in `df://localhost:50050`. `config` is one of
/// [`SessionConfigExt::new_with_ballista`].
///
/// # Errors
///
/// An address that is none.
pub async fn connect(url: &str, config: SessionConfig) -> Result<SessionContext> {
    let context = SessionContext::remote_with_state(url, session_state(config)?).await?;
    // Connecting leaves the functions that are built in, and no others.
    register(&mut *context.state_ref().write())?;
    Ok(context)
}
