//! The controller at work: what was measured goes to it, and what it says is done.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{Counter, Gauge, Unit};
use serde::Serialize;
use utoipa::ToSchema;

use super::events::Told;
use super::shared::Shared;
use super::window::Turned;
use crate::engine::{Engine, Spent};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::orchestration::Service;
use crate::orchestration::control::share::Share;
use crate::orchestration::control::{
    Action, Bottleneck, Controller, Executor, Forecaster, Governed, Kind, Mode, Options, Outlook, Quantiles, Reading,
    Setting, Step,
};
use crate::orchestration::lock::locked;
use crate::orchestration::telemetry::{Label, Metric, PerVariant, counter, gauge};

/// Actions of the controller, by [`Kind`].
pub const CONTROL_ACTIONS: Metric =
    counter("consilience_control_actions_total", Unit::Count, "Actions of the controller, by whether they were done");

/// Anomalies that the controller found.
pub const CONTROL_ALARMS: Metric =
    counter("consilience_control_alarms_total", Unit::Count, "Anomalies that the controller found");

/// How far what was measured last is from what is wanted.
pub const CONTROL_OBJECTIVE: Metric = gauge(
    "consilience_control_objective",
    Unit::Count,
    "How far what was measured last is from what is wanted: 0 is as it should be",
);

/// Requests that may be under way at a time.
pub const CONTROL_MOST_AT_ONCE: Metric =
    gauge("consilience_control_most_at_once", Unit::Count, "Requests that may be under way at a time");

/// The share of requests that is turned away.
pub const CONTROL_SHED: Metric =
    gauge("consilience_control_shed_ratio", Unit::Count, "The share of requests that is turned away on arrival");

/// Sources that rest.
pub const CONTROL_RESTING: Metric =
    gauge("consilience_control_sources_resting", Unit::Count, "Sources that are asked in no request for now");

impl Label for Kind {
    const KEY: &'static str = "kind";
    const ALL: &'static [Self] = &[Self::Advised, Self::Taken, Self::RolledBack];

    fn name(self) -> &'static str {
        Kind::name(self)
    }
}

/// The controller, and what it sets.
pub(super) struct Steering {
    controller: Mutex<Controller>,
    governed: Vec<Arc<Governed<str>>>,
    /// What batches are fused on where the controller says so, beside a GPU.
    cpu: Option<Arc<Engine>>,
    /// The share of requests that is turned away.
    shed: Share,
    told: Mutex<Standing>,
    minutes: Mutex<Minutes>,
    meters: Meters,
}

/// The load, minute by minute.
struct Minutes {
    forecaster: Option<Forecaster>,
    /// Requests of the minute that runs, and how much of it is over.
    arrivals: u64,
    over: Duration,
    outlook: Option<Outlook>,
}

impl Minutes {
    /// Takes in an interval; what is expected of the next minute, in requests a second, once one is over.
    fn observe(&mut self, arrivals: u64, length: Duration) -> Option<f64> {
        let forecaster = self.forecaster.as_mut()?;
        self.arrivals += arrivals;
        self.over += length;
        if self.over >= MINUTE {
            self.outlook = Some(forecaster.observe(self.arrivals as f64 / self.over.as_secs_f64()));
            (self.arrivals, self.over) = (0, Duration::ZERO);
        }
        self.outlook.map(|outlook| outlook.value)
    }
}

/// What a load is predicted of. Intervals are a little longer than they are said to be, or shorter.
const MINUTE: Duration = Duration::from_millis(59_500);

/// What came of the last reading.
#[derive(Default)]
struct Standing {
    last: Option<Step>,
    spent: Option<Spent>,
}

struct Meters {
    actions: PerVariant<Kind>,
    alarms: Counter,
    objective: Gauge,
    most_at_once: Gauge,
    shed: Gauge,
    resting: Gauge,
}

/// What the controller sees, says and does.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Control {
    /// How far it goes: `observe`, `advise` or `act`.
    #[schema(value_type = String)]
    pub mode: Mode,
    /// What keeps requests from being answered well, in words; none where nothing does.
    bottleneck: Option<String>,
    /// What was out of the ordinary in the last interval.
    anomalies: Vec<String>,
    /// How far the last interval was from what is wanted; 0 is as it should be.
    objective: Option<f64>,
    /// What is expected of the next minute; none before the first is over, or where nothing is forecast.
    outlook: Option<Expected>,
    /// How requests are carried out.
    setting: Set,
    /// The last actions, the oldest first.
    log: Vec<Act>,
}

