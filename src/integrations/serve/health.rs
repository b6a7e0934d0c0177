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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;
    use crate::engine::Engine;
    use crate::error::Result;
    use crate::integrations::serve::{Server, document};
    use crate::orchestration::router::Group;
    use crate::orchestration::{Opinion, Question, Service, source};

    #[tokio::test]
    async fn it_lives_before_it_is_ready_and_after() -> Result<()> {
        let engine = Arc::new(Engine::cpu()?);
        let says = |name: &str| source::of(name, async |_: Question<str>| Ok(Opinion::Binary(0.5).into()));
        let service = Service::builder(Arc::clone(&engine), 2)
            .group(Group::ai("a"), vec![Arc::new(says("a"))])
            .group(Group::runtime("b"), vec![Arc::new(says("b"))])
            .build()?;
        let shared = Server::builder(Arc::new(service), engine).build()?.shared;
        let router = document::router(&shared);
        for (ready, status) in [(false, 503), (true, 200), (false, 503)] {
            shared.set_ready(ready);
            for (path, status) in [("/health", status), ("/health/ready", status), ("/health/live", 200)] {
                let request = Request::get(path).body(Body::empty()).unwrap_or_default();
                let Ok(response) = router.clone().oneshot(request).await;
                assert_eq!(response.status(), status, "{path} where ready is {ready}");
            }
        }
        Ok(())
    }
}
