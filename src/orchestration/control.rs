//! Self-optimisation: a controller that reads what was measured, finds what keeps requests from being answered well, and acts
//! within bounds.
//!
//! | part | what it does |
//! |---|---|
//! | [`Controller`] | one [`Step`] for each [`Reading`]: anomalies, a [`Bottleneck`], [`Action`]s, the [`Setting`] from now on |
//! | [`PageHinkley`] | whether a signal has risen |
//! | [`Objective`] | what an action is judged by |
//! | [`Governed`] | a source that is measured, rested and probed as the setting says |
//! | [`Forecaster`] | the load of the next minute, by a model where that beats the last value |
//!
//! Nothing here reads a clock or does anything by itself, but for a governed source's probes: whoever serves measures every
//! 10 s, calls [`Controller::step`] and applies the setting it gets.
//!
//! # What is done
//!
//! An anomaly says that something changed, a threshold whether it matters: only against a bottleneck, which exceeds a
//! threshold, something is done, once it was found in [`Options::persist`] readings in a row.
//!
//! | bottleneck | what is tried, in this order |
//! |---|---|
//! | [`FailingSource`](Bottleneck::FailingSource), [`SlowSource`](Bottleneck::SlowSource) | the source rests |
//! | [`Overload`](Bottleneck::Overload), requests wait | 1.5 times as many at a time, batches twice as large, shedding, 2/3 as many at a time |
//! | [`Overload`](Bottleneck::Overload), none wait | 2/3 as many at a time, batches twice as large, shedding |
//! | [`Device`](Bottleneck::Device) | batches twice as large, the CPU, shedding |
//! | [`Unexplained`](Bottleneck::Unexplained) | nothing |
//!
//! Where some is shed already, shedding more comes first.
//!
//! Sources are put to rest side by side; of all else one action is on trial at a time, none while a source is, and none while
//! what waits gets less or the objective falls by itself. A trial leaves out [`Options::settle`] readings, and up to six in which
//! what waits gets less, and takes the mean [`Objective`] of the next [`Options::judge`]. Risen by more than the margin it is rolled back; so is another number at a
//! time, batch or executor where it has not fallen by as much. Where the load has changed by more than [`Options::steady`],
//! that cannot be told: these are rolled back then, and all else stands. What was rolled back is left alone for [`Options::cool_down`] readings, the n-th
//! time in a row for 2^(n-1) times as many.
//!
//! After [`Options::calm`] readings without a bottleneck one knob goes one step back: a tenth of the requests less is shed,
//! a source that rests and has answered its probes is asked in a quarter of the requests, then in half, then in all. Where a
//! bottleneck is found while that is judged, it is rolled back; where load is one later, but within four times the wait, the
//! first that is done about it is to roll back the last step. Then this source waits, or all other knobs together do, to begin with another of them, likewise
//! for 2^(n-1) cool-downs, or, but for a source, until the load is surely a tenth less, from when on n is counted anew.
//!
//! So each of the three ways of a knob (up, down and back to normal) is tried in a row for nothing at most
//! log2(1 + t / cool-down) + 1 times in t readings, and between tries it stands still ever longer. A success, real or by
//! chance, halves the next wait.
//!
//! # What was measured
//!
//! On simulated readings of 10 s, from seeds, with these defaults (`tests/orchestration/control`):
//!
//! | | |
//! |---|---|
//! | hours with an anomaly where nothing changes, each with twelve signals: latencies lognormal with sigma 0.5, five sources; 3 and 10 requests a second of which 0.1 % fail, 100 of which 1 % fail | 0 of 2 000 each: below 0.0015 an hour at 95 % each |
//! | a source ten times as slow, at 10 requests a second | an anomaly within 3 readings in 100 of 100, at rest within 3 in 50 of 50 |
//! | a source that fails in 20 % of the calls instead of 0.1 % | an anomaly within 3 readings in 100 of 100, at rest within 4 in 50 of 50 |
//! | loads, ramps, bursts, slow and failing sources in 400 random sequences, against four kinds of capacity | in the 900 readings after the last change no knob turned round more than 16 times, in the last 300 of them no more than 4 times |
//! | 400 such sequences, then sources that are well and at most three fifths of the load that can be answered | after 600 readings everything was set as at first, and in the next 300 nothing was done |
//!
//! What is close to its limit all the time, a load at nine tenths of what can be done for one, exceeds it by chance: there
//! something is done now and then, ever more rarely.

