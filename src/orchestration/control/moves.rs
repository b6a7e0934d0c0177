//! From one value of a knob to the next.

use super::bottleneck::Bottleneck;
use super::options::Options;
use super::reading::Reading;
use super::setting::{Executor, Knob, Setting, Value};

/// Which way a knob goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Up,
    Down,
    /// One step towards normal.
    Back,
}

/// A knob, its way and what it would be set to.
pub(super) type Move = (Knob, Way, Value);

/// How much more is shed at a time at least, and how much less.
const SHED: f64 = 0.1;
/// What share of what was done is let in, so that what waits gets less within a few readings.
const SPARE: f64 = 0.85;
/// The share of requests in which a source that rested is asked first.
const FIRST: f64 = 0.25;

/// What may help, the likeliest first.
pub(super) fn against(
    bottleneck: &Bottleneck,
    reading: &Reading,
    setting: &Setting,
    normal: &Setting,
    options: &Options,
) -> Vec<Move> {
    let bounds = &options.bounds;
    // Either way from normal, but not from one over to the other: that would be swinging.
    let (now, usual) = (setting.concurrency, normal.concurrency);
    let at_once = |way, count| (Knob::Concurrency, way, Value::Count(count));
    let more = (now >= usual).then(|| at_once(Way::Up, half_more(now).min(*bounds.concurrency.end())));
    let fewer = (now <= usual).then(|| at_once(Way::Down, third_less(now).max(*bounds.concurrency.start())));
    let larger = (Knob::Batch, Way::Up, Value::Count(setting.batch.saturating_mul(2).min(*bounds.batch.end())));
    let shed = (Knob::Shed, Way::Up, Value::Share(shed(reading, setting).min(bounds.shed)));
    // What is turned away for want of room is not made fewer by turning more away.
    let slow = reading.slowness().is_some_and(|seconds| seconds > options.latency.as_secs_f64());
    let shed = slow.then_some(shed);
    let sheds = setting.shed > normal.shed;
    let mut moves: Vec<Move> = match bottleneck {
        Bottleneck::FailingSource { source, .. } | Bottleneck::SlowSource { source, .. } => {
            let others = reading.sources.iter().filter(|other| other.name != *source);
            let awake = others.filter(|other| setting.trust(&other.name) > 0.0).count();
            let rest = (Knob::Trust(source.clone()), Way::Down, Value::Share(0.0));
            (awake >= bounds.awake).then_some(rest).into_iter().collect()
        }
        Bottleneck::Overload { queued: 0, .. } if slow => [fewer, Some(larger), shed].into_iter().flatten().collect(),
        Bottleneck::Overload { .. } => {
            [more, Some(larger), shed, fewer.filter(|_| slow)].into_iter().flatten().collect()
        }
        Bottleneck::Device { .. } => {
            let cpu = (Knob::Executor, Way::Down, Value::Executor(Executor::Cpu));
            [Some(larger), bounds.executor.then_some(cpu), shed].into_iter().flatten().collect()
        }
        Bottleneck::None | Bottleneck::Unexplained { .. } => Vec::new(),
    };
    if sheds {
        // Just above what can be done, latencies rise and fall by chance, and whatever is tried then may look like a help.
        moves.sort_by_key(|(knob, ..)| *knob != Knob::Shed);
    }
    moves.retain(|(knob, _, to)| setting.get(knob) != *to);
    moves
}

/// One step of a knob towards normal.
pub(super) fn back(knob: &Knob, setting: &Setting, normal: &Setting) -> Value {
    let count =
        |from: u64, to: u64, less: u64, more: u64| Value::Count(if from > to { less.max(to) } else { more.min(to) });
    match knob {
        Knob::Concurrency => {
            let from = setting.concurrency;
            count(from, normal.concurrency, third_less(from), half_more(from))
        }
        Knob::Batch => count(setting.batch, normal.batch, setting.batch / 2, setting.batch.saturating_mul(2)),
        Knob::Executor => Value::Executor(normal.executor),
        Knob::Shed => Value::Share((setting.shed - SHED).max(normal.shed)),
        Knob::Trust(source) => {
            let doubled = (2.0 * setting.trust(source)).max(FIRST);
            Value::Share(doubled.min(normal.trust(source)))
        }
    }
}

fn half_more(count: u64) -> u64 {
    count.saturating_add(count.div_ceil(2))
}

fn third_less(count: u64) -> u64 {
    count - count / 3
}

/// So much that what is let in is a little less than what was done, and a step more than now.
fn shed(reading: &Reading, setting: &Setting) -> f64 {
    let done = if reading.arrivals == 0 { 1.0 } else { reading.ended as f64 / reading.arrivals as f64 };
    (1.0 - SPARE * done).max(setting.shed + SHED)
}
