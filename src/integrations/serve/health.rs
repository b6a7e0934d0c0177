//! Whether the server lives, whether it takes requests, and what it counts.

use std::sync::Arc;

use axum::Json as Answering;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Closed;
use super::shared::Shared;

/// Whether the server lives and takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// It answers.
    live: bool,
    /// It takes requests.
    ready: bool,
}

fn health_of(shared: &Shared) -> (StatusCode, Answering<Health>) {
    let ready = shared.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Answering(Health { live: true, ready }))
}

/// Whether the server takes requests: not yet before it has what it had learned, and not any more when it ends.
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses(
        (status = 200, description = "It takes requests", body = Health),
        (status = 503, description = "It takes none", body = Health),
    ),
)]
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> (StatusCode, Answering<Health>) {
    health_of(&shared)
}

/// The same as `/health`.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "health",
    responses(
        (status = 200, description = "It takes requests", body = Health),
        (status = 503, description = "It takes none", body = Health),
    ),
)]
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, Answering<Health>) {
    health_of(&shared)
}

/// Whether the server answers at all.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "health",
    responses((status = 200, description = "It does", body = Health)),
)]
pub(super) async fn live(State(shared): State<Arc<Shared>>) -> Answering<Health> {
    Answering(Health { live: true, ready: shared.is_ready() })
}

/// What the server counts and measures, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses(
        (status = 200, description = "Version 0.0.4 of the text format", body = String, content_type = "text/plain"),
        Closed,
    ),
    security(("token" = [])),
)]
pub(super) async fn scrape(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    metrics::with_local_recorder(&shared.exporter.recorder(), || shared.process.collect());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], shared.exporter.render())
}

/// The page.
pub(super) async fn page() -> impl IntoResponse {
    const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                          img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    ([("content-security-policy", POLICY)], Html(include_str!("page.html")))
}
