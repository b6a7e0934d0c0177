//! What the programs of a cluster share: the functions that all of them know, and how they find and trust each other.

pub mod exact;
pub mod link;
pub mod opinions;
pub mod pause;
pub mod processes;
pub mod service;
pub mod tls;
pub mod token;

use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use datafusion::common::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::tls::Tls;

/// After how many seconds without a sign of life an executor may be given up at the earliest: one that is busy asks for tasks
/// every five.
pub const LEAST_EXECUTOR_TIMEOUT: u64 = 10;

/// The settings of sessions and executors: their links are TLS if that is asked for, and end where the other side falls silent.
#[must_use]
pub fn session_config(tls: Option<&Tls>) -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_ballista_use_tls(tls.is_some())
        .with_ballista_override_create_grpc_client_endpoint(link::endpoint(tls.cloned()))
        // With it, as is Ballista's default, a job waits for ever that loses an executor after its first stage.
        .with_ballista_adaptive_query_planner(false)
        // Without it, a job fails that reads what an executor handed on at the moment when that is lost: where a block breaks
        // off before its schema, Ballista's other protocol calls that an error of the task, and runs nothing again.
        .with_ballista_shuffle_reader_remote_prefer_flight(true)
}

/// What a session begins with: Consilience's functions, and [`pause`].
///
/// # Errors
///
/// Ballista's own.
pub fn session_state(config: SessionConfig) -> Result<SessionState> {
    let mut state = consilience::ballista::session_state(config)?;
    state.register_udf(pause::function())?;
    Ok(state)
}

/// What an executor knows: as much as a session.
///
/// # Errors
///
/// Ballista's own.
pub fn function_registry() -> Result<Arc<BallistaFunctionRegistry>> {
    Ok(Arc::new(BallistaFunctionRegistry::from(&session_state(SessionConfig::new_with_ballista())?)))
}

/// A session on the cluster at a URL or, of `local`, on this machine.
///
/// # Errors
///
/// A URL that is none.
pub async fn connect(url: &str, config: SessionConfig) -> Result<SessionContext> {
    if url == "local" {
        return Ok(SessionContext::new_with_state(session_state(config)?));
    }
    let context = consilience::ballista::connect(url, config).await?;
    context.state_ref().write().register_udf(pause::function())?;
    Ok(context)
}
