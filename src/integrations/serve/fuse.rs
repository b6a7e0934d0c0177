//! Batches of evidence, fused at once.

mod json;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

pub(super) use self::json::{Batch, Fusing};
use super::body::{length, media_type, parse, read, unsupported};
use super::problem::{Closed, Problem, TooMany, Unread};
use super::shared::{Admitted, Shared};
use crate::integrations::arrow::ipc;
use crate::spec::Fusion;
use crate::tensor::Encoding;

/// A stream of Arrow's IPC format.
const STREAM: &str = "application/vnd.apache.arrow.stream";

/// A batch as JSON takes up to so many times its bytes in memory while it is read, and may be so many times smaller than others.
const JSON: usize = 4;

/// When there is likely to be room for another batch.
const AGAIN: Duration = Duration::from_millis(250);

/// How an Arrow stream is fused; in JSON the body says so.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// The fusion as JSON, as in `{"rule":"log_pool"}`; else the default ensemble.
    fusion: Option<String>,
    /// What the numbers are; else probabilities.
    #[param(value_type = Option<String>)]
    encoding: Option<Encoding>,
}

/// Fuses a batch of evidence: JSON is answered in JSON, and a stream of Arrow's IPC format in another. In a stream a row is an
/// item and a list column of floats is a source, named after it; a null is a missing opinion. Ids are the column `item`,
/// `item_id`, `id` or `task`, if there is one.
#[utoipa::path(
    post,
    path = "/api/v1/fuse",
    tag = "fuse",
    params(How),
    request_body(
        content(
            (Batch = "application/json"),
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
        ),
    ),
    responses(
        (status = 200, description = "What was asked for of every item", content(
            (Fusing = "application/json"),
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
        )),
        (status = 422, description = "The body is no evidence, or the fusion does not fit it", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The engine fails", body = Problem, content_type = "application/problem+json"),
        Closed,
        Unread,
        TooMany,
    ),
    security(("token" = [])),
)]
pub(super) async fn fuse(
    State(shared): State<Arc<Shared>>,
    _: Admitted,
    how: Result<Query<How>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(how) = how.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the query: {error}")))?;
    let (head, body) = request.into_parts();
    let kind = media_type(&head.headers);
    let is_stream = match kind.as_deref() {
        Some(STREAM) => true,
        Some("application/json") => false,
        given => return Err(unsupported(given, &format!("application/json or {STREAM}"))),
    };
    let limit = shared.options.most_batch_bytes / if is_stream { 1 } else { JSON };
    // Whoever does not say how much there is may send as much as is allowed.
    let bytes = u32::try_from(length(&head.headers).unwrap_or(limit).min(limit)).unwrap_or(u32::MAX);
    let room = Arc::clone(&shared.batches).try_acquire_many_owned(bytes).map_err(|_| {
        let detail = format!("{bytes} more bytes of batches are more than there is room for at the moment");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(AGAIN)
    })?;
    let body = read(&shared, &head.headers, body, limit, shared.buffers.take()).await?;
    let body = shared.buffers.lend(body);
    let fused = tokio::task::spawn_blocking(move || {
        let _room = room;
        let engine = shared.steering.engine(&shared.engine);
        if is_stream {
            let fusion = match &how.fusion {
                Some(text) => parse::<Fusion>(text.as_bytes()).map_err(|problem| problem.about("`fusion`"))?,
                None => Fusion::default(),
            };
            let encoding = how.encoding.unwrap_or(Encoding::Probabilities);
            let answer = ipc::fuse(engine, &fusion, encoding, body, shared.buffers.take())?;
            return Ok(([(CONTENT_TYPE, STREAM)], shared.buffers.lend(answer)).into_response());
        }
        if how.fusion.is_some() || how.encoding.is_some() {
            let detail = "of a batch in JSON, the body says how it is fused, and not the query";
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        let batch: Batch = parse(&body)?;
        Ok(axum::Json(batch.fuse(engine, limit)?).into_response())
    });
    fused.await.unwrap_or_else(|error| {
        Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the fusion ended early: {error}")))
    })
}
