//! Bayesian posterior mathematics.

pub(super) mod conjugate;
pub(super) mod gaussian;
pub(super) mod information;
pub(super) mod log_odds;
pub(super) mod special;

/// Items of a tile of f64.
const LANES: usize = 8;

/// Eight values; lanes past the end repeat one that is there.
#[inline(always)]
fn widened(values: &[f32]) -> [f64; LANES] {
    let mut lanes = [0.0; LANES];
    for (lane, to) in lanes.iter_mut().enumerate() {
        *to = f64::from(values[lane.min(values.len() - 1)]);
    }
    lanes
}

/// Rounds as many of eight values as there are places.
#[inline(always)]
fn narrow(lanes: [f64; LANES], to: &mut [f32]) {
    for (to, lane) in to.iter_mut().zip(lanes) {
        *to = lane as f32;
    }
}
