//! The routes, and the document that describes them: one comes from the other.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use super::shared::Shared;
use super::{control, events, fuse, health, meters, process, status, strategy, token};

#[derive(OpenApi)]
#[openapi(
    info(title = "Consilience", description = "What many sources say, fused: one question at a time, or in batches."),
    modifiers(&Token),
)]
struct Document;

/// How the token is sent.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Routes of those who have the token, and of everybody.
fn routers() -> (OpenApiRouter<Arc<Shared>>, OpenApiRouter<Arc<Shared>>) {
    let closed = OpenApiRouter::new()
        .routes(routes!(process::process))
        .routes(routes!(process::feedback))
        .routes(routes!(fuse::fuse))
        .routes(routes!(strategy::strategy, strategy::set_strategy))
        .routes(routes!(control::control, control::set_control))
        .routes(routes!(status::status))
        .routes(routes!(events::events))
        .routes(routes!(health::scrape));
    let open = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live));
    (closed, open)
}

/// The document of a server with a token, as JSON.
pub(super) fn of() -> String {
    let (closed, open) = routers();
    // Names and texts: it does not fail.
    open.merge(closed).into_openapi().to_json().unwrap_or_default()
}

/// Describes a server that asks for no token.
fn open_to_all(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put].into_iter().flatten() {
            operation.security = None;
            operation.responses.responses.remove("401");
        }
    }
}

/// What answers requests.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let (closed, open) = routers();
    let closed = closed.route_layer(from_fn_with_state(Arc::clone(shared), token::check));
    let (router, mut document) = open.merge(closed).split_for_parts();
    if shared.token.is_none() {
        open_to_all(&mut document);
    }
    let document: Arc<str> = document.to_json().unwrap_or_default().into();
    router
        .route("/", get(health::page))
        .route("/openapi.json", get(async move || ([(CONTENT_TYPE, "application/json")], document.to_string())))
        .fallback(async |uri: Uri| {
            Problem::new(
                StatusCode::NOT_FOUND,
                format!("there is no `{}`; `/openapi.json` says what there is", uri.path()),
            )
        })
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("`{}` takes no {method}", uri.path()))
        })
        .layer(from_fn_with_state(Arc::clone(shared), meters::measure))
        .with_state(Arc::clone(shared))
}