mod action;
mod anomaly;
mod baseline;
mod bottleneck;
mod forecast;
mod governed;
mod moves;
mod objective;
mod options;
mod page_hinkley;
mod reading;
mod relief;
mod setting;
pub(crate) mod share;
mod trial;

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

pub use self::action::{Action, Kind, Reason};
use self::anomaly::Watch;
pub use self::anomaly::{Anomaly, Detector, Signal};
pub use self::baseline::Detection;
pub use self::bottleneck::Bottleneck;
use self::bottleneck::Cause;
pub use self::forecast::{Forecast, Forecaster, Horizon, LastValue, Outlook};
pub use self::governed::Governed;
pub use self::objective::Objective;
pub use self::options::{Mode, Options};
pub use self::page_hinkley::{PageHinkley, Rise};
pub use self::reading::{Probe, Quantiles, Reading, SourceReading};
pub use self::setting::{Bounds, Executor, Knob, Setting, Value};
use self::trial::{Key, Restraint, Trial};
use crate::error::Result;

/// Decides after every reading how requests are carried out from then on; see the [module](self).
///
/// It is a function of its options, its first setting and the readings so far. Only in [`Mode::Act`] does the setting change.
///
/// # Examples
///
/// *A source takes a second where the others take ten milliseconds.*
///
/// ```
/// use std::collections::BTreeMap;
/// use std::time::Duration;
///
/// use consilience::orchestration::control::{
///     Bottleneck, Controller, Executor, Kind, Mode, Options, Quantiles, Reading, Setting, SourceReading,
/// };
///
/// let normal = Setting { concurrency: 64, batch: 256, executor: Executor::Auto, shed: 0.0, trust: BTreeMap::new() };
/// let mut controller = Controller::new(Options { mode: Mode::Act, ..Options::default() }, normal)?;
///
/// let all = |millis| Some(Quantiles { p50: millis, p95: millis, p99: millis });
/// let (fast, slow) = (Duration::from_millis(10), Duration::from_secs(1));
/// let source = |name: &str, latency| SourceReading { name: name.into(), calls: 100, latency, ..Default::default() };
/// let reading = Reading {
///     length: Duration::from_secs(10),
///     arrivals: 100,
///     ended: 100,
///     latency: all(slow),
///     sources: vec![source("table", all(fast)), source("model", all(slow))],
///     ..Default::default()
/// };
/// let first = controller.step(&reading);
/// assert_eq!(first.bottleneck, Bottleneck::SlowSource { source: "model".into(), p95: slow });
/// assert!(first.actions.is_empty(), "one reading is not enough");
/// let second = controller.step(&reading);
/// assert_eq!((second.actions[0].kind, second.setting.trust("model")), (Kind::Taken, 0.0));
/// assert_eq!(
///     second.actions[0].to_string(),
///     "the trust in `model` goes from 1.00 to 0.00: a call of `model` in twenty takes 1.0s or more"
/// );
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Controller {
    options: Options,
    normal: Setting,
    setting: Setting,
    watch: Watch,
    /// Readings so far.
    now: u64,
    /// Readings in a row that found a cause.
    streaks: BTreeMap<Cause, u32>,
    /// Readings in a row without a bottleneck, since the last step back.
    calm: u32,
    /// The last objectives, as many as judge.
    recent: VecDeque<f64>,
    /// Good probes in a row of each source that rests.
    good_probes: BTreeMap<String, u32>,
    trials: Vec<Trial>,
    restraints: BTreeMap<Key, Restraint>,
    /// The reading after which a knob last turned out not to be able to go back.
    refused: BTreeMap<Knob, u64>,
    /// Requests that came in each of the last readings, as many as make a calm.
    arrivals: VecDeque<u64>,
    /// The objective and what waited in the reading before.
    before: Option<(f64, u64)>,
    /// The reading before which nothing new is done about load: what was undone has yet to show.
    resting: u64,
    log: VecDeque<Action>,
}

