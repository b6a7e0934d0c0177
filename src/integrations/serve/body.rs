//! Bodies of requests, read up to a limit and within a time.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::Problem;
use super::shared::Shared;

/// A value as JSON.
pub(super) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        match media_type(&head.headers).as_deref() {
            Some("application/json") => {}
            given => return Err(unsupported(given, "application/json")),
        }
        let bytes = read(shared, &head.headers, body, shared.options.most_request_bytes, Vec::new()).await?;
        parse(&bytes).map(Self)
    }
}

/// A value of JSON.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let status = match error.classify() {
            serde_json::error::Category::Data => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::BAD_REQUEST,
        };
        Problem::new(status, format!("the body: {error}"))
    })
}

pub(super) fn unsupported(given: Option<&str>, wanted: &str) -> Problem {
    let is = given.map_or_else(|| "has none".to_owned(), |given| format!("is `{given}`"));
    let detail = format!("the body's media type, in `Content-Type`, {is}; it must be {wanted}");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

/// The media type of a body without its parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// How long a body says it is.
pub(super) fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The bytes of a body in one piece, read into what memory is given.
pub(super) async fn read(
    shared: &Shared,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("the body has more than the {limit} bytes allowed");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    };
    let length = length(headers);
    if length.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let all = async {
        let mut body = body;
        // What a head says is not believed beyond what comes with it soon.
        bytes.reserve(length.unwrap_or_default().min(1 << 20));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > limit {
                return Err(too_large());
            }
            if bytes.capacity() < bytes.len() + data.len() && bytes.len() >= 1 << 16 {
                bytes.reserve(length.unwrap_or_default().saturating_sub(bytes.len()).max(data.len()));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    timeout(shared.options.body_time, all).await.unwrap_or_else(|_| {
        let detail = format!("the body did not come within {:?}", shared.options.body_time);
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
    })
}
