//! What a controller does: against what it found, back to normal, and back from what did not help.

use super::Controller;
use super::action::{Action, Kind, Reason};
use super::bottleneck::{Bottleneck, Cause};
use super::moves::{Move, Way, against, back};
use super::reading::Reading;
use super::setting::{Knob, Value};
use super::trial::{Key, Restraint, Returned, Trial, Verdict};

/// How far above the present load a forecast stands in the way of a step back.
const RISING: f64 = 1.1;
/// What waits is getting less where it is at most this share of what waited in the reading before.
const EASING: f64 = 0.95;

impl Controller {
    /// What would be done, once when a cause has lasted and again after each cool-down.
    pub(super) fn advise(&self, reading: &Reading, found: &[Bottleneck]) -> Vec<Action> {
        let due = |streak: u32| {
            let since = streak.checked_sub(self.options.persist);
            since.is_some_and(|since| since.is_multiple_of(self.options.cool_down))
        };
        let first = |bottleneck: &Bottleneck| {
            due(self.streak(&bottleneck.cause()?)).then_some(())?;
            let (knob, _, to) =
                against(bottleneck, reading, &self.setting, &self.normal, &self.options).into_iter().next()?;
            let (from, reason) = (self.setting.get(&knob), Reason::Against(bottleneck.clone()));
            Some(Action { at: reading.at, knob, from, to, reason, kind: Kind::Advised })
        };
        found.iter().filter_map(first).collect()
    }

    /// Ends the trials that have been read for long enough.
    pub(super) fn judge(&mut self, reading: &Reading, found: &[Bottleneck], objective: f64) -> Vec<Action> {
        let drains = self.drains(reading);
        let mut actions = Vec::new();
        for mut trial in std::mem::take(&mut self.trials) {
            if drains && trial.cause == Some(Cause::Load) && trial.waits() {
                self.trials.push(trial);
                continue;
            }
            let reason = match trial.observe(objective, reading.arrivals, found, &self.options) {
                None => {
                    self.trials.push(trial);
                    continue;
                }
                Some(Verdict::Undone(reason)) => reason,
                Some(Verdict::Stands) if trial.way != Way::Back => {
                    self.restraint(Key::of(&trial.knob, trial.way)).hold();
                    continue;
                }
                Some(Verdict::Stands | Verdict::Unclear) => continue,
            };
            let arrivals = self.came();
            let (now, options) = (self.now, self.options.clone());
            self.restraint(Key::of(&trial.knob, trial.way)).fail(now, arrivals, &options);
            actions.push(self.undo(trial.knob, trial.from, reason, reading));
        }
        actions
    }

    /// Begins what is due against what was found.
    pub(super) fn relieve(&mut self, reading: &Reading, found: &[Bottleneck], objective: f64) -> Vec<Action> {
        let falling = self.before.is_some_and(|(before, _)| objective < before - self.options.margin);
        let easing = falling || self.drains(reading);
        let mut actions = Vec::new();
        for bottleneck in found {
            let Some(cause) = bottleneck.cause() else { continue };
            let streak = self.streak(&cause);
            let open = match &cause {
                Cause::Source(_) => self.trials.iter().all(|trial| trial.cause != Some(Cause::Load)),
                Cause::Load => self.trials.is_empty() && !easing && self.now >= self.resting,
            };
            if streak < self.options.persist || !open {
                continue;
            }
            if let Some(action) = self.regret(&cause, bottleneck, reading) {
                actions.push(action);
                continue;
            }
            let free = |(knob, way, _): &Move| {
                self.restraints.get(&Key::of(knob, *way)).is_none_or(|restraint| restraint.is_over(self.now))
                    && self.trials.iter().all(|trial| trial.knob != *knob)
            };
            let moves = against(bottleneck, reading, &self.setting, &self.normal, &self.options);
            let Some(of) = moves.into_iter().find(free) else { continue };
            let reason = Reason::Against(bottleneck.clone());
            actions.push(self.begin(of, Some(cause), streak, reason, reading));
        }
        actions
    }

    /// Counts a bottleneck against the last step back; of load, undoes that step.
    fn regret(&mut self, cause: &Cause, bottleneck: &Bottleneck, reading: &Reading) -> Option<Action> {
        let key = match cause {
            Cause::Source(source) => Key::One(Knob::Trust(source.clone()), Way::Back),
            Cause::Load => Key::Back,
        };
        let (now, arrivals, options) = (self.now, self.came(), self.options.clone());
        let Returned { knob, from, to, .. } = self.restraint(key).relapse(now, arrivals, &options)?;
        let undone = *cause == Cause::Load && self.setting.get(&knob) == to;
        undone.then(|| self.undo(knob, from, Reason::Back(bottleneck.clone()), reading))
    }

