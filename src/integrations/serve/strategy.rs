//! How the service chooses whom to ask.

use std::sync::Arc;

use axum::Json as Answering;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Json;
use super::problem::{Closed, Problem, Unread};
use super::shared::Shared;
use crate::orchestration::router::{Mode, Strategy};

/// How the service chooses whom to ask.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choosing {
    /// How the way to ask is chosen.
    #[schema(value_type = StrategyName)]
    strategy: Strategy,
    /// How far the strategy `adaptive` goes; as it was, if it is left out.
    #[schema(value_type = Option<ModeName>)]
    mode: Option<Mode>,
}

/// The strategies, as they are written.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the document takes its names from here")]
enum StrategyName {
    AiFirst,
    RuntimeFirst,
    Hybrid,
    ParallelFusion,
    Adaptive,
}

/// The modes, as they are written.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the document takes its names from here")]
enum ModeName {
    Fixed,
    Advisory,
    Active,
}

impl Choosing {
    fn of(shared: &Shared) -> Self {
        let router = shared.service.router();
        let options = router.options();
        Self { strategy: options.strategy, mode: Some(options.mode) }
    }
}

/// How the service chooses whom to ask.
#[utoipa::path(
    get,
    path = "/api/v1/unified/strategy",
    tag = "unified",
    responses(
        (status = 200, description = "The strategy", body = Choosing),
        Closed,
    ),
    security(("token" = [])),
)]
pub(super) async fn strategy(State(shared): State<Arc<Shared>>) -> Answering<Choosing> {
    Answering(Choosing::of(&shared))
}

/// Chooses by another strategy from now on; what was learned stays. The next run of the server begins by its own again.
#[utoipa::path(
    put,
    path = "/api/v1/unified/strategy",
    tag = "unified",
    request_body = Choosing,
    responses(
        (status = 200, description = "The strategy from now on", body = Choosing),
        (status = 422, description = "There is no such strategy or mode", body = Problem, content_type = "application/problem+json"),
        Closed,
        Unread,
    ),
    security(("token" = [])),
)]
pub(super) async fn set_strategy(
    State(shared): State<Arc<Shared>>,
    Json(Choosing { strategy, mode }): Json<Choosing>,
) -> Answering<Choosing> {
    let mode = mode.unwrap_or_else(|| shared.service.router().options().mode);
    shared.service.set_strategy(strategy, mode);
    Answering(Choosing::of(&shared))
}
