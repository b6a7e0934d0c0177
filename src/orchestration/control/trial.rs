//! An action that has yet to show what it is worth, and what is remembered of those that were worth nothing.

use super::action::Reason;
use super::bottleneck::{Bottleneck, Cause};
use super::moves::Way;
use super::options::Options;
use super::setting::{Knob, Value};

/// An action on trial.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub knob: Knob,
    pub way: Way,
    /// `None` of a step back to normal.
    pub cause: Option<Cause>,
    pub from: Value,
    /// The objective before it.
    pub before: f64,
    /// Requests a second before it.
    pub load: f64,
    /// Readings since.
    pub readings: u32,
    /// Of the readings that judge it: objectives and loads.
    pub sums: (f64, f64),
    /// What exceeded what is allowed in the first of these in which something did.
    pub exceeded: Option<Bottleneck>,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// It stands: better, or no worse where that is enough.
    Stands,
    /// The load was another: nothing can be said.
    Unclear,
    /// It is undone, for this reason.
    Undone(Reason),
}

impl Trial {
    /// Takes in the objective of one more reading; the verdict after the last.
    pub fn observe(
        &mut self,
        objective: f64,
        load: f64,
        found: Option<&Bottleneck>,
        options: &Options,
    ) -> Option<Verdict> {
        self.readings += 1;
        if self.readings <= options.settle {
            return None;
        }
        self.sums = (self.sums.0 + objective, self.sums.1 + load);
        self.exceeded = self.exceeded.take().or_else(|| found.cloned());
        if self.readings - options.settle < options.judge {
            return None;
        }
        let (after, load) = (self.sums.0 / f64::from(options.judge), self.sums.1 / f64::from(options.judge));
        let steady = load <= self.load * (1.0 + options.steady) && self.load <= load * (1.0 + options.steady);
        // What was shed or lent to a source may take longer to help, and costs little; of what is to make more of the same
        // means, only what helps is kept.
        let must_help = matches!(self.knob, Knob::Concurrency | Knob::Batch | Knob::Executor);
        let before = self.before;
        Some(match (self.way, &self.exceeded) {
            (Way::Back, Some(bottleneck)) => Verdict::Undone(Reason::Back(bottleneck.clone())),
            _ if !steady => Verdict::Unclear,
            _ if after > before + options.margin => Verdict::Undone(Reason::Worse { before, after }),
            (Way::Up | Way::Down, _) if must_help && after >= before - options.margin => {
                Verdict::Undone(Reason::NoBetter { before, after })
            }
            _ => Verdict::Stands,
        })
    }
}

/// What is remembered of one way of a knob.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Restraint {
    /// How often in a row it was of no use.
    failures: u32,
    /// The reading before which it is not tried again.
    until: u64,
    /// Requests a second when it last was of no use.
    load: f64,
    /// The reading at which the last step back was taken that has not been regretted.
    returned: Option<u64>,
}

/// By how much the load must have fallen for a way back not to wait.
const LESS: f64 = 0.9;
/// The doublings after which a wait gets no longer: 2^16 five minutes are more than half a year.
const MOST: u32 = 16;

impl Restraint {
    /// It was of no use; it is left alone twice as long as the last time.
    pub fn fail(&mut self, now: u64, load: f64, options: &Options) {
        self.until = now.saturating_add(self.wait(options));
        self.failures = self.failures.saturating_add(1);
        (self.load, self.returned) = (load, None);
    }

    /// A step back was taken.
    pub fn step(&mut self, now: u64) {
        self.returned = Some(now);
    }

    /// The knob had to leave its normal place again: soon after the last step back, that was a failure of it; after longer
    /// than it would have been left alone, nothing of before counts any more.
    pub fn relapse(&mut self, now: u64, load: f64, options: &Options) {
        let Some(returned) = self.returned else { return };
        if now - returned <= self.wait(options) {
            self.fail(now, load, options);
        } else {
            *self = Self::default();
        }
    }

    /// Whether it may be tried.
    pub fn is_over(&self, now: u64) -> bool {
        now >= self.until
    }

    /// Whether less comes than when it failed, so that it may be tried before the wait is over.
    pub fn is_eased(&self, load: f64) -> bool {
        load < LESS * self.load
    }

    /// The number that doubled as often as it failed.
    pub fn doubled(&self, number: u32) -> u32 {
        number.saturating_mul(1 << self.failures.min(MOST))
    }

    fn wait(&self, options: &Options) -> u64 {
        u64::from(options.cool_down) << self.failures.min(MOST)
    }
}