    /// One step of one knob back to normal, if it is time.
    pub(super) fn go_back(&mut self, reading: &Reading) -> Option<Action> {
        if self.calm < self.options.calm || !self.trials.is_empty() {
            return None;
        }
        let (now, arrivals) = (self.now, self.came());
        let rising = reading.expected.is_some_and(|expected| expected > RISING * reading.load());
        // Where one cannot go back, another may be what keeps it there: next time that is tried.
        let mut knobs = self.setting.off(&self.normal);
        knobs.sort_by_key(|knob| self.refused.get(knob).copied());
        let (knob, reason) = knobs.into_iter().find_map(|knob| {
            let restraint = self.restraints.get(&Key::of(&knob, Way::Back)).cloned().unwrap_or_default();
            let is_over = restraint.is_over(now);
            let calm = Reason::Calm { readings: self.calm };
            let Knob::Trust(source) = &knob else {
                return (!rising && (is_over || restraint.is_eased(arrivals))).then_some((knob, calm));
            };
            if self.setting.trust(source) > 0.0 {
                return is_over.then_some((knob, calm));
            }
            let probes = self.good_probes.get(source).copied().unwrap_or_default();
            let enough = probes >= restraint.doubled(self.options.probes);
            (is_over && enough).then_some((knob, Reason::Recovered { probes }))
        })?;
        let (from, to) = (self.setting.get(&knob), back(&knob, &self.setting, &self.normal));
        let returned = Returned { at: now, knob: knob.clone(), from, to };
        let key = Key::of(&knob, Way::Back);
        let is_of_load = key == Key::Back;
        let restraint = self.restraint(key);
        if is_of_load && restraint.is_eased(arrivals) {
            restraint.forget();
        }
        restraint.step(returned);
        let action = self.begin((knob, Way::Back, to), None, self.options.judge, reason, reading);
        self.calm = 0;
        Some(action)
    }

    /// Sets the knob, on trial against the last `readings` objectives.
    fn begin(
        &mut self,
        (knob, way, to): Move,
        cause: Option<Cause>,
        readings: u32,
        reason: Reason,
        reading: &Reading,
    ) -> Action {
        let count = self.recent.len().min(readings as usize).max(1);
        let before = self.recent.iter().take(count).sum::<f64>() / count as f64;
        let from = self.setting.get(&knob);
        self.setting.set(&knob, to);
        let arrivals = self.came_in(self.options.judge);
        let (readings, waited, sums, exceeded, elsewhere) = (0, 0, (0.0, 0.0), None, false);
        self.trials.push(Trial {
            knob: knob.clone(),
            way,
            cause,
            from,
            before,
            arrivals,
            readings,
            waited,
            sums,
            exceeded,
            elsewhere,
        });
        Action { at: reading.at, knob, from, to, reason, kind: Kind::Taken }
    }

    /// Whether what waits gets less.
    fn drains(&self, reading: &Reading) -> bool {
        self.before.is_some_and(|(_, queued)| queued > 0 && reading.queued as f64 <= EASING * queued as f64)
    }

    /// Sets the knob back to what it was; whether that helps is awaited.
    fn undo(&mut self, knob: Knob, to: Value, reason: Reason, reading: &Reading) -> Action {
        let from = self.setting.get(&knob);
        self.setting.set(&knob, to);
        self.calm = 0;
        if matches!(reason, Reason::Back(_)) {
            self.refused.insert(knob.clone(), self.now);
        }
        if !matches!(knob, Knob::Trust(_)) {
            self.resting = self.now + u64::from(self.options.settle) + u64::from(self.options.judge);
        }
        Action { at: reading.at, knob, from, to, reason, kind: Kind::RolledBack }
    }

    fn restraint(&mut self, key: Key) -> &mut Restraint {
        self.restraints.entry(key).or_default()
    }

    /// Requests that came in a reading, over so many of the last.
    fn came_in(&self, readings: u32) -> f64 {
        let last = self.arrivals.iter().take(readings as usize);
        let count = last.len().max(1) as f64;
        last.map(|&arrivals| arrivals as f64).sum::<f64>() / count
    }

    /// Requests that came in the last readings.
    fn came(&self) -> u64 {
        self.arrivals.iter().fold(0, |sum, &arrivals| sum.saturating_add(arrivals))
    }

    fn streak(&self, cause: &Cause) -> u32 {
        self.streaks.get(cause).copied().unwrap_or_default()
    }
}
