//! How long to wait before a request is sent again.

use std::time::{Duration, SystemTime};

use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// The longest wait that is taken from a service or doubled to: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What the header `Retry-After` says: seconds or a date.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A date that has passed means now.
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(LONGEST))
}

/// The wait before try `again` (from 1) where the service says nothing: 0.2 s, doubled each time, less up to a half.
pub(super) fn backoff(again: u32, seed: u64) -> Duration {
    let whole = Duration::from_millis(200).saturating_mul(1 << (again.saturating_sub(1)).min(30)).min(LONGEST);
    whole.mul_f64(1.0 - 0.5 * SplitMix64::seed_from_u64(seed).random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT, the date in the standard.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let wait = |value| retry_after(value, now);
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait(" 0 "), Some(Duration::ZERO));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sunday, 06-Nov-94 08:49:38 GMT"), Some(Duration::from_secs(1)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("18446744073709551615"), Some(LONGEST));
        for wrong in ["", "soon", "-1", "1.5", "18446744073709551616"] {
            assert_eq!(wait(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_backoff_doubles_and_is_shortened_by_at_most_a_half() {
        for again in 1..=4 {
            let whole = Duration::from_millis(100 << again);
            let waits: Vec<_> = (0..200).map(|seed| backoff(again, seed)).collect();
            assert!(waits.iter().all(|w| (whole / 2..=whole).contains(w)), "{again}: {waits:?}");
            let mean = waits.iter().sum::<Duration>().as_secs_f64() / 200.0 / whole.as_secs_f64();
            assert!((mean - 0.75).abs() < 0.05, "{again}: {mean}");
        }
        assert_eq!(backoff(3, 7), backoff(3, 7));
        assert!(backoff(u32::MAX, 0) <= LONGEST);
    }
}