/// The load that is expected.
#[derive(Debug, Serialize, ToSchema)]
struct Expected {
    /// Requests a second.
    rate: f64,
    /// Whether the model says so, which has beaten the last value of late; else it is the last value.
    by_model: bool,
    /// How far off the last value was on average, in requests a second.
    error_of_last: Option<f64>,
    /// How far off the model was over the same minutes.
    error_of_model: Option<f64>,
}

/// How requests are carried out.
#[derive(Debug, Serialize, ToSchema)]
struct Set {
    /// Requests that may be under way at a time.
    concurrency: u64,
    /// Requests that are fused at once, at most.
    batch: u64,
    /// What batches are fused on: `auto`, `cpu` or `gpu`.
    executor: &'static str,
    /// The share of requests that is turned away.
    shed: f64,
    /// Sources that are asked in a part of the requests only, with that part.
    trust: std::collections::BTreeMap<String, f64>,
}

/// One action.
#[derive(Debug, Serialize, ToSchema)]
struct Act {
    /// When it was decided on, in seconds since the server began.
    at_s: f64,
    /// Whether it was done: `advised`, `taken` or `rolled_back`.
    kind: &'static str,
    /// What was set.
    what: String,
    /// Why.
    reason: String,
}

impl Meters {
    /// Registers every series with the current recorder.
    fn new() -> Self {
        Self {
            actions: PerVariant::new(&CONTROL_ACTIONS),
            alarms: CONTROL_ALARMS.counter(),
            objective: CONTROL_OBJECTIVE.gauge(),
            most_at_once: CONTROL_MOST_AT_ONCE.gauge(),
            shed: CONTROL_SHED.gauge(),
            resting: CONTROL_RESTING.gauge(),
        }
    }

    fn show(&self, setting: &Setting) {
        self.most_at_once.set(setting.concurrency as f64);
        self.shed.set(setting.shed);
        self.resting.set(setting.trust.values().filter(|trust| **trust == 0.0).count() as f64);
    }
}

impl Steering {
    /// What is normal is how the service is set now. Where nothing was said, the bounds include that. What there is but one of
    /// is left alone: the size of batches without a batcher, the executor without a GPU.
    pub(super) fn new(
        options: Option<Options>,
        governed: Vec<Arc<Governed<str>>>,
        forecaster: Option<Forecaster>,
        service: &Service<str>,
        engine: &Engine,
    ) -> Result<Self> {
        let concurrency = service.most_at_once() as u64;
        let mut options = options.unwrap_or_else(|| {
            let mut options = Options::default();
            let range = &options.bounds.concurrency;
            options.bounds.concurrency = concurrency.min(*range.start())..=concurrency.max(*range.end());
            options
        });
        let batch = service.fuser().batcher().map(|batcher| batcher.batch_requests() as u64);
        if batch.is_none() {
            options.bounds.batch = 1..=1;
        }
        let cpu = if engine.is_gpu() { Some(Arc::new(Engine::cpu()?)) } else { None };
        options.bounds.executor &= cpu.is_some();
        let (executor, trust) = (Executor::Auto, std::collections::BTreeMap::new());
        let setting = Setting { concurrency, batch: batch.unwrap_or(1), executor, shed: 0.0, trust };
        let meters = Meters::new();
        meters.show(&setting);
        Ok(Self {
            controller: Mutex::new(Controller::new(options, setting)?),
            governed,
            cpu,
            shed: Share::new(0.0),
            told: Mutex::default(),
            minutes: Mutex::new(Minutes { forecaster, arrivals: 0, over: Duration::ZERO, outlook: None }),
            meters,
        })
    }

    /// Whether a request is to be turned away.
    pub(super) fn turns_away(&self) -> bool {
        self.shed.takes()
    }

    /// What batches are fused on.
    pub(super) fn engine<'a>(&'a self, usual: &'a Arc<Engine>) -> &'a Arc<Engine> {
        match &self.cpu {
            Some(cpu) if locked(&self.controller).setting().executor == Executor::Cpu => cpu,
            _ => usual,
        }
    }

    /// Whether a source is asked in no request for now.
    pub(super) fn rests(&self, source: &str) -> bool {
        locked(&self.controller).setting().trust(source) == 0.0
    }

    pub(super) fn set_mode(&self, mode: Mode) {
        locked(&self.controller).set_mode(mode);
    }

