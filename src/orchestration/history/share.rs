//! Shares of counts.

use serde::{Deserialize, Serialize};

/// How many of a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The one over the other.
    pub share: f64,
    /// 95 % of where it is in the long run (Wilson 1927).
    pub interval: [f64; 2],
}

/// What a normal variable exceeds in one of forty.
pub(super) const NORMAL: f64 = 1.959_963_984_540_054;

impl Share {
    pub(super) fn of(count: u64, of: u64) -> Option<Self> {
        if of == 0 {
            return None;
        }
        let (n, share) = (of as f64, count as f64 / of as f64);
        let square = NORMAL * NORMAL / n;
        let middle = (share + square / 2.0) / (1.0 + square);
        let half = NORMAL * (share * (1.0 - share) / n + square / (4.0 * n)).sqrt() / (1.0 + square);
        Some(Self { count, of, share, interval: [(middle - half).max(0.0), (middle + half).min(1.0)] })
    }

    /// Of those that something is known of.
    pub(super) fn among(values: impl Iterator<Item = bool>) -> Option<Self> {
        let (mut count, mut of) = (0, 0);
        for value in values {
            count += u64::from(value);
            of += 1;
        }
        Self::of(count, of)
    }
}
