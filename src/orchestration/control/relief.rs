//! What a controller does: against what it found, back to normal, and back from what did not help.

use super::Controller;
use super::action::{Action, Kind, Reason};
use super::bottleneck::{Bottleneck, Cause};
use super::moves::{Move, Way, against, back};
use super::reading::Reading;
use super::setting::Knob;
use super::trial::{Restraint, Trial, Verdict};

/// How far above the present load a forecast stands in the way of a step back.
const RISING: f64 = 1.1;

impl Controller {
    /// What would be done, once when a cause has lasted and again after each cool-down.
    pub(super) fn advise(&self, reading: &Reading, found: &[Bottleneck]) -> Vec<Action> {
        let due = |streak: u32| {
            let since = streak.checked_sub(self.options.persist);
            since.is_some_and(|since| since.is_multiple_of(self.options.cool_down))
        };
        let first = |bottleneck: &Bottleneck| {
            due(self.streak(&bottleneck.cause()?)).then_some(())?;
            let (knob, _, to) = against(bottleneck, reading, &self.setting, &self.options).into_iter().next()?;
            let (from, reason) = (self.setting.get(&knob), Reason::Against(bottleneck.clone()));
            Some(Action { at: reading.at, knob, from, to, reason, kind: Kind::Advised })
        };
        found.iter().filter_map(first).collect()
    }

    /// Ends the trials that have been read for long enough.
    pub(super) fn judge(&mut self, reading: &Reading, found: &[Bottleneck], objective: f64) -> Vec<Action> {
        let (load, now) = (reading.load(), self.now);
        let mut actions = Vec::new();
        for mut trial in std::mem::take(&mut self.trials) {
            let reason = match trial.observe(objective, load, found.first(), &self.options) {
                None => {
                    self.trials.push(trial);
                    continue;
                }
                Some(Verdict::Undone(reason)) => reason,
                Some(Verdict::Stands) if trial.way != Way::Back => {
                    self.restraints.remove(&(trial.knob, trial.way));
                    continue;
                }
                Some(Verdict::Stands | Verdict::Unclear) => continue,
            };
            let key = (trial.knob, trial.way);
            self.restraints.entry(key.clone()).or_default().fail(now, load, &self.options);
            let (knob, to) = (key.0, trial.from);
            let from = self.setting.get(&knob);
            self.setting.set(&knob, to);
            self.calm = 0;
            actions.push(Action { at: reading.at, knob, from, to, reason, kind: Kind::RolledBack });
        }
        actions
    }

    /// Begins what is due against what was found.
    pub(super) fn relieve(&mut self, reading: &Reading, found: &[Bottleneck]) -> Vec<Action> {
        let mut actions = Vec::new();
        for bottleneck in found {
            let Some(cause) = bottleneck.cause() else { continue };
            let streak = self.streak(&cause);
            let open = match &cause {
                Cause::Source(_) => {
                    self.trials.iter().all(|trial| matches!(trial.cause, Some(Cause::Source(_)) | None))
                }
                Cause::Load => self.trials.is_empty(),
            };
            if streak < self.options.persist || !open {
                continue;
            }
            let free = |(knob, way, _): &Move| {
                let key = (knob.clone(), *way);
                self.restraints.get(&key).is_none_or(|restraint| restraint.is_over(self.now))
                    && self.trials.iter().all(|trial| trial.knob != *knob)
            };
            let moves = against(bottleneck, reading, &self.setting, &self.options);
            let Some((knob, way, to)) = moves.into_iter().find(free) else { continue };
            if let Some(restraint) = self.restraints.get_mut(&(knob.clone(), Way::Back)) {
                restraint.relapse(self.now, reading.load(), &self.options);
            }
            let reason = Reason::Against(bottleneck.clone());
            actions.push(self.begin((knob, way, to), Some(cause), streak, reason, reading));
        }
        actions
    }

    /// One step of one knob back to normal, if it is time.
    pub(super) fn go_back(&mut self, reading: &Reading) -> Option<Action> {
        if self.calm < self.options.calm || !self.trials.is_empty() {
            return None;
        }
        let load = reading.load();
        let rising = reading.expected.is_some_and(|expected| expected > RISING * load);
        let (knob, reason) = self.setting.off(&self.normal).into_iter().find_map(|knob| {
            let restraint = self.restraints.get(&(knob.clone(), Way::Back)).copied().unwrap_or_default();
            if let Knob::Trust(source) = &knob
                && self.setting.trust(source) == 0.0
            {
                let probes = self.good_probes.get(source).copied().unwrap_or_default();
                let enough = probes >= restraint.doubled(self.options.probes) && restraint.is_over(self.now);
                return enough.then_some((knob, Reason::Recovered { probes }));
            }
            let of_a_source = matches!(knob, Knob::Trust(_));
            let may = restraint.is_over(self.now) || !of_a_source && restraint.is_eased(load);
            (may && (of_a_source || !rising)).then_some((knob, Reason::Calm { readings: self.calm }))
        })?;
        let to = back(&knob, &self.setting, &self.normal);
        let key = (knob, Way::Back);
        self.restraints.entry(key.clone()).or_insert_with(Restraint::default).step(self.now);
        let action = self.begin((key.0, key.1, to), None, self.options.judge, reason, reading);
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
        let load = reading.load();
        let (readings, sums, exceeded) = (0, (0.0, 0.0), None);
        self.trials.push(Trial { knob: knob.clone(), way, cause, from, before, load, readings, sums, exceeded });
        Action { at: reading.at, knob, from, to, reason, kind: Kind::Taken }
    }

    fn streak(&self, cause: &Cause) -> u32 {
        self.streaks.get(cause).copied().unwrap_or_default()
    }
}
