//! A chat service as a source.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::time::{Instant, sleep, timeout_at};

use super::ChatOptions;
use super::completion::{Completion, Usage};
use super::exchange::Exchange;
use super::prompt;
use super::rule::{self, Classes};
use super::secure::secured;
use super::setting::wrong;
use super::wait::backoff;
use crate::error::{RequestError, Result, SourceError};
use crate::orchestration::{Cost, Opinion, Question, Reply, Source};

/// A model behind an OpenAI-compatible service as a source of anything that can be read as text.
///
/// Ask it on a tokio runtime with IO and time enabled. A question is one request, `POST <base>/chat/completions`; dropping
/// the future closes its connection. Connections are kept for the next question. Redirects are not followed, and addresses
/// of this machine are reached without a proxy; for others the environment's (`HTTPS_PROXY` and the like) is used.
///
/// | what happens | the error |
/// |---|---|
/// | the question, with what others said, is over its limit | `TooLarge`, before anything is sent |
/// | status 429 or 503 | `Busy`, with what `Retry-After` says |
/// | another status that is no success | `Status`, with the first 200 characters of what it says |
/// | no connection, or one that is cut | `Failed`, with the cause |
/// | an answer that is no chat completion, or has no choice | `Failed`, saying where |
/// | an answer over its limit | `TooLarge`, as soon as that is known |
/// | an answer that names no class | `NoClass` |
/// | no whole answer at the deadline | `TimedOut` |
///
/// The reply's content is the answer in words. Its cost counts each request sent for it; tokens are those the service
/// reports, 0 where it reports none. Where there is no reply, what is known to be spent is counted all the same
/// ([`Question::spend`]): each request when it is sent, tokens as soon as they are reported.
///
/// # Examples
///
/// *A model that Ollama serves on this machine.*
///
/// ```
/// use consilience::http::{CLASS_AND_CONFIDENCE, ChatOptions, ChatSource};
///
/// let options = ChatOptions { system: CLASS_AND_CONFIDENCE.to_owned(), seed: Some(1), ..ChatOptions::default() };
/// let source = ChatSource::open("llama", "http://localhost:11434/v1", "llama3.2", ["cat", "dog"], options)?;
/// assert_eq!(source.url(), "http://localhost:11434/v1/chat/completions");
/// # Ok::<(), consilience::Error>(())
/// ```
pub struct ChatSource {
    name: String,
    model: String,
    classes: Classes,
    options: ChatOptions,
    exchange: Exchange,
    /// How often it waited before it sent a request again, so that no two waits are alike.
    waits: AtomicU64,
}

