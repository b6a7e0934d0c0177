//! One request and its answer.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::SystemTime;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::completion::{Completion, Usage};
use super::events::Events;
use super::rule::EXCERPT_CHARS;
use super::wait;
use super::{ApiKey, ChatOptions};
use crate::error::SourceError;

/// What is needed of an answer that is no success.
const ERROR_BYTES: usize = 64 * 1024;

/// Where requests go.
#[derive(Debug)]
pub(super) struct Exchange {
    pub client: Client,
    pub url: Url,
    /// For what must not be said of an answer.
    pub key: Option<ApiKey>,
    pub answer_bytes: usize,
}

/// Why there is no answer, and whether asking again may help.
pub(super) struct Refused {
    pub error: SourceError,
    pub is_passing: bool,
}

impl From<SourceError> for Refused {
    fn from(error: SourceError) -> Self {
        Self { error, is_passing: false }
    }
}

impl Exchange {
    pub fn new(client: Client, url: Url, options: &ChatOptions) -> Self {
        Self { client, url, key: options.key.clone(), answer_bytes: options.answer_bytes }
    }

    /// Sends a request and reads the answer; `used` is told what it took as soon as that is known, and `partial` sees it as
    /// it comes, where it is streamed.
    pub async fn send(
        &self,
        body: Vec<u8>,
        mut used: impl FnMut(Usage) + Send,
        partial: impl FnMut(&Completion) + Send,
    ) -> Result<Completion, Refused> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|e| failed("the request failed", e))?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(status, response).await);
        }
        let kind = self.content_type(response.headers());
        let read = if kind.starts_with("text/event-stream") {
            self.stream(&mut response, used, partial).await?
        } else {
            let bytes = self.whole(&mut response).await?;
            let mut completion = Completion::default();
            let read = completion.take_whole(&bytes);
            used(completion.usage);
            read.map(|()| completion).map_err(|why| (why, bytes))
        };
        read.map_err(|(why, bytes)| {
            let (why, begins) = (self.hidden(&why), self.excerpt(&bytes));
            SourceError::failed(format!("of its answer ({kind}) nothing can be made: {why}; it begins `{begins}`"))
                .into()
        })
    }

    /// The whole body.
    async fn whole(&self, response: &mut Response) -> Result<Vec<u8>, SourceError> {
        let limit = self.answer_bytes;
        let announced = response.content_length().map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX));
        if announced > limit {
            return Err(too_large(announced, limit));
        }
        let mut body = Vec::with_capacity(announced);
        while let Some(chunk) = next(response).await? {
            if body.len() + chunk.len() > limit {
                return Err(too_large(body.len() + chunk.len(), limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The events of a stream, as one answer; else why not, with the event at fault.
    async fn stream(
        &self,
        response: &mut Response,
        mut used: impl FnMut(Usage) + Send,
        mut partial: impl FnMut(&Completion) + Send,
    ) -> Result<Result<Completion, (String, Vec<u8>)>, SourceError> {
        let (mut events, mut completion, mut bytes) = (Events::default(), Completion::default(), 0);
        let (mut is_done, mut fault) = (false, None);
        while let Some(chunk) = next(response).await? {
            bytes += chunk.len();
            if bytes > self.answer_bytes {
                return Err(too_large(bytes, self.answer_bytes));
            }
            events.push(&chunk, |data| {
                if is_done || fault.is_some() {
                    return;
                }
                if data == b"[DONE]" {
                    is_done = true;
                } else if let Err(why) = completion.take(data) {
                    fault = Some((why, data.to_vec()));
                }
            });
            used(completion.usage);
            if let Some(fault) = fault {
                return Ok(Err(fault));
            }
            if is_done {
                break;
            }
            partial(&completion);
        }
        if !is_done && !completion.is_whole {
            let why = "the stream ended before the answer did".to_owned();
            return Ok(Err((why, completion.text.into_bytes())));
        }
        Ok(Ok(completion))
    }

    /// What a status that is no success means.
    async fn refused(&self, status: StatusCode, mut response: Response) -> Refused {
        let is_passing = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = after.and_then(|value| wait::retry_after(value, SystemTime::now()));
            return Refused { error: SourceError::Busy { retry_after }, is_passing };
        }
        let mut body = Vec::new();
        // The status says enough where what was to explain it does not come whole.
        while let Ok(Some(chunk)) = response.chunk().await
            && body.len() < ERROR_BYTES
        {
            body.extend_from_slice(&chunk);
        }
        Refused { error: SourceError::Status { status: status.as_u16(), body: self.excerpt(&body) }, is_passing }
    }

    fn content_type(&self, headers: &HeaderMap) -> String {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("of no stated type");
        self.hidden(kind).chars().take(EXCERPT_CHARS).collect::<String>().to_lowercase()
    }

    fn excerpt(&self, bytes: &[u8]) -> String {
        self.hidden(&String::from_utf8_lossy(bytes)).trim().chars().take(EXCERPT_CHARS).collect()
    }

    /// The text without the key.
    pub fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.key.as_ref().map_or(Cow::Borrowed(text), |key| key.hidden_in(text))
    }
}

async fn next(
    response: &mut Response,
) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>>, SourceError> {
    response.chunk().await.map_err(|e| failed("its answer broke off", e))
}

fn too_large(bytes: usize, limit: usize) -> SourceError {
    SourceError::TooLarge { what: "the answer", bytes, limit }
}

/// A failure below HTTP, with the causes in a row and without the address, which is the operator's to show.
pub(super) fn failed(doing: &str, error: reqwest::Error) -> SourceError {
    let error = error.without_url();
    let mut message = format!("{doing}: {error}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        message.push_str(&format!(": {deeper}"));
        cause = deeper.source();
    }
    SourceError::Failed { message, cause: Some(Arc::new(error)) }
}
