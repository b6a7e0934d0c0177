//! A service that is simulated: sources with latencies and failures, a queue before them, and a load.

use std::collections::BTreeMap;
use std::time::Duration;

use consilience::orchestration::control::{Executor, Probe, Quantiles, Reading, Setting, SourceReading};
use consilience::orchestration::{Cost, Track};
use rand_distr::{Binomial, Distribution, LogNormal, Poisson};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

/// Of one reading, in seconds.
pub const LENGTH: f64 = 10.0;
/// After which a call has timed out, in seconds.
const DEADLINE: f64 = 5.0;
/// Requests that may wait.
const ROOM: f64 = 300.0;

pub struct Plant {
    pub sources: Vec<Simulated>,
    /// Requests a second that come.
    pub load: f64,
    /// Requests a second that can be answered under a setting.
    pub capacity: Box<dyn Fn(&Setting) -> f64>,
    /// The accelerator's share where the executor is not the CPU.
    pub device_share: f64,
    queue: f64,
    readings: u32,
    random: SplitMix64,
}

#[derive(Clone)]
pub struct Simulated {
    pub name: &'static str,
    /// In seconds.
    pub median: f64,
    /// Of the logarithm.
    pub sigma: f64,
    pub failures: f64,
}

pub fn normal() -> Setting {
    Setting { concurrency: 64, batch: 64, executor: Executor::Auto, shed: 0.0, trust: BTreeMap::new() }
}

impl Plant {
    /// Three sources that take 20 to 40 ms, for 10 requests a second where 20 could be answered.
    pub fn quiet(seed: u64) -> Self {
        let source = |name, median| Simulated { name, median, sigma: 0.5, failures: 0.001 };
        Self {
            sources: vec![source("a", 0.02), source("b", 0.03), source("c", 0.04)],
            load: 10.0,
            capacity: Box::new(|_| 20.0),
            device_share: 0.0,
            queue: 0.0,
            readings: 0,
            random: SplitMix64::seed_from_u64(seed),
        }
    }

    /// What ten seconds under this setting measure.
    pub fn read(&mut self, setting: &Setting) -> Reading {
        self.readings += 1;
        let random = &mut self.random;
        let arrivals = Poisson::new(self.load * LENGTH).unwrap().sample(random) as u64;
        let shed = Binomial::new(arrivals, setting.shed).unwrap().sample(random);
        let capacity = (self.capacity)(setting);
        let waiting = self.queue + (arrivals - shed) as f64;
        let done = waiting.min(capacity * LENGTH).floor();
        let before = self.queue;
        self.queue = (waiting - done).min(ROOM);
        let turned_away = (waiting - done - self.queue).round() as u64;

        let mut tracks = vec![Track::default(); self.sources.len()];
        let (mut latencies, mut errors) = (Track::default(), 0);
        for n in 0..done as u64 {
            let queue = before + (self.queue - before) * n as f64 / done;
            let (mut slowest, mut asked, mut failed) = (0.0_f64, 0, 0);
            for (source, track) in self.sources.iter().zip(&mut tracks) {
                let trust = setting.trust(source.name);
                if ((n + 1) as f64 * trust).floor() <= (n as f64 * trust).floor() {
                    continue;
                }
                let (answered, latency) = source.call(random);
                track.observe(answered, Duration::from_secs_f64(latency), Cost::CALL);
                (slowest, asked) = (slowest.max(latency), asked + 1);
                failed += u32::from(!answered);
            }
            errors += u64::from(failed == asked);
            latencies.observe(true, Duration::from_secs_f64(queue / capacity + slowest), Cost::CALL);
        }
        let sources = self.sources.iter().zip(tracks).map(|(source, track)| SourceReading {
            name: source.name.to_owned(),
            calls: track.observations(),
            failures: track.observations() - track.successes(),
            cancelled: 0,
            latency: Quantiles::of(&track),
            probes: if setting.trust(source.name) == 0.0 {
                let probe = |(answered, latency)| Probe { answered, latency: Duration::from_secs_f64(latency) };
                (0..5).map(|_| probe(source.call(random))).collect()
            } else {
                Vec::new()
            },
        });
        let sources = sources.collect();
        let on_device = setting.executor != Executor::Cpu;
        Reading {
            at: Duration::from_secs_f64(LENGTH) * self.readings,
            length: Duration::from_secs_f64(LENGTH),
            arrivals,
            ended: done as u64,
            errors,
            refused: shed + turned_away,
            latency: Quantiles::of(&latencies),
            under_way: (done as u64 / 10).min(setting.concurrency),
            queued: self.queue as u64,
            device_share: Some(if on_device { self.device_share } else { 0.0 }),
            expected: None,
            sources,
        }
    }
}

impl Simulated {
    /// Whether it answers, and after how many seconds.
    fn call(&self, random: &mut SplitMix64) -> (bool, f64) {
        let latency: f64 = LogNormal::new(self.median.ln(), self.sigma).unwrap().sample(random);
        let failed = Binomial::new(1, self.failures).unwrap().sample(random) == 1;
        (!failed && latency < DEADLINE, latency.min(DEADLINE))
    }
}
