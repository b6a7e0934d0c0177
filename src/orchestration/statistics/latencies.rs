//! Latencies in logarithmic bins.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sketches_ddsketch::Config;

/// Counts of latencies, a bin for every 2 % from a nanosecond on: the bins of DDSketch (Masson, Rim and Lee 2019), kept
/// sparsely and never collapsed, for the longest [`Duration`] is in bin 3 257.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Latencies {
    least: Duration,
    most: Duration,
    bins: BTreeMap<u16, u64>,
}

/// 1 % relative error; no bin limit is reached.
static BINS: LazyLock<Config> = LazyLock::new(|| Config::new(0.01, 4096, 1.0));

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        if self.bins.is_empty() {
            (self.least, self.most) = (latency, latency);
        }
        self.least = self.least.min(latency);
        self.most = self.most.max(latency);
        let count = self.bins.entry(bin(latency)).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn observations(&self) -> u128 {
        self.bins.values().copied().map(u128::from).sum()
    }

    pub(super) fn quantile(&self, q: f64) -> Option<Duration> {
        if self.bins.is_empty() || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let last = self.observations() - 1;
        let rank = ((q * last as f64) as u128).min(last);
        // The two that are known exactly.
        if rank == 0 {
            return Some(self.least);
        }
        if rank == last {
            return Some(self.most);
        }
        let mut below = 0;
        let (&bin, _) = self.bins.iter().find(|&(_, &count)| {
            below += u128::from(count);
            below > rank
        })?;
        let seconds = BINS.value(i32::from(bin)) * 1e-9;
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).clamp(self.least, self.most))
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.bins.is_empty() {
            self.clone_from(other);
            return;
        }
        if other.bins.is_empty() {
            return;
        }
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        for (&bin, &count) in &other.bins {
            let mine = self.bins.entry(bin).or_default();
            *mine = mine.saturating_add(count);
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(bin) = self.bins.iter().find_map(|(bin, &count)| (count == 0).then_some(bin)) {
            return Err(format!("bin {bin} of the latencies is empty; only bins with a count are kept"));
        }
        let ends = self.bins.first_key_value().zip(self.bins.last_key_value());
        let fits = match ends {
            Some(((&first, _), (&last, _))) => {
                self.least <= self.most && bin(self.least) == first && bin(self.most) == last
            }
            None => self.least.is_zero() && self.most.is_zero(),
        };
        if fits { Ok(()) } else { Err("smallest and largest latency are not in the first and the last bin".to_owned()) }
    }
}

fn bin(latency: Duration) -> u16 {
    // Less than a nanosecond there is only zero.
    let nanoseconds = latency.as_nanos().max(1) as f64;
    u16::try_from(BINS.key(nanoseconds)).unwrap_or(u16::MAX)
}
