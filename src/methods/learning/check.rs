//! Parameters and restored values against their ranges.

use crate::error::{Result, SpecError};

/// The largest count: beyond it, one more changes nothing in f64.
pub(super) const MOST: f64 = (1_u64 << 53) as f64;

/// Refuses a parameter outside its range.
pub(super) fn number(what: &str, value: f64, must: &'static str, holds: impl Fn(f64) -> bool) -> Result<()> {
    Ok(SpecError::check(what, value, must, value.is_finite() && holds(value))?)
}

/// Refuses a number of sources that there cannot be.
pub(super) fn sources(sources: usize) -> Result<()> {
    let holds = |x| (1.0..=f64::from(1 << 24)).contains(&x);
    number("the number of sources", sources as f64, "between 1 and 16777216", holds)
}

/// Refuses a restored list of another length than the learner's sources or classes ask for.
pub(super) fn length(what: &str, len: usize, want: usize) -> Result<(), String> {
    if len == want { Ok(()) } else { Err(format!("{what} has {len} entries, it must have {want}")) }
}

/// Refuses a restored count that is not in [0, `most`].
pub(super) fn count(what: &str, value: f64, most: f64) -> Result<(), String> {
    if (0.0..=most).contains(&value) { Ok(()) } else { Err(format!("{what} is {value}, it must be in [0, {most}]")) }
}
