//! How the server and its sources do.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json as Answering;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Closed;
use super::shared::Shared;
use super::steering::Control;
use super::window::Interval;
use crate::orchestration::Track;

/// How the server and its sources do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// What the engine runs on.
    engine: String,
    /// Whether requests are taken.
    ready: bool,
    /// For how long the server has run, in seconds.
    uptime_s: f64,
    /// The names of the classes, if they have any.
    classes: Vec<String>,
    /// How the way to ask is chosen.
    strategy: &'static str,
    /// The interval that ended last; none before the first.
    window: Option<Interval>,
    /// The intervals that ended, the oldest first, up to 360.
    history: Vec<Interval>,
    /// Requests under way.
    under_way: u64,
    /// Requests that may be under way at a time.
    most_at_once: usize,
    /// Every source.
    sources: Vec<SourceStatus>,
    /// What the controller sees, says and does.
    control: Control,
}

/// How one source does.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceStatus {
    /// Its name.
    name: String,
    /// Its group.
    group: String,
    /// The weight learned in the step that it was asked in most, or with most others; none where nothing is learned.
    weight: Option<f32>,
    /// How often it was asked.
    calls: u64,
    /// How often it failed or was late.
    failures: u64,
    /// Half of its answers took no longer, in milliseconds.
    p50_ms: Option<f64>,
    /// Nineteen of twenty took no longer, in milliseconds.
    p95_ms: Option<f64>,
    /// Whether the controller has it rest: it is asked in no request for now.
    resting: bool,
}

/// Every source with what is known of it from all steps.
fn sources(shared: &Shared) -> Vec<SourceStatus> {
    struct Known {
        track: Track,
        /// How often it was asked in the step of the weight, and together with how many.
        most: (u64, usize),
        weight: Option<f32>,
    }
    let steps = shared.service.steps();
    let mut known: BTreeMap<Arc<str>, Known> = BTreeMap::new();
    for step in &steps {
        for (place, (name, track)) in step.sources.iter().zip(&step.tracks).enumerate() {
            let new = Known { track: Track::default(), most: (0, 0), weight: None };
            let known = known.entry(Arc::clone(name)).or_insert(new);
            known.track.merge(track);
            let asked = (track.observations(), step.sources.len());
            if asked > known.most {
                known.most = asked;
                known.weight = step.weights.as_ref().and_then(|weights| weights.get(place).copied());
            }
        }
    }
    let ms = |track: &Track, q| track.quantile(q).map(|latency| latency.as_secs_f64() * 1e3);
    (shared.service.sources())
        .into_iter()
        .map(|(group, name)| {
            let known = known.get(name);
            let track = known.map(|known| &known.track);
            SourceStatus {
                name: name.to_owned(),
                group: group.to_owned(),
                weight: known.and_then(|known| known.weight),
                calls: track.map_or(0, Track::observations),
                failures: track.map_or(0, |track| track.observations() - track.successes()),
                p50_ms: track.and_then(|track| ms(track, 0.5)),
                p95_ms: track.and_then(|track| ms(track, 0.95)),
                resting: shared.steering.rests(name),
            }
        })
        .collect()
}

/// How the server and its sources do.
#[utoipa::path(
    get,
    path = "/api/v1/unified/metrics",
    tag = "unified",
    responses(
        (status = 200, description = "How they do", body = Status),
        Closed,
    ),
    security(("token" = [])),
)]
pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Answering<Status> {
    let history = shared.window.past();
    Answering(Status {
        engine: shared.engine.describe(),
        ready: shared.is_ready(),
        uptime_s: shared.window.uptime().as_secs_f64(),
        classes: shared.labels.clone(),
        strategy: shared.service.router().options().strategy.name(),
        window: history.last().cloned(),
        history,
        under_way: shared.service.stats().under_way,
        most_at_once: shared.service.most_at_once(),
        sources: sources(&shared),
        control: shared.steering.control(),
    })
}
