//! How many workers the work asks for.

use std::time::Duration;

use tokio::time::Instant;

/// How much the latest interval counts in an average.
const LATEST: f64 = 0.1;

/// How busy workers are to be at most after some were let go.
const BUSY: f64 = 0.8;

/// Intervals in a row that must ask for fewer workers before any is let go.
const PATIENCE: u32 = 30;

/// Arrivals in an interval that are none.
const NEGLIGIBLE: f64 = 1e-9;

/// Between which bounds there are workers, and how fast their number changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub least: usize,
    pub most: usize,
    pub interval: Duration,
    /// The most by which the number changes in an interval.
    pub steps: usize,
}

/// Little's law, damped; what it does is said at [`Lane`](super::Lane).
#[derive(Debug)]
pub(super) struct Scale {
    bounds: Bounds,
    /// When the interval under way began, what has come in it, what has ended and how many seconds that took.
    began: Instant,
    arrivals: u64,
    ended: u64,
    took: f64,
    /// Exponential averages of these; the last two over intervals in which anything ended.
    rate: f64,
    mean_ended: f64,
    mean_took: f64,
    needed: f64,
    /// Intervals in a row that asked for fewer workers.
    calm: u32,
    workers: usize,
}

impl Scale {
    pub fn new(bounds: Bounds, now: Instant) -> Self {
        Self {
            bounds,
            began: now,
            arrivals: 0,
            ended: 0,
            took: 0.0,
            rate: 0.0,
            mean_ended: 0.0,
            mean_took: 0.0,
            needed: 0.0,
            calm: 0,
            workers: bounds.least,
        }
    }

    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Arrivals per second.
    pub fn rate(&self) -> f64 {
        self.rate / self.bounds.interval.as_secs_f64()
    }

    /// The workers that the last interval asked for.
    pub fn needed(&self) -> f64 {
        self.needed
    }

    /// One has come, in the interval under way.
    pub fn arrived(&mut self) {
        self.arrivals += 1;
    }

    /// One has ended, in the interval under way.
    pub fn ended(&mut self, took: Duration) {
        self.ended += 1;
        self.took += took.as_secs_f64();
    }

    /// Ends all intervals that are over, while so many wait and the first has been running for so long: until one has ended,
    /// that is all there is to go by.
    pub fn advance(&mut self, now: Instant, queued: usize, running: Duration) {
        let interval = self.bounds.interval;
        let (since, each) = (now.saturating_duration_since(self.began).as_nanos(), interval.as_nanos().max(1));
        let (mut over, within) = (since / each, since % each);
        if over == 0 {
            return;
        }
        self.began = now - Duration::from_nanos_u128(within);
        while over > 0 && self.end_interval(queued, running) {
            over -= 1;
        }
    }

    /// Ends an interval; whether the next one, should nothing come in it, may differ.
    fn end_interval(&mut self, queued: usize, running: Duration) -> bool {
        let before = (self.workers, self.calm);
        self.rate += LATEST * (self.arrivals as f64 - self.rate);
        self.arrivals = 0;
        if self.rate < NEGLIGIBLE {
            self.rate = 0.0;
        }
        if self.ended > 0 {
            self.mean_ended += LATEST * (self.ended as f64 - self.mean_ended);
            self.mean_took += LATEST * (self.took - self.mean_took);
            (self.ended, self.took) = (0, 0.0);
        }
        let each = if self.mean_ended > 0.0 { self.mean_took / self.mean_ended } else { running.as_secs_f64() };
        let Bounds { least, most, steps, interval } = self.bounds;
        self.needed = (self.rate + LATEST * queued as f64) * each / interval.as_secs_f64();
        // A cast saturates; what is not a number is 0.
        let up = (self.needed.ceil() as usize).clamp(least, most);
        let down = ((self.needed / BUSY).ceil() as usize).clamp(least, most);
        self.calm = if down < self.workers { (self.calm + 1).min(PATIENCE) } else { 0 };
        if up > self.workers {
            self.workers += steps.min(up - self.workers);
        } else if self.calm == PATIENCE {
            self.workers -= steps.min(self.workers - down);
        }
        self.rate > 0.0 || before != (self.workers, self.calm)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is said of the scale, each interval from all that happened before it.
    #[derive(Default)]
    struct Model {
        /// Arrivals, endings and what they took, interval by interval.
        past: Vec<(f64, f64, f64)>,
        fewer: usize,
        workers: usize,
    }

    impl Model {
        fn end_interval(&mut self, now: (f64, f64, f64), queued: f64, running: f64, bounds: Bounds) -> f64 {
            self.past.push(now);
            let average =
                |all: Vec<f64>| all.iter().rev().zip(0..).map(|(x, ago)| 0.1 * x * 0.9_f64.powi(ago)).sum::<f64>();
            let rate = average(self.past.iter().map(|all| all.0).collect());
            let busy = || self.past.iter().filter(|all| all.1 > 0.0);
            let (ended, took) =
                (average(busy().map(|all| all.1).collect()), average(busy().map(|all| all.2).collect()));
            let each = if ended > 0.0 { took / ended } else { running };
            let needed = (rate / 0.1 + queued / 1.0) * each;
            let bounded = |workers: f64| (workers.ceil() as usize).max(bounds.least).min(bounds.most);
            self.fewer = if bounded(needed / 0.8) < self.workers { self.fewer + 1 } else { 0 };
            if bounded(needed) > self.workers {
                self.workers = bounded(needed).min(self.workers + bounds.steps);
            } else if self.fewer >= 30 {
                self.workers = bounded(needed / 0.8).max(self.workers.saturating_sub(bounds.steps));
            }
            needed
        }
    }

    proptest! {
        #[test]
        fn workers_are_those_of_the_model(
            steps in 1..4_usize,
            events in prop::collection::vec((prop_oneof![8 => 1..5_u64, 1 => 30..300_u64], 0..40_u64, 0..30_u64, 0..500_u64, 0..30_usize), 1..60),
        ) {
            let interval = Duration::from_millis(100);
            let bounds = Bounds { least: 2, most: 20, interval, steps };
            let mut now = Instant::now();
            let (mut scale, mut model) = (Scale::new(bounds, now), Model { workers: 2, ..Model::default() });
            for (intervals, arrivals, ended, milliseconds, queued) in events {
                (0..arrivals).for_each(|_| scale.arrived());
                (0..ended).for_each(|_| scale.ended(Duration::from_millis(milliseconds)));
                // Not on the grid, so that a rest is kept.
                now += interval.mul_f64(intervals as f64);
                let looked = now + Duration::from_millis(37);
                let running = Duration::from_millis(milliseconds);
                scale.advance(looked, queued, running);
                let mut happened = (arrivals as f64, ended as f64, ended as f64 * running.as_secs_f64());
                for _ in 0..intervals {
                    let needed = model.end_interval(happened, queued as f64, running.as_secs_f64(), bounds);
                    happened = (0.0, 0.0, 0.0);
                    // Whole numbers are decided by rounding.
                    prop_assume!((needed - needed.round()).abs() > 1e-6 || needed < 1e-6);
                    prop_assume!((needed / 0.8 - (needed / 0.8).round()).abs() > 1e-6 || needed < 1e-6);
                }
                prop_assert_eq!(scale.workers(), model.workers);
            }
        }
    }
}
