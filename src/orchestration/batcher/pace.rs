//! How fast requests are served, measured.

use std::time::Duration;

/// How much the latest batch counts.
const LATEST: f64 = 0.1;

/// The shortest and the longest time that anyone is told to wait, in seconds.
const WAIT: (f64, f64) = (1e-3, 60.0);

/// The moving average of what one request takes of a slot's time.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::orchestration) struct Pace {
    /// `None`: nothing has been served yet.
    seconds: Option<f64>,
}

impl Pace {
    /// A batch of `requests` took `time`.
    pub fn served(&mut self, requests: usize, time: Duration) {
        let latest = time.as_secs_f64() / requests.max(1) as f64;
        self.seconds = Some(self.seconds.map_or(latest, |mean| mean + LATEST * (latest - mean)));
    }

    /// How long `slots` slots are likely to take for `requests`. Before anything was served, `running` is all there is to
    /// go by: for how long the first batch has been running.
    pub fn time_for(&self, requests: usize, slots: usize, running: Duration) -> Duration {
        let seconds = self.seconds.map_or(running.as_secs_f64(), |each| each * requests as f64 / slots as f64);
        Duration::from_secs_f64(seconds.clamp(WAIT.0, WAIT.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_batch_counts_a_tenth() {
        let mut pace = Pace::default();
        pace.served(10, Duration::from_millis(100));
        assert_eq!(pace.time_for(20, 1, Duration::ZERO), Duration::from_millis(200));
        pace.served(10, Duration::from_millis(200));
        // 10 ms a request, then 11 ms; two slots halve it.
        assert_eq!(pace.time_for(20, 2, Duration::ZERO), Duration::from_millis(110));
    }

    #[test]
    fn what_is_told_stays_within_bounds() {
        let mut pace = Pace::default();
        assert_eq!(pace.time_for(20, 1, Duration::ZERO), Duration::from_millis(1));
        assert_eq!(pace.time_for(20, 1, Duration::from_millis(7)), Duration::from_millis(7));
        pace.served(1, Duration::from_secs(100));
        assert_eq!(pace.time_for(1, 1, Duration::ZERO), Duration::from_secs(60));
    }
}
