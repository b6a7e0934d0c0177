//! What asking costs.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// What was spent on answers.
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
