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
    /// Requests that came in a reading before it.
    pub arrivals: f64,
    /// Readings since.
    pub readings: u32,
    /// Readings that were not counted, for what had come before it was still being worked off.
    pub waited: u32,
    /// Of the readings that judge it: objectives and arrivals.
    pub sums: (f64, f64),
    /// What exceeded what is allowed in the first of these in which something did.
    pub exceeded: Option<Bottleneck>,
    /// Whether a source exceeded what is allowed in one of these that the action has nothing to do with.
    pub elsewhere: bool,
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

/// Readings that a trial waits at most for what waits to be worked off.
const PATIENCE: u32 = 6;

impl Trial {
    /// Whether it waits one reading more, for what came before it to be worked off.
    pub fn waits(&mut self) -> bool {
        let waits = self.waited < PATIENCE;
        self.waited += u32::from(waits);
        waits
    }

    /// Takes in the objective of one more reading; the verdict after the last.
    pub fn observe(
        &mut self,
        objective: f64,
        arrivals: u64,
        found: &[Bottleneck],
        options: &Options,
    ) -> Option<Verdict> {
        self.readings += 1;
        if self.readings <= options.settle {
            return None;
        }
        self.sums = (self.sums.0 + objective, self.sums.1 + arrivals as f64);
        for bottleneck in found {
            match (&self.knob, bottleneck.cause()) {
                (Knob::Trust(own), Some(Cause::Source(source))) if *own != source => self.elsewhere = true,
                _ => _ = self.exceeded.get_or_insert_with(|| bottleneck.clone()),
            }
        }
        if self.readings - options.settle < options.judge {
            return None;
        }
        let judges = f64::from(options.judge);
        let (after, came, usual) = (self.sums.0 / judges, self.sums.1 / judges, self.arrivals);
        let change = (came - usual).abs();
        // Three standard deviations of the difference of two means of Poisson counts are chance.
        let steady = change <= options.steady * came.min(usual) || change <= 3.0 * ((came + usual) / judges).sqrt();
        // What was shed or lent to a source may take longer to help, and costs little; of what is to make more of the same
        // means, only what helps is kept.
        let must_help = matches!(self.knob, Knob::Concurrency | Knob::Batch | Knob::Executor);
        let before = self.before;
        Some(match (self.way, &self.exceeded) {
            (Way::Back, Some(bottleneck)) => Verdict::Undone(Reason::Back(bottleneck.clone())),
            (Way::Up | Way::Down, _) if must_help && !steady => {
                Verdict::Undone(Reason::Unclear { before: usual, after: came })
            }
            _ if !steady || self.elsewhere => Verdict::Unclear,
            _ if after > before + options.margin => Verdict::Undone(Reason::Worse { before, after }),
            (Way::Up | Way::Down, _) if must_help && after >= before - options.margin => {
                Verdict::Undone(Reason::NoBetter { before, after })
            }
            _ => Verdict::Stands,
        })
    }
}

/// What is remembered together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// One way of one knob.
    One(Knob, Way),
    /// The way back of all knobs but trust: one of them may be where it is thanks to another.
    Back,
}

impl Key {
    pub fn of(knob: &Knob, way: Way) -> Self {
        match (knob, way) {
            (Knob::Trust(_), _) | (_, Way::Up | Way::Down) => Self::One(knob.clone(), way),
            (_, Way::Back) => Self::Back,
        }
    }
}

/// A step back to normal.
#[derive(Debug, Clone)]
pub(super) struct Returned {
    /// The reading after which it was taken.
    pub at: u64,
    pub knob: Knob,
    pub from: Value,
    pub to: Value,
}

/// How often in a row something was of no use, and how long it is left alone for that.
#[derive(Debug, Clone, Default)]
pub(super) struct Restraint {
    failures: u32,
    /// The reading before which it is not tried again.
    until: u64,
    /// Requests that came in the last readings when it last was of no use.
    arrivals: u64,
    /// The last step back that has not been regretted.
    returned: Option<Returned>,
}

/// By how much the load must have fallen for a way back not to wait.
const LESS: f64 = 0.9;
/// How many times the wait that a failure of it would bring a step back has to last.
const LASTING: u64 = 4;
/// The doublings after which a wait gets no longer: 2^16 times five minutes are more than half a year.
const MOST: u32 = 16;

impl Restraint {
    /// It was of no use; it is left alone twice as long as the last time.
    pub fn fail(&mut self, now: u64, arrivals: u64, options: &Options) {
        self.until = now.saturating_add(self.wait(options));
        self.failures = self.failures.saturating_add(1);
        (self.arrivals, self.returned) = (arrivals, None);
    }

    /// It was of use.
    pub fn hold(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }

    /// How often it failed is forgotten: what it failed under is over.
    pub fn forget(&mut self) {
        self.failures = 0;
    }

    /// A step back was taken.
    pub fn step(&mut self, returned: Returned) {
        self.returned = Some(returned);
    }

    /// What is wrong now was put right before. The last step back, where it has not lasted: that is a failure of it. If it
    /// has, it was of use.
    pub fn relapse(&mut self, now: u64, arrivals: u64, options: &Options) -> Option<Returned> {
        let returned = self.returned.take()?;
        if now - returned.at <= LASTING * self.wait(options) {
            self.fail(now, arrivals, options);
            return Some(returned);
        }
        self.hold();
        None
    }

    /// Whether it may be tried.
    pub fn is_over(&self, now: u64) -> bool {
        now >= self.until
    }

    /// Whether less comes than when it failed, by more than chance, so that it may be tried before the wait is over.
    pub fn is_eased(&self, arrivals: u64) -> bool {
        let (before, now) = (self.arrivals as f64, arrivals as f64);
        // Three standard deviations of the difference of two Poisson counts.
        now + 3.0 * (before + now).sqrt() < LESS * before
    }

    /// The number that doubled as often as it failed.
    pub fn doubled(&self, number: u32) -> u32 {
        number.saturating_mul(1 << self.failures.min(MOST))
    }

    fn wait(&self, options: &Options) -> u64 {
        u64::from(options.cool_down) << self.failures.min(MOST)
    }
}