impl ChatSource {
    /// A source of this name that asks `model` at `base`, such as `http://localhost:11434/v1`, for one of `classes`, in the
    /// order of their indices. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`RequestError::Setting`]: a base that is no http address or holds a password, a query or a fragment; no classes, or
    /// two that differ in capitals at most; an option out of its range; an `https` address without the feature `https`.
    /// [`RequestError::NotSetUp`]: the system has no certificates, or no client can be made.
    pub fn open(
        name: impl Into<String>,
        base: &str,
        model: impl Into<String>,
        classes: impl IntoIterator<Item = impl Into<String>>,
        options: ChatOptions,
    ) -> Result<Self> {
        options.check()?;
        let url = address(base)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &options.key {
            let (name, value) = key.to_header()?;
            headers.insert(name, value);
        }
        let mut client = Client::builder()
            .default_headers(headers)
            .connect_timeout(options.connect_timeout)
            .redirect(Policy::none())
            .user_agent(concat!("consilience/", env!("CARGO_PKG_VERSION")));
        if is_of_this_machine(&url) {
            client = client.no_proxy();
        }
        let client = secured(client, url.scheme() == "https", &options.certificates)?;
        let client = client.build().map_err(|e| RequestError::NotSetUp { what: "the client", cause: Arc::new(e) })?;
        Ok(Self {
            name: name.into(),
            model: model.into(),
            classes: Classes::new(classes)?,
            exchange: Exchange::new(client, url, &options),
            options,
            waits: AtomicU64::new(0),
        })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where requests go.
    #[must_use]
    pub fn url(&self) -> &str {
        self.exchange.url.as_str()
    }

    /// Asks, and asks again where that is allowed, may help and can still be done by the deadline.
    async fn answer<I: Send + Sync + ?Sized>(
        &self,
        body: Vec<u8>,
        question: &Question<I>,
    ) -> Result<Reply, SourceError> {
        let mut sent = 0_u32;
        loop {
            question.spend(Cost::CALL);
            let refused = match self.exchange.send(body.clone(), self.used(question), self.partial(question)).await {
                Ok(completion) => return self.reply(completion, u64::from(sent) + 1),
                Err(refused) => refused,
            };
            sent += 1;
            if !refused.is_passing || sent > self.options.retries {
                return Err(refused.error);
            }
            let wait = match refused.error {
                SourceError::Busy { retry_after: Some(wait) } => wait,
                _ => {
                    backoff(sent, self.options.jitter_seed ^ self.waits.fetch_add(1, Ordering::Relaxed).rotate_left(32))
                }
            };
            if question.deadline.saturating_duration_since(Instant::now()) <= wait {
                return Err(refused.error);
            }
            sleep(wait).await;
        }
    }

    /// Counts what a request has used, by what its service has reported so far.
    fn used<'a, I: Send + Sync + ?Sized>(&'a self, question: &'a Question<I>) -> impl FnMut(Usage) + Send + 'a {
        let mut known = Cost::default();
        move |usage| {
            let cost = self.cost(0, usage);
            let more = Cost {
                calls: 0,
                tokens_in: cost.tokens_in.saturating_sub(known.tokens_in),
                tokens_out: cost.tokens_out.saturating_sub(known.tokens_out),
                micros: cost.micros.saturating_sub(known.micros),
            };
            known += more;
            question.spend(more);
        }
    }

    fn cost(&self, calls: u64, usage: Usage) -> Cost {
        let (tokens_in, tokens_out) = (usage.prompt_tokens.unwrap_or(0), usage.completion_tokens.unwrap_or(0));
        Cost { calls, tokens_in, tokens_out, micros: self.options.prices.micros(tokens_in, tokens_out) }
    }

    /// Reports what a streamed answer says so far. It is read each time it has grown by a quarter, so that reading it costs
    /// no more than a few times what reading the whole does.
    fn partial<'a, I: Send + Sync + ?Sized>(
        &'a self,
        question: &'a Question<I>,
    ) -> impl FnMut(&Completion) + Send + 'a {
        let (mut due, mut before) = (1, None);
        move |completion| {
            let len = completion.text.len();
            if len < due {
                return;
            }
            due = len + len / 4 + 1;
            if let Ok(opinion) = rule::opinion(&self.classes, &completion.text, &completion.tokens)
                && before.as_ref() != Some(&opinion)
            {
                question.report(opinion.clone());
                before = Some(opinion);
            }
        }
    }

    fn reply(&self, completion: Completion, calls: u64) -> Result<Reply, SourceError> {
        let Completion { text, refusal, tokens, usage, .. } = completion;
        let cost = self.cost(calls, usage);
        if let Some(refusal) = refusal.filter(|_| text.is_empty()) {
            return Ok(Reply::from(Opinion::Abstained).content(refusal).cost(cost));
        }
        // Errors repeat what was answered.
        let text = self.exchange.hidden(&text);
        let opinion = rule::opinion(&self.classes, &text, &tokens)?;
        Ok(Reply::from(opinion).content(text).cost(cost))
    }
}

impl<I: AsRef<str> + Send + Sync + ?Sized + 'static> Source<I> for ChatSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: Question<I>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        Box::pin(async move {
            let began = Instant::now();
            let body = prompt::request(&self.model, &self.classes, &self.options, &question)?;
            let too_late = || SourceError::TimedOut { after: began.elapsed() };
            if began >= question.deadline {
                return Err(too_late());
            }
            timeout_at(question.deadline, self.answer(body, &question)).await.unwrap_or_else(|_| Err(too_late()))
        })
    }
}

impl fmt::Debug for ChatSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatSource")
            .field("name", &self.name)
            .field("url", &self.url())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Where requests go, given the base. No error repeats a base that may hold a password.
fn address(base: &str) -> Result<Url> {
    let wrong = |is: &str| wrong("the base address", is, "write it like http://localhost:11434/v1");
    let mut url = Url::parse(base).map_err(|e| wrong(&format!("is not one: {e}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(&format!("has the scheme `{}`, not http or https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user or password, which belongs into the key"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or a fragment"));
    }
    let path = format!("{}/chat/completions", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

fn is_of_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_a_stream_says_so_far_is_reported_when_it_changes() {
        let base = "http://localhost/v1";
        let source = ChatSource::open("m", base, "small", ["cat", "caterpillar"], ChatOptions::default()).unwrap();
        let reported = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&reported);
        let mut question = Question::<str>::new(Arc::from("x"), 2, Instant::now() + Duration::from_secs(1));
        question.partial = Some(Arc::new(move |opinion| seen.lock().unwrap().push(opinion)));
        let mut partial = source.partial(&question);
        let mut completion = Completion::default();
        for piece in ["It is a ", "cat", "", "erpillar", ", not", " a cat"] {
            completion.text.push_str(piece);
            partial(&completion);
        }
        assert_eq!(*reported.lock().unwrap(), [Opinion::label(0), Opinion::label(1)]);
    }
}
