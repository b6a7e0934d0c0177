//! What the programs of a cluster share: the functions that all of them know, and how they find and trust each other.

pub mod opinions;
pub mod pause;
pub mod processes;

use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use datafusion::common::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::prelude::{SessionConfig, SessionContext};

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
