//! How far the controller goes.

use std::sync::Arc;

use axum::Json as Answering;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::Json;
use super::problem::{Closed, Problem, Unread};
use super::shared::Shared;
use super::steering::Control;
use crate::orchestration::control::Mode;

/// How far the controller is to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Going {
    /// It says what it sees, or also what it would do, or does it.
    #[schema(value_type = GoingName)]
    mode: Mode,
}

/// The modes, as they are written.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the document takes its names from here")]
enum GoingName {
    Observe,
    Advise,
    Act,
}

/// What the controller sees, says and does.
#[utoipa::path(
    get,
    path = "/api/v1/unified/control",
    tag = "unified",
    responses(
        (status = 200, description = "What it sees, says and does", body = Control),
        Closed,
    ),
    security(("token" = [])),
)]
pub(super) async fn control(State(shared): State<Arc<Shared>>) -> Answering<Control> {
    Answering(shared.steering.control())
}

/// Lets the controller go so far from now on; what it has set stays set.
#[utoipa::path(
    put,
    path = "/api/v1/unified/control",
    tag = "unified",
    request_body = Going,
    responses(
        (status = 200, description = "What it sees, says and does", body = Control),
        (status = 422, description = "There is no such mode", body = Problem, content_type = "application/problem+json"),
        Closed,
        Unread,
    ),
    security(("token" = [])),
)]
pub(super) async fn set_control(
    State(shared): State<Arc<Shared>>,
    Json(Going { mode }): Json<Going>,
) -> Answering<Control> {
    shared.steering.set_mode(mode);
    Answering(shared.steering.control())
}
