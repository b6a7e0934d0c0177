//! What asking costs.

mod meter;

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

pub(crate) use self::meter::Meter;

/// What was spent on answers, those that did not come among them.
///
/// A [`Reply`](super::Reply) says what it cost, all in all. A call that ends without one, because the source failed, was
/// late or was no longer wanted, costs what the source said until then with [`Question::spend`](super::Question::spend);
/// it counts as one call at least, also where it failed before anything was sent. What a source spends after nobody waits
/// for it any more is not known. A request that nobody answered has no outcome; telemetry counts what it cost.
///
/// # Examples
///
/// *Two calls together.*
///
/// ```
/// use consilience::orchestration::Cost;
///
/// let call = Cost { calls: 1, tokens_in: 120, tokens_out: 8, micros: 40 };
/// assert_eq!(call + call, Cost { calls: 2, tokens_in: 240, tokens_out: 16, micros: 80 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Calls made.
    pub calls: u64,
    /// Tokens read by models.
    pub tokens_in: u64,
    /// Tokens written by models.
    pub tokens_out: u64,
    /// Money, in millionths of whatever currency the sources are paid in.
    pub micros: u64,
}

impl Cost {
    /// One call that costs nothing but itself.
    pub const CALL: Self = Self { calls: 1, tokens_in: 0, tokens_out: 0, micros: 0 };
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            tokens_in: self.tokens_in.saturating_add(other.tokens_in),
            tokens_out: self.tokens_out.saturating_add(other.tokens_out),
            micros: self.micros.saturating_add(other.micros),
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Self::add)
    }
}
