//! Whether what is measured at equal times rises.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// How certain the interval is.
const CERTAINTY: f64 = 0.95;
/// The most that neighbours are taken to hang together; beyond, nothing would be left to judge by.
const MOST: f64 = 0.9;

/// A line through points by least squares, with an interval for its slope.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slope {
    pub slope: f64,
    pub low: f64,
    pub high: f64,
    /// The correlation of what is left of one point with what is left of the next.
    pub correlation: f64,
}

impl Slope {
    /// `None` for fewer than five points, and where all are at the same time.
    ///
    /// What is left of memory beside a line hangs together from one point to the next, and an interval as of independent
    /// points would be too narrow: they count as fewer, as many as independent ones would be as good (Bayley and Hammersley,
    /// 1946, for an autoregression of the first order), their correlation corrected for the bias that a fitted line gives it
    /// (Tanaka, 1984).
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 5 {
            return None;
        }
        let n = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
        let (x_mean, y_mean) = (mean(|p| p.0), mean(|p| p.1));
        let xx: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
        if xx <= 0.0 {
            return None;
        }
        let slope = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum::<f64>() / xx;
        let left: Vec<f64> = points.iter().map(|(x, y)| y - y_mean - slope * (x - x_mean)).collect();
        let squares: f64 = left.iter().map(|e| e * e).sum();
        let neighbours: f64 = left.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let raw = if squares > 0.0 { neighbours / squares } else { 0.0 };
        let correlation = (raw + (2.0 + 4.0 * raw) / n).clamp(0.0, MOST);
        let fewer = (1.0 + correlation) / (1.0 - correlation);
        let freedom = (n / fewer - 2.0).max(1.0);
        let error = (squares / (n - 2.0) / xx * fewer).sqrt();
        let times = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.5 + CERTAINTY / 2.0);
        Some(Self { slope, low: slope - times * error, high: slope + times * error, correlation })
    }
}
