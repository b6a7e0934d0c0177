//! Adjustments of scalar confidences before they are fused; off unless a caller asks for one.

use serde::{Deserialize, Serialize};

/// How a scalar confidence c in [0, 1] is raised.
///
/// # Examples
///
/// *Odds of 1 to 1, doubled, are 2 to 1.*
///
/// ```
/// use consilience::Boost;
///
/// assert_eq!(Boost::Odds(2.0).apply(0.5), 2.0 / 3.0);
/// assert_eq!(Boost::Linear(1.5).apply(0.8), 1.0);
/// assert_eq!(Boost::default().apply(0.8), 0.8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boost {
    /// c as it is.
    #[default]
    None,
    /// min(B c, 1); 1.5 is usual.
    Linear(f32),
    /// B c / (1 + (B - 1) c): the odds times B.
    Odds(f32),
}

impl Boost {
    /// The confidence raised, in [0, 1]. What is no confidence, or a factor that is not finite and positive, comes back as
    /// it was.
    #[must_use]
    pub fn apply(self, c: f32) -> f32 {
        let valid = |factor: f32| factor.is_finite() && factor > 0.0 && (0.0..=1.0).contains(&c);
        match self {
            Self::Linear(factor) if valid(factor) => (factor * c).min(1.0),
            Self::Odds(factor) if valid(factor) => (factor * c / (1.0 + (factor - 1.0) * c)).clamp(0.0, 1.0),
            Self::None | Self::Linear(_) | Self::Odds(_) => c,
        }
    }
}

/// The confidence of an answer for which `failed` sources did not come back: c kappa^failed; kappa is 0.9 in the
/// `parallel_fusion` preset.
///
/// # Examples
///
/// *One of two sources failed.*
///
/// ```
/// assert_eq!(consilience::penalised(0.5, 1, 0.9), 0.45);
/// ```
#[must_use]
pub fn penalised(c: f32, failed: u32, kappa: f32) -> f32 {
    c * kappa.powf(failed as f32)
}
