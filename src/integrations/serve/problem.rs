//! What is answered where there is no answer.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response as Described, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::error::{Error, ErrorKind, RequestError};

/// The media type of a problem.
const TYPE: &str = "application/problem+json";

/// Why a request was not answered, as RFC 9457 has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The status of the answer.
    status: u16,
    /// The status in words.
    title: String,
    /// What was wrong, where, and what would be right.
    detail: String,
    /// After how many milliseconds the same request may be taken, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        Self { status: status.as_u16(), title, detail: detail.into(), retry_after_ms: None }
    }

    /// The same of a part of the request.
    pub(super) fn about(mut self, part: &str) -> Self {
        self.detail = format!("{part}: {}", self.detail);
        self
    }

    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1));
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Request(RequestError::Full { .. } | RequestError::Closed { .. }) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorKind::Request(RequestError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            _ if error.is_deadline() => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Request(RequestError::NothingArrived { .. }) => StatusCode::BAD_GATEWAY,
            ErrorKind::Request(RequestError::UnknownName { .. })
            | ErrorKind::Evidence(_)
            | ErrorKind::Label(_)
            | ErrorKind::Spec(_)
            | ErrorKind::Length(_)
            | ErrorKind::File(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let problem = Self::new(status, error.to_string());
        match error.kind() {
            ErrorKind::Request(RequestError::Full { retry_after, .. }) => problem.retry_after(*retry_after),
            _ => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = self.retry_after_ms;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(TYPE));
        if let Some(wait) = wait {
            // Whole seconds, of which there is at least one.
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.div_ceil(1000)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What comes of a request without the token.
pub(super) struct Closed;

/// What comes of a body that is not read.
pub(super) struct Unread;

/// What comes of requests that are too many.
pub(super) struct TooMany;

fn described<const N: usize>(problems: [(StatusCode, &str); N]) -> BTreeMap<String, RefOr<Described>> {
    let response = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new().description(description).content(TYPE, content).build().into()
    };
    problems.map(|(status, description)| (status.as_str().to_owned(), response(description))).into()
}

impl IntoResponses for Closed {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        described([(StatusCode::UNAUTHORIZED, "Without the token")])
    }
}

impl IntoResponses for Unread {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        described([
            (StatusCode::BAD_REQUEST, "The body or the query is not what it should be"),
            (StatusCode::REQUEST_TIMEOUT, "The body came too slowly"),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is of another media type"),
        ])
    }
}

impl IntoResponses for TooMany {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        described([
            (StatusCode::TOO_MANY_REQUESTS, "Requests come too often"),
            (StatusCode::SERVICE_UNAVAILABLE, "There is no room, or the server ends"),
        ])
    }
}
