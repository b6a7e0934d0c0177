//! How far probabilities can be believed: scores against labels, corrections fitted to labels, and sets with a stated
//! coverage.
//!
//! Everything starts from [`Labelled`]: posteriors beside the classes that turned out true, checked once.
//!
//! | question | answer |
//! |---|---|
//! | are the posteriors too sure, or not sure enough? | [`Scores`]: NLL, Brier with its decomposition, ECE, bins to plot |
//! | by one number? | [`Temperature`], of the pool or, by [`temperatures_of_sources`], of each source |
//! | by any rising curve? | [`Isotonic`] |
//! | which classes cannot be excluded? | [`ConformalSets`] |
//! | is one fusion better than another? | [`paired_bootstrap`] of their [`Loss`] per item |
//!
//! Posteriors that an engine holds stay there: [`Temperature::fit_resident`] reads back a few sums for each step of its fit,
//! [`Outcomes`] five numbers of each item, however many classes there are.
//!
//! # Examples
//!
//! *A pool that counts two copies of the same source twice is too sure of itself.*
//!
//! ```
//! use consilience::calibration::{Labelled, Temperature};
//!
//! let mut posterior = [0.99, 0.01].repeat(4);
//! let labels = [0, 0, 0, 1];
//! let temperature = Temperature::fit(&Labelled::new(2, &posterior, &labels)?);
//! temperature.apply(2, &mut posterior)?;
//! assert!((posterior[0] - 0.75).abs() < 1e-6);
//! # Ok::<(), consilience::Error>(())
//! ```

mod bootstrap;
mod conformal;
mod isotonic;
mod labelled;
mod loss;
mod outcomes;
pub(crate) mod posterior;
mod scores;
mod temperature;

pub use self::bootstrap::{Interval, paired_bootstrap};
pub use self::conformal::{ConformalSets, Nonconformity, SetQuality};
pub use self::isotonic::{Curve, Isotonic};
pub use self::labelled::{FEW_ITEMS, Labelled};
pub use self::loss::{Loss, accuracy, brier, nll};
pub(super) use self::outcomes::Found;
pub use self::outcomes::Outcomes;
#[cfg(feature = "datafusion")]
pub(crate) use self::scores::bin_of;
pub use self::scores::{BINS, Bin, BrierParts, Scores, Summary, adaptive_ece, ece, equal_mass_bins};
pub use self::temperature::{Ending, Temperature, temperatures_of_sources};
