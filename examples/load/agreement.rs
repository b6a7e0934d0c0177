//! Whether the server's own histogram agrees with what was measured here.
//!
//! Compared is the time of service: from when a request was sent until the last byte of its answer, without the wait for
//! its turn, of every request that was answered. The server's clock runs within this time, so that each request took
//! longer here than there. From its histogram a quantile is known as a bucket, above `low` and up to `high`. Hence
//!
//! - the same quantile here is above `low`, whatever lies between;
//! - what lies outside of the server's clock is measured too: by requests to `/health/live` beside the load, which ask for
//!   next to nothing. If no more than a share `p` took longer than `high` there, and no more than `p` took longer than
//!   `outside` outside, then no more than `2 p` took longer than `high + outside` in all, however the two hang together.
//!   So the quantile `q` here is at most the sum of both at `q + (1 - q) / 2`. The probes are a sample, so that for
//!   `outside` stands what its quantile does not exceed with a certainty of 99 %: an order statistic, whatever the
//!   distribution. At the 99th percentile that takes 919 probes, which are there after ten seconds.
//!
//! They agree where both hold at the median, the 90th and the 99th percentile, and where the server has counted every
//! request that was answered, and none that was not asked here.

use std::time::Duration;

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::Failure;
use crate::exposition::Exposition;
use crate::generator::Done;
use crate::tally::{Ending, Times};

/// The quantiles that are compared.
const COMPARED: [f64; 3] = [0.5, 0.9, 0.99];
/// How certain it is that a quantile outside is no larger than it is taken for.
const CERTAINTY: f64 = 0.99;
/// What times here are rounded by, at most: they have three digits.
const ROUNDING: f64 = 1e-3;

/// A histogram as a server has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    /// Upper bounds in seconds, the last infinite.
    bounds: Vec<f64>,
    /// How many values each bucket has.
    counts: Vec<u64>,
}

/// The comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Agreement {
    /// Requests that were answered, as counted here.
    pub here: u64,
    /// Requests that were sent and not answered: the server may have counted them or not.
    pub unanswered: u64,
    /// Requests, as counted by the server.
    pub there: u64,
    pub quantiles: Vec<Quantile>,
}

/// The comparison at one quantile; times are in seconds.
#[derive(Debug, Clone, Serialize)]
pub struct Quantile {
    pub q: f64,
    pub here: f64,
    /// The lower bound of the server's bucket.
    pub low: f64,
    /// The upper bound; `None` for that of the last.
    pub high: Option<f64>,
    /// The most that it may be here; `None` where there is no limit.
    pub most: Option<f64>,
    pub agrees: bool,
}

impl Buckets {
    /// How long the server took for questions.
    pub fn of_process(exposition: &Exposition) -> Result<Self, Failure> {
        let cumulative = exposition.buckets("consilience_http_seconds", "route", "process");
        let mut before = 0.0;
        let mut buckets = Self { bounds: Vec::new(), counts: Vec::new() };
        for (bound, count) in cumulative {
            buckets.bounds.push(bound);
            buckets.counts.push((count - before) as u64);
            before = count;
        }
        if buckets.bounds.last() == Some(&f64::INFINITY) {
            Ok(buckets)
        } else {
            Err("the server has no histogram `consilience_http_seconds{route=\"process\"}`".into())
        }
    }

    /// What was added since.
    pub fn since(&self, before: &Self) -> Result<Self, Failure> {
        let fewer = || "the server counted from the beginning again: it was started anew";
        if self.bounds != before.bounds {
            return Err(fewer().into());
        }
        let pairs = self.counts.iter().zip(&before.counts);
        let counts: Option<Vec<u64>> = pairs.map(|(after, before)| after.checked_sub(*before)).collect();
        Ok(Self { bounds: self.bounds.clone(), counts: counts.ok_or_else(fewer)? })
    }

    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The bounds of the bucket in which a quantile lies; `None` where there are no values.
    fn quantile(&self, q: f64) -> Option<(f64, f64)> {
        let rank = ((q * self.total() as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let index = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        let low = index.checked_sub(1).map_or(0.0, |before| self.bounds[before]);
        Some((low, self.bounds[index]))
    }
}

impl Agreement {
    pub fn of(done: &Done, there: &Buckets) -> Result<Self, Failure> {
        let count = |ending: Ending| done.tally.endings.get(&ending).copied().unwrap_or_default();
        if there.total() == 0 || done.tally.service.len() == 0 {
            return Err("nothing was answered here, or nothing counted there".into());
        }
        let quantiles: Option<Vec<Quantile>> = COMPARED.iter().map(|&q| Quantile::of(q, done, there)).collect();
        let too_few = || format!("{} probes are too few; a run of ten seconds has enough", done.outside.len());
        Ok(Self {
            here: done.tally.service.len(),
            unanswered: count(Ending::Broken) + count(Ending::TimedOut),
            there: there.total(),
            quantiles: quantiles.ok_or_else(too_few)?,
        })
    }

    pub fn counts_agree(&self) -> bool {
        (self.here..=self.here + self.unanswered).contains(&self.there)
    }

    pub fn holds(&self) -> bool {
        self.counts_agree() && self.quantiles.iter().all(|quantile| quantile.agrees)
    }
}

impl Quantile {
    fn of(q: f64, done: &Done, there: &Buckets) -> Option<Self> {
        let farther = q + (1.0 - q) / 2.0;
        let (low, high) = there.quantile(q)?;
        let (_, most) = there.quantile(farther)?;
        let outside = at_most(&done.outside, farther)?.as_secs_f64();
        let most = (most + outside) * (1.0 + ROUNDING);
        let here = done.tally.service.quantile(q)?.as_secs_f64();
        let finite = |x: f64| x.is_finite().then_some(x);
        Some(Self { q, here, low, high: finite(high), most: finite(most), agrees: here > low && here <= most })
    }
}

/// What the quantile `q` of what these times are a sample of does not exceed, with the certainty above; `None` where the
/// sample is too small to say.
pub fn at_most(times: &Times, q: f64) -> Option<Duration> {
    let n = times.len();
    // How many of the sample lie below the quantile.
    let below = Binomial::new(q, n).ok()?;
    let rank = below.inverse_cdf(CERTAINTY) + 1;
    (rank <= n).then(|| times.quantile((rank as f64 - 0.5) / n as f64)).flatten()
}
