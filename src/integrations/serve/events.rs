//! What the sources say, told as they say it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::problem::Closed;
use super::shared::Shared;
use crate::error::Error;
use crate::orchestration::Opinion;
use crate::orchestration::lock::locked;
use crate::orchestration::parallel_fusion::{Event, Outcome, Report};
use crate::orchestration::service::Observer;
use crate::orchestration::telemetry::Label;

/// Events that wait for who reads slowly; beyond them he is told how many he missed.
const WAITING: usize = 1024;

/// How often it is shown that the server is still there when nothing happens.
const ALIVE: Duration = Duration::from_secs(15);

/// Something that happened to a request, or to the server. What does not belong to an event is left out.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(super) struct Told {
    /// The request's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The source that says or does something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it says, as a distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Vec<f32>>,
    /// All opinions so far, fused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posterior: Option<Vec<f32>>,
    /// The class with the largest posterior so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<u32>,
    /// The largest posterior so far; of an answer, lowered for each source that failed or was late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// Why: what became of a source, why nobody is waited for any longer, why there is no answer, why a setting was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What each source had to do with an answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Share>,
    /// Requests before this whose events are not told, since there are too many; or events that were missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
}

/// One source's share in an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Share {
    /// Its name.
    name: String,
    /// What became of asking it.
    fate: &'static str,
    /// The share its opinion had.
    weight: f32,
    /// What it said, as a distribution.
    opinion: Option<Vec<f32>>,
}

/// An event with its name, which is written once for all who read.
#[derive(Debug, Clone)]
struct Line {
    name: &'static str,
    data: Arc<str>,
}

/// Tells those who read, a bounded number of requests each second; without readers it costs nothing.
pub(super) struct Telling {
    lines: broadcast::Sender<Line>,
    most: u32,
    second: Mutex<Second>,
}

/// How many requests have been told of in the second that runs, and how many have not since the last that was.
struct Second {
    since: Instant,
    told: u32,
    skipped: u64,
}

impl Telling {
    pub(super) fn new(most: u32) -> Self {
        let second = Mutex::new(Second { since: Instant::now(), told: 0, skipped: 0 });
        Self { lines: broadcast::Sender::new(WAITING), most, second }
    }

    /// Who is told of a request, if anybody reads and there are not too many.
    pub(super) fn observer(&self, request: u64, question: &Arc<str>) -> Option<Observer> {
        if self.lines.receiver_count() == 0 {
            return None;
        }
        let skipped = {
            let mut second = locked(&self.second);
            if second.since.elapsed() >= Duration::from_secs(1) {
                (second.since, second.told) = (Instant::now(), 0);
            }
            if second.told >= self.most {
                second.skipped += 1;
                return None;
            }
            second.told += 1;
            std::mem::take(&mut second.skipped)
        };
        let about = Told { request: Some(request), question: Some(question.to_string()), ..Told::default() };
        self.tell("asked", &Told { skipped: (skipped > 0).then_some(skipped), ..about.clone() });
        let lines = self.lines.clone();
        Some(Arc::new(move |names: &[Arc<str>], event: Event| {
            if let Some((name, told)) = told(&about, names, event) {
                send(&lines, name, &told);
            }
        }))
    }

    /// Tells how a request ended of which the rest was told.
    pub(super) fn ended(&self, request: u64, question: &Arc<str>, outcome: Result<&Outcome, &Error>) {
        let about = Told { request: Some(request), question: Some(question.to_string()), ..Told::default() };
        match outcome {
            Ok(outcome) => {
                let share = |report: &Report| Share {
                    name: report.name.to_string(),
                    fate: report.fate.name(),
                    weight: report.weight,
                    opinion: report
                        .opinion
                        .as_ref()
                        .and_then(|opinion| opinion.probabilities(outcome.posterior.len()).ok().flatten()),
                };
                let told = Told {
                    posterior: Some(outcome.posterior.clone()),
                    decision: Some(outcome.decision),
                    confidence: Some(outcome.confidence),
                    reason: Some(outcome.stopped.name().to_owned()),
                    sources: outcome.reports.iter().map(share).collect(),
                    ..about
                };
                self.tell("answered", &told);
            }
            Err(error) => self.tell("refused", &Told { reason: Some(error.to_string()), ..about }),
        }
    }

    pub(super) fn tell(&self, name: &'static str, told: &Told) {
        send(&self.lines, name, told);
    }
}

fn send(lines: &broadcast::Sender<Line>, name: &'static str, told: &Told) {
    // Numbers and strings: it does not fail.
    let Ok(data) = serde_json::to_string(told) else { return };
    // Without readers it is nobody's.
    let _ = lines.send(Line { name, data: data.into() });
}

/// An event of a step by its name.
fn told(about: &Told, names: &[Arc<str>], event: Event) -> Option<(&'static str, Told)> {
    let of = |source: usize| Told { source: names.get(source).map(ToString::to_string), ..about.clone() };
    Some(match event {
        Event::Partial { source, opinion } => ("partial", Told { opinion: distribution(&opinion, None), ..of(source) }),
        Event::Arrived { source, opinion, posterior, decision, confidence } => {
            let opinion = distribution(&opinion, Some(posterior.len()));
            let (decision, confidence) = (Some(decision), Some(confidence));
            ("arrived", Told { opinion, posterior: Some(posterior), decision, confidence, ..of(source) })
        }
        Event::Failed { source, fate, error } => {
            ("failed", Told { reason: Some(format!("{}: {error}", fate.name())), ..of(source) })
        }
        Event::Hedged { source } => ("hedged", of(source)),
        Event::Stopped(stopped) => ("stopped", Told { reason: Some(stopped.name().to_owned()), ..about.clone() }),
        Event::Answered(_) | Event::Refused(_) => return None,
    })
}

/// An opinion as a distribution. How many classes there are, most opinions say themselves.
fn distribution(opinion: &Opinion, classes: Option<usize>) -> Option<Vec<f32>> {
    let classes = classes.or(match opinion {
        Opinion::Probabilities(values) | Opinion::LogProbabilities(values) | Opinion::Logits(values) => {
            Some(values.len())
        }
        Opinion::Binary(_) => Some(2),
        _ => None,
    })?;
    opinion.probabilities(classes).ok().flatten()
}

/// Tells, as server-sent events, what sources say as they say it: `asked`, `partial`, `arrived`, `failed`, `hedged`,
/// `stopped`, then `answered` or `refused`; `control`, where the server changes its settings; `missed`, where events came
/// faster than they were read.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    responses(
        (status = 200, description = "Events, each with a JSON object", body = Told, content_type = "text/event-stream"),
        Closed,
    ),
    security(("token" = [])),
)]
pub(super) async fn events(State(shared): State<Arc<Shared>>) -> Sse<impl Stream<Item = Result<Sent, Infallible>>> {
    let (lines, ends) = (shared.telling.lines.subscribe(), shared.ends.subscribe());
    let stream = unfold((lines, ends), async |(mut lines, mut ends)| {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = ends.wait_for(|ends| *ends) => return None,
        };
        let sent = match line {
            Ok(Line { name, data }) => Sent::default().event(name).data(&*data),
            Err(RecvError::Lagged(missed)) => {
                let told = Told { skipped: Some(missed), ..Told::default() };
                Sent::default().event("missed").data(serde_json::to_string(&told).unwrap_or_default())
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(sent), (lines, ends)))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE))
}
