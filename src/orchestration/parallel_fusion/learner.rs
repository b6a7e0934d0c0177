//! What is kept from one request to the next.

use std::sync::Arc;
use std::time::Duration;

use super::options::{Hedge, Options};
use super::outcome::{Fate, Outcome, Report};
use crate::engine::Engine;
use crate::error::{LabelError, Result, StateError};
use crate::methods::learning::Weights;
use crate::orchestration::fuse::Case;
use crate::orchestration::statistics::Track;
use crate::orchestration::stop::Lock;
use crate::orchestration::weigh::Weigh;
use crate::spec::{Fusion, Member, Rule, Weighting};
use crate::tensor::{Evidence, Output};

/// What an outcome is made of.
const OUTPUTS: [Output; 5] =
    [Output::Posterior, Output::Decision, Output::Confidence, Output::Disagreement, Output::Flags];

/// Answers known of a source before its own latencies say when it is slow.
const KNOWN: u64 = 20;

/// Second calls that can be saved up.
const SAVED: f64 = 10.0;

/// Tracks, weights, and the fusion that they make.
#[derive(Debug)]
pub(super) struct Learner {
    pub tracks: Vec<Track>,
    /// Shared with the requests under way, which end by the fusion they began with.
    pub current: Arc<Current>,
    given: Fusion,
    locks: bool,
    weights: Option<Weights>,
    second_calls: f64,
}

/// A fusion with what follows from it.
#[derive(Debug)]
pub(super) struct Current {
    pub fusion: Arc<Fusion>,
    pub weigh: Weigh,
    pub lock: Option<Lock>,
}

impl Learner {
    pub(super) fn new(engine: &Engine, options: &Options, sources: usize, classes: usize) -> Result<Self> {
        options.check()?;
        let usual = || if sources == 2 { Fusion::two_source() } else { Fusion::default() };
        let given = options.fusion.clone().unwrap_or_else(usual).outputs(&OUTPUTS);
        let weights = options.learning.map(|learning| Weights::new(learning.weights(sources))).transpose()?;
        // Lowers the fusion once, so that what does not fit is found now and not by the first request.
        engine.explain(&given, &Evidence::probabilities(classes, &vec![&[][..]; sources])?)?;
        let current = Arc::new(Current::new(&given, weights.as_ref(), options.stop.lock, sources, classes)?);
        let tracks = vec![Track::default(); sources];
        Ok(Self { tracks, current, given, locks: options.stop.lock, weights, second_calls: 1.0 })
    }

    pub(super) fn weights(&self) -> Option<&Weights> {
        self.weights.as_ref()
    }

    pub(super) fn learn(&mut self, outcome: &Outcome, truth: Option<u32>, classes: usize) -> Result<()> {
        if let Some(label) = truth.filter(|&truth| truth as usize >= classes) {
            return Err(LabelError { item: 0, label, classes }.into());
        }
        let sources = self.tracks.len();
        let reports = outcome.reports.get(..sources).ok_or(StateError::Shape {
            unit: "sources",
            learner: sources,
            evidence: outcome.reports.len(),
        })?;
        let Some(weights) = &mut self.weights else { return Ok(()) };
        let opinions = reports.iter().map(|report| report.opinion.clone()).collect();
        let case = Case::new(Arc::clone(&self.current.fusion), classes, opinions)?;
        case.with_evidence(|evidence| match truth {
            Some(truth) => weights.update(evidence, &[Some(truth)]),
            None => weights.update_self_reported(evidence),
        })??;
        self.refresh(classes)
    }

    pub(super) fn resume(&mut self, learned: Weights, classes: usize) -> Result<()> {
        if learned.sources() != self.tracks.len() {
            let (learner, evidence) = (learned.sources(), self.tracks.len());
            return Err(StateError::Shape { unit: "sources", learner, evidence }.into());
        }
        self.weights = Some(learned);
        self.refresh(classes)
    }

    fn refresh(&mut self, classes: usize) -> Result<()> {
        let sources = self.tracks.len();
        self.current = Arc::new(Current::new(&self.given, self.weights.as_ref(), self.locks, sources, classes)?);
        Ok(())
    }

    /// Counts what became of a request. Nothing is known of a source that was cancelled, or that was not asked after all: it
    /// abstained at the cost of no call.
    pub(super) fn count<'a>(&mut self, reports: impl Iterator<Item = &'a Report>) {
        for (track, report) in self.tracks.iter_mut().zip(reports) {
            let rests = report.fate == Fate::Abstained && report.cost.calls == 0;
            if report.fate != Fate::Censored && !rests {
                track.observe(!report.fate.is_failure(), report.latency, report.cost);
            }
        }
    }

    /// How long each source may take before it is slow. The calls of the request save up a share of second ones.
    pub(super) fn begin(&mut self, hedge: &Hedge) -> Vec<Duration> {
        self.second_calls = (self.second_calls + hedge.budget * self.tracks.len() as f64).min(SAVED);
        let slow_after = |track: &Track| {
            let known = track.observations() >= KNOWN;
            known.then(|| track.quantile(hedge.quantile)).flatten().unwrap_or(hedge.before_known)
        };
        self.tracks.iter().map(slow_after).collect()
    }

    /// Whether there is a second call to spend, which is spent.
    pub(super) fn spend_second_call(&mut self) -> bool {
        let may = self.second_calls >= 1.0;
        self.second_calls -= f64::from(u8::from(may));
        may
    }
}

impl Current {
    fn new(given: &Fusion, weights: Option<&Weights>, locks: bool, sources: usize, classes: usize) -> Result<Self> {
        let mut fusion = given.clone();
        if let Some(weights) = weights {
            follow(&mut fusion, weights.weights());
        }
        let weigh = Weigh::of(&fusion.weighting, sources)?;
        let lock = if locks { Some(Lock::new(&fusion, sources, classes)?) } else { None };
        Ok(Self { fusion: Arc::new(fusion), weigh, lock })
    }
}

/// Puts learned weights where the fusion has weights of sources; a weighting by what is said of the item stays.
fn follow(fusion: &mut Fusion, weights: Vec<f32>) {
    let put = |rule: &mut Rule| {
        if let Rule::Adaptive { learned } = rule {
            learned.clone_from(&weights);
        }
    };
    match &mut fusion.rule {
        Rule::Ensemble(members) => members.iter_mut().for_each(|Member { rule, .. }| put(rule)),
        rule => put(rule),
    }
    match &mut fusion.weighting {
        Weighting::Fixed(fixed) | Weighting::Performance(fixed) => *fixed = weights,
        Weighting::Adaptive { learned, .. } => *learned = weights,
        _ => {}
    }
}
