//! One request through the router, the sources and the fusion; and what would have been right.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json as Answering;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::body::Json;
use super::problem::{Closed, Problem, TooMany, Unread};
use super::shared::{Admitted, Shared};
use crate::error::{ErrorKind, RequestError};
use crate::orchestration::parallel_fusion::Report;
use crate::orchestration::service::{Answer, Recorded};
use crate::orchestration::telemetry::Label;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// What the sources are asked, in words.
    #[schema(min_length = 1)]
    question: String,
    /// How long the answer may take, in milliseconds, up to the server's limit; else as long as the service gives.
    #[schema(minimum = 1, maximum = 60_000)]
    deadline_ms: Option<u64>,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answered {
    /// Its number, to say later what would have been right. Numbers rise, also from one run of the server to the next.
    request: u64,
    /// The class with the largest posterior.
    decision: u32,
    /// What that class is called, if classes have names.
    label: Option<String>,
    /// The largest posterior, lowered for each source that failed or was late.
    confidence: f32,
    /// The fused distribution, one value per class.
    posterior: Vec<f32>,
    /// How far the opinions are apart, in [0, 1].
    disagreement: f32,
    /// The words of the source that says most for the decision.
    content: Option<String>,
    /// Why no further source was waited for.
    stopped: &'static str,
    /// The way that the router chose to ask.
    way: &'static str,
    /// Why the router chose whom to ask as it did.
    reason: &'static str,
    /// Whether the answer is on record.
    recorded: OnRecord,
    /// How long it took, in milliseconds.
    elapsed_ms: f64,
    /// Every source that was asked in the step that gave the answer.
    sources: Vec<Part>,
}

/// Whether an answer is on record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
enum OnRecord {
    /// There is no ledger.
    Off,
    /// It is not sure enough to be kept.
    Below,
    /// It is on the disk.
    As {
        /// Under this number.
        id: u64,
    },
    /// The disk had not answered at the deadline.
    Late,
    /// The ledger failed.
    Failed {
        /// How.
        why: String,
    },
}

/// One source's part in an answer.
#[derive(Debug, Serialize, ToSchema)]
struct Part {
    /// Its name.
    name: String,
    /// What became of asking it.
    fate: &'static str,
    /// The share its opinion had.
    weight: f32,
    /// Until it answered, failed or was given up, in milliseconds.
    latency_ms: f64,
    /// What it said, as a distribution over the classes; none where it gave no opinion.
    opinion: Option<Vec<f32>>,
    /// What it said in words.
    content: Option<String>,
    /// What kept it from giving an opinion.
    error: Option<String>,
}

/// What would have been right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Truth {
    /// The number of the request.
    request: u64,
    /// The class that is true.
    truth: u32,
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Part {
    fn of(report: &Report, classes: usize) -> Self {
        let opinion = report.opinion.as_ref().and_then(|opinion| opinion.probabilities(classes).ok().flatten());
        Self {
            name: report.name.to_string(),
            fate: report.fate.name(),
            weight: report.weight,
            latency_ms: ms(report.latency),
            opinion,
            content: report.content.clone(),
            error: report.error.as_ref().map(ToString::to_string),
        }
    }
}

impl Answered {
    fn of(request: u64, answer: &Answer, labels: &[String]) -> Self {
        let Answer { outcome, choice, recorded, .. } = answer;
        let classes = outcome.posterior.len();
        Self {
            request,
            decision: outcome.decision,
            label: labels.get(outcome.decision as usize).cloned(),
            confidence: outcome.confidence,
            posterior: outcome.posterior.clone(),
            disagreement: outcome.disagreement,
            content: outcome.content.clone(),
            stopped: outcome.stopped.name(),
            way: choice.way.name(),
            reason: choice.reason.name(),
            recorded: match recorded {
                Recorded::Off => OnRecord::Off,
                Recorded::Below => OnRecord::Below,
                Recorded::As(id) => OnRecord::As { id: *id },
                Recorded::Late => OnRecord::Late,
                Recorded::Failed(error) => OnRecord::Failed { why: error.to_string() },
            },
            elapsed_ms: ms(outcome.elapsed),
            sources: outcome.reports.iter().map(|report| Part::of(report, classes)).collect(),
        }
    }
}

/// Answers one question: routed to groups of sources, who are asked at once and fused.
#[utoipa::path(
    post,
    path = "/api/v1/unified/process",
    tag = "unified",
    request_body = Asked,
    responses(
        (status = 200, description = "An answer", body = Answered),
        (status = 422, description = "The body is no question", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The engine fails", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Every source failed", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "No source answered in time", body = Problem, content_type = "application/problem+json"),
        Closed,
        Unread,
        TooMany,
    ),
    security(("token" = [])),
)]
pub(super) async fn process(
    State(shared): State<Arc<Shared>>,
    _: Admitted,
    Json(asked): Json<Asked>,
) -> Result<Answering<Answered>, Problem> {
    let unprocessable = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    if asked.question.is_empty() {
        return Err(unprocessable("`question` is empty; ask something".to_owned()));
    }
    let longest = shared.options.longest_deadline;
    let deadline = match asked.deadline_ms.map(Duration::from_millis) {
        Some(time) if time.is_zero() || time > longest => {
            let most = longest.as_millis();
            return Err(unprocessable(format!("`deadline_ms` is {}; it must be from 1 to {most}", time.as_millis())));
        }
        Some(time) => time,
        None => shared.service.options().fusion.deadline.min(longest),
    };
    let number = shared.number();
    let question: Arc<str> = asked.question.into();
    let observer = shared.telling.observer(number, &question);
    let observed = observer.is_some();
    let answer = shared.service.ask_observed(Arc::clone(&question), Instant::now() + deadline, observer).await;
    if observed {
        shared.telling.ended(number, &question, answer.as_ref().map(|answer| &answer.outcome));
    }
    let answer = Arc::new(answer?);
    let answered = Answered::of(number, &answer, &shared.labels);
    shared.keep(number, answer);
    Ok(Answering(answered))
}

/// Says what would have been the right answer to a request, from which the service learns whom to trust. It can be said once.
#[utoipa::path(
    post,
    path = "/api/v1/unified/feedback",
    tag = "unified",
    request_body = Truth,
    responses(
        (status = 204, description = "Learned"),
        (status = 404, description = "No answer of that number is kept", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "There is no such class", body = Problem, content_type = "application/problem+json"),
        Closed,
        Unread,
    ),
    security(("token" = [])),
)]
pub(super) async fn feedback(
    State(shared): State<Arc<Shared>>,
    Json(told): Json<Truth>,
) -> Result<StatusCode, Problem> {
    let answer = shared.kept(told.request).map_err(|error| match error.kind() {
        ErrorKind::Request(RequestError::UnknownName { .. }) => Problem::new(StatusCode::NOT_FOUND, error.to_string()),
        _ => error.into(),
    })?;
    if let Err(error) = shared.service.learn(&answer, told.truth) {
        // A truth that is no class is not the last word.
        shared.keep(told.request, answer);
        return Err(error.into());
    }
    shared.learned.store(true, Ordering::Release);
    Ok(StatusCode::NO_CONTENT)
}
