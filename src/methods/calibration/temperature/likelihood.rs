//! The negative log-likelihood of tempered probabilities as a function of the sharpness b = 1/T, and its minimum.
//!
//! With z_k = ln p_k and q = softmax(b z), the mean over the items of -ln q_y has the derivative E_q z - z_y and the second
//! derivative Var_q z, which is nowhere negative: the objective is convex. Logs are taken again in each pass, so that no
//! memory is needed beside the caller's.

use super::{Ending, Temperature};
use crate::methods::calibration::labelled::Labelled;
use crate::spec::LOG_FLOOR;

/// The relative change of b at which the iteration ends; Newton's error after that step is of the order of its square.
pub const TOLERANCE: f64 = 1e-8;

/// More than bisection of the whole bracket down to the tolerance takes.
const MOST_ITERATIONS: u32 = 100;

/// A variance of the log-probabilities that rounding in `f32` leaves where they are all equal.
const FLAT: f64 = 1e-12;

/// Where the objective is least.
pub struct Minimum {
    pub value: f64,
    pub ending: Ending,
    pub iterations: u32,
}

/// The logarithm, by the definition with its clamp.
pub fn log(p: f32) -> f64 {
    f64::from(p.clamp(LOG_FLOOR, 1.0)).ln()
}

/// The mean negative log-likelihood of softmax(b ln p).
pub fn tempered_nll(labelled: &Labelled<'_>, sharpness: f64) -> f64 {
    let of_item = |(row, label): (&[f32], u32)| {
        let sum: f64 = row.iter().map(|&p| (sharpness * log(p)).exp()).sum();
        (sum.ln() - sharpness * log(row[label as usize])).max(0.0)
    };
    labelled.rows().map(of_item).sum::<f64>() / labelled.items() as f64
}

/// The temperature between the limits at which the objective is least whose first and second derivative by the sharpness are
/// given; the iteration ends where the sharpness changes by less than the tolerance, relatively.
pub fn minimise<E>(tolerance: f64, mut derivatives: impl FnMut(f64) -> Result<(f64, f64), E>) -> Result<Minimum, E> {
    let mut iterations = 1;
    let (mut slope, mut curvature) = derivatives(1.0)?;
    if slope == 0.0 || curvature < FLAT {
        let ending = if curvature < FLAT { Ending::Flat } else { Ending::Converged };
        return Ok(Minimum { value: 1.0, ending, iterations });
    }
    let (mut low, mut high) = (1.0 / Temperature::MOST, 1.0 / Temperature::LEAST);
    let (limit, ending) = if slope > 0.0 { (low, Ending::AtMost) } else { (high, Ending::AtLeast) };
    iterations += 1;
    let (at_limit, _) = derivatives(limit)?;
    if at_limit * slope >= 0.0 {
        let value = if ending == Ending::AtMost { Temperature::MOST } else { Temperature::LEAST };
        return Ok(Minimum { value, ending, iterations });
    }
    let mut sharpness: f64 = 1.0;
    while iterations < MOST_ITERATIONS {
        *(if slope > 0.0 { &mut high } else { &mut low }) = sharpness;
        let newton = sharpness - slope / curvature;
        let next = if low < newton && newton < high { newton } else { (low * high).sqrt() };
        let change = (next - sharpness).abs();
        sharpness = next;
        if change <= tolerance * sharpness {
            break;
        }
        iterations += 1;
        (slope, curvature) = derivatives(sharpness)?;
        if slope == 0.0 {
            break;
        }
    }
    Ok(Minimum { value: 1.0 / sharpness, ending: Ending::Converged, iterations })
}

/// The first and second derivative of the objective.
pub fn derivatives(labelled: &Labelled<'_>, sharpness: f64) -> (f64, f64) {
    let (mut slope, mut curvature) = (0.0, 0.0);
    for (row, label) in labelled.rows() {
        // Deviations from the true class's log, so that the variance does not cancel.
        let truth = log(row[label as usize]);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for &p in row {
            let z = log(p);
            let (weight, deviation) = ((sharpness * z).exp(), z - truth);
            sum += weight;
            first += weight * deviation;
            second += weight * deviation * deviation;
        }
        let mean = first / sum;
        slope += mean;
        curvature += (second / sum - mean * mean).max(0.0);
    }
    let items = labelled.items() as f64;
    (slope / items, curvature / items)
}