    /// Shows the controller what was measured, and does what it says.
    pub(super) fn look(&self, shared: &Shared, turned: &Turned) {
        let reading = self.reading(shared, turned);
        let step = locked(&self.controller).step(&reading);
        self.meters.alarms.increment(step.anomalies.len() as u64);
        self.meters.objective.set(step.objective.total());
        for anomaly in &step.anomalies {
            tracing::warn!(%anomaly, "out of the ordinary");
        }
        for action in &step.actions {
            tracing::info!(%action, kind = action.kind.name(), "the controller");
            self.meters.actions.count(action.kind);
            let (kind, reason) = (action.kind.name(), action.to_string());
            shared
                .telling
                .tell("control", &Told { source: Some(kind.to_owned()), reason: Some(reason), ..Told::default() });
        }
        self.apply(shared, &step.setting);
        locked(&self.told).last = Some(step);
    }

    fn apply(&self, shared: &Shared, setting: &Setting) {
        shared.service.set_most_at_once(usize::try_from(setting.concurrency).unwrap_or(usize::MAX));
        if let Some(batcher) = shared.service.fuser().batcher() {
            batcher.set_batch_requests(usize::try_from(setting.batch).unwrap_or(usize::MAX));
        }
        self.shed.set(setting.shed);
        self.governed.iter().for_each(|source| source.obey(setting));
        self.meters.show(setting);
    }

    fn reading(&self, shared: &Shared, turned: &Turned) -> Reading {
        let stats = shared.service.stats();
        let queued = shared.service.fuser().stats().map_or(0, |stats| stats.queued as u64);
        Reading {
            at: shared.window.uptime(),
            length: turned.length,
            arrivals: turned.arrivals,
            ended: turned.track.observations(),
            errors: turned.track.observations() - turned.track.successes(),
            refused: turned.refused,
            latency: Quantiles::of(&turned.track),
            under_way: stats.under_way,
            queued,
            device_share: self.device_share(&shared.engine, turned.length),
            expected: locked(&self.minutes).observe(turned.arrivals, turned.length),
            sources: self.governed.iter().map(|source| source.take()).collect(),
        }
    }

    /// The share of the interval in which the accelerator fused.
    fn device_share(&self, engine: &Engine, length: Duration) -> Option<f64> {
        if !engine.is_gpu() || length.is_zero() {
            return None;
        }
        let now = engine.spent(Kernel::Pool);
        let spent = now.since(&locked(&self.told).spent.replace(now).unwrap_or_default());
        Some((spent.timing.kernels?.as_secs_f64() / length.as_secs_f64()).min(1.0))
    }

    pub(super) fn control(&self) -> Control {
        let controller = locked(&self.controller);
        let setting = controller.setting().clone();
        let told = locked(&self.told);
        let last = told.last.as_ref();
        let bottleneck = last.map(|step| &step.bottleneck).filter(|found| **found != Bottleneck::None);
        Control {
            mode: controller.options().mode,
            bottleneck: bottleneck.map(ToString::to_string),
            anomalies: last.map(|step| step.anomalies.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            objective: last.map(|step| step.objective.total()),
            outlook: locked(&self.minutes).outlook.map(Expected::of),
            setting: Set {
                concurrency: setting.concurrency,
                batch: setting.batch,
                executor: setting.executor.name(),
                shed: setting.shed,
                trust: setting.trust,
            },
            log: controller.log().map(Act::of).collect(),
        }
    }
}

impl Expected {
    fn of(outlook: Outlook) -> Self {
        let Outlook { value, by_candidate, error_of_last, error_of_candidate } = outlook;
        Self { rate: value, by_model: by_candidate, error_of_last, error_of_model: error_of_candidate }
    }
}

impl Act {
    fn of(action: &Action) -> Self {
        Self {
            at_s: action.at.as_secs_f64(),
            kind: action.kind.name(),
            what: format!("{} from {} to {}", action.knob, action.from, action.to),
            reason: action.reason.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orchestration::control::{Horizon, LastValue};

    #[test]
    fn intervals_make_minutes() {
        let forecaster = Some(Forecaster::new(Box::new(LastValue), Horizon::default()).expect("a forecaster"));
        let mut minutes = Minutes { forecaster, arrivals: 0, over: Duration::ZERO, outlook: None };
        let ten = Duration::from_secs(10);
        let expected: Vec<_> = (1..=13).map(|n| minutes.observe(100 * n, ten)).collect();
        // (100 + ... + 600) in a minute, then (700 + ... + 1200).
        assert_eq!(expected[..6], [None, None, None, None, None, Some(35.0)]);
        assert_eq!(expected[6..], [35.0, 35.0, 35.0, 35.0, 35.0, 95.0, 95.0].map(Some));
        let mut none = Minutes { forecaster: None, ..minutes };
        assert_eq!(none.observe(100, 7 * ten), None);
    }
}
