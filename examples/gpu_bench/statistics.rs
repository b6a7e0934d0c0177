//! What is said of repeated measurements.

use std::time::{Duration, Instant};

/// Times of the same thing, shortest first; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// `None` of nothing.
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        if times.is_empty() { None } else { Some(Self(times)) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The one in the middle, in seconds.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// How far the middle half is apart, over the median.
    pub fn spread(&self) -> f64 {
        let median = self.median();
        if median > 0.0 { (self.quantile(0.75) - self.quantile(0.25)) / median } else { 0.0 }
    }

    /// In seconds; between neighbours in proportion.
    fn quantile(&self, share: f64) -> f64 {
        let at = share * (self.0.len() - 1) as f64;
        let [low, high] = [at.floor(), at.ceil()].map(|at| self.0[at as usize].as_secs_f64());
        low + (high - low) * at.fract()
    }
}

/// How often something is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Often {
    /// So often, however long it takes.
    pub least: usize,
    /// Not more often than this.
    pub most: usize,
    /// After this no further one is begun beyond the least.
    pub within: Duration,
}

impl Often {
    /// Measures; what fails ends it.
    pub fn measure<E>(self, mut once: impl FnMut() -> Result<Duration, E>) -> Result<Vec<Duration>, E> {
        let start = Instant::now();
        let mut times = Vec::with_capacity(self.least);
        while times.len() < self.least || (times.len() < self.most && start.elapsed() < self.within) {
            times.push(once()?);
        }
        Ok(times)
    }
}