/// What came of one reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[must_use]
pub struct Step {
    /// What was out of the ordinary.
    pub anomalies: Vec<Anomaly>,
    /// The worst of what keeps requests from being answered well.
    pub bottleneck: Bottleneck,
    /// How far the reading is from what is wanted.
    pub objective: Objective,
    /// What was done, or would be.
    pub actions: Vec<Action>,
    /// How requests are to be carried out from now on.
    pub setting: Setting,
}

impl Controller {
    /// A controller that has read nothing. The setting is what is normal: it goes back there when all is well.
    ///
    /// # Errors
    ///
    /// An option outside its range, a setting outside of the bounds.
    pub fn new(options: Options, normal: Setting) -> Result<Self> {
        options.check()?;
        normal.check(&options.bounds)?;
        Ok(Self {
            watch: Watch::new(&options),
            setting: normal.clone(),
            options,
            normal,
            now: 0,
            streaks: BTreeMap::new(),
            calm: 0,
            recent: VecDeque::new(),
            good_probes: BTreeMap::new(),
            trials: Vec::new(),
            restraints: BTreeMap::new(),
            refused: BTreeMap::new(),
            arrivals: VecDeque::new(),
            before: None,
            resting: 0,
            log: VecDeque::new(),
        })
    }

    /// Takes in what an interval measured under [`Controller::setting`].
    pub fn step(&mut self, reading: &Reading) -> Step {
        self.now += 1;
        let anomalies = self.watch.observe(reading, self.setting.shed, &self.options);
        let found = Bottleneck::find(reading, &self.setting, &self.options);
        let objective = Objective::of(reading, &self.setting, &self.normal, &self.options);
        self.count(reading, &found, anomalies.is_empty(), objective.total());
        let actions = match self.options.mode {
            Mode::Observe => Vec::new(),
            Mode::Advise => self.advise(reading, &found),
            Mode::Act => {
                let mut actions = self.judge(reading, &found, objective.total());
                actions.extend(self.relieve(reading, &found, objective.total()));
                actions.extend(self.go_back(reading));
                actions
            }
        };
        self.before = Some((objective.total(), reading.queued));
        self.remember(&actions);
        let bottleneck = found.into_iter().next().unwrap_or(Bottleneck::None);
        Step { anomalies, bottleneck, objective, actions, setting: self.setting.clone() }
    }

    /// What stands of earlier readings.
    fn count(&mut self, reading: &Reading, found: &[Bottleneck], ordinary: bool, objective: f64) {
        let causes: Vec<Cause> = found.iter().filter_map(Bottleneck::cause).collect();
        self.streaks.retain(|cause, _| causes.contains(cause));
        for cause in causes {
            let streak = self.streaks.entry(cause).or_default();
            *streak = streak.saturating_add(1);
        }
        self.calm = if found.is_empty() && ordinary { self.calm.saturating_add(1) } else { 0 };
        self.recent.push_front(objective);
        self.recent.truncate(self.options.judge as usize);
        self.arrivals.push_front(reading.arrivals);
        self.arrivals.truncate(self.options.calm as usize);
        for source in &reading.sources {
            if self.setting.trust(&source.name) > 0.0 {
                self.good_probes.remove(&source.name);
                continue;
            }
            let good = self.good_probes.entry(source.name.clone()).or_default();
            for probe in &source.probes {
                // What is only just in time would be found slow again by chance.
                let is_good = probe.answered && probe.latency <= self.options.latency / 2;
                *good = if is_good { good.saturating_add(1) } else { 0 };
            }
        }
    }

    fn remember(&mut self, actions: &[Action]) {
        self.log.extend(actions.iter().cloned());
        let excess = self.log.len().saturating_sub(self.options.log);
        self.log.drain(..excess);
    }

    /// How requests are to be carried out.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// What it goes back to when all is well.
    #[must_use]
    pub fn normal(&self) -> &Setting {
        &self.normal
    }

    /// How it decides.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The last actions, the oldest first.
    pub fn log(&self) -> impl ExactSizeIterator<Item = &Action> {
        self.log.iter()
    }

    /// Goes so far from now on. Out of [`Mode::Act`] the setting stays as it is, and what is on trial is not judged.
    pub fn set_mode(&mut self, mode: Mode) {
        if self.options.mode != mode {
            self.trials.clear();
        }
        self.options.mode = mode;
    }
}
