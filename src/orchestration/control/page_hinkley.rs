//! Whether the mean of a signal has risen.

use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};

/// The test of Page (1954) and Hinkley (1971) for a rise of the mean of a signal, of which what is usual has mean 0 and a
/// standard deviation of 1.
///
/// With x_t the signal, cut off at `limit`, and d the `drift`, the sum S_t = max(0, S_(t-1) + x_t - d) is how far the sum
/// of x - d has risen above its least value so far. It is an alarm where S reaches `alarm`; the test begins anew then, and
/// reports a rise that lasts again and again.
///
/// A rise by z < `limit` is found after alarm / (z - d) values on average; no single value is an alarm where
/// `limit` - d < `alarm`.
///
/// # Examples
///
/// *A rise by five standard deviations is found with its third value.*
///
/// ```
/// use consilience::orchestration::control::{PageHinkley, Rise};
///
/// let mut test = PageHinkley::new(Rise::default())?;
/// let found = [0.5, -1.0, 0.25, 5.0, 5.0, 5.0].map(|x| test.observe(x));
/// assert_eq!(found, [None, None, None, None, None, Some(12.0)]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageHinkley {
    rise: Rise,
    sum: f64,
}

/// What counts as a rise; everything in standard deviations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rise {
    /// What is taken off every value: rises of the mean that are smaller are not looked for. At least 0.
    pub drift: f64,
    /// The sum at which there is an alarm; above 0.
    pub alarm: f64,
    /// The most that one value counts; above the drift.
    pub limit: f64,
}

impl Default for Rise {
    /// Rises by 4 and more within three values, by 6 and more within two, none by one.
    fn default() -> Self {
        Self { drift: 1.0, alarm: 9.0, limit: 6.0 }
    }
}

impl Rise {
    pub(super) fn check(&self) -> Result<()> {
        let Self { drift, alarm, limit } = *self;
        SpecError::check("the drift", drift, "at least 0 and finite", drift >= 0.0 && drift.is_finite())?;
        SpecError::check("the alarm", alarm, "above 0 and finite", alarm > 0.0 && alarm.is_finite())?;
        Ok(SpecError::check("the limit", limit, "above the drift and finite", limit > drift && limit.is_finite())?)
    }
}

impl PageHinkley {
    /// A test that has seen nothing.
    ///
    /// # Errors
    ///
    /// A number outside its range.
    pub fn new(rise: Rise) -> Result<Self> {
        rise.check()?;
        Ok(Self::of(rise))
    }

    /// Of what was checked.
    pub(super) fn of(rise: Rise) -> Self {
        Self { rise, sum: 0.0 }
    }

    /// Takes in a value; the sum, where it is an alarm. NaN is no value and changes nothing.
    pub fn observe(&mut self, x: f64) -> Option<f64> {
        if x.is_nan() {
            return None;
        }
        self.sum = (self.sum + x.min(self.rise.limit) - self.rise.drift).max(0.0);
        let alarm = (self.sum >= self.rise.alarm).then_some(self.sum);
        if alarm.is_some() {
            self.sum = 0.0;
        }
        alarm
    }

    /// The sum so far.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }
}
