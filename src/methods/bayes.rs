//! Bayesian posterior mathematics in batch: every function takes arrays, one entry per item.
//!
//! - conjugate families: [`BetaBernoulli`], [`DirichletCategorical`], [`NormalKnownPrecision`], [`NormalInverseGamma`];
//! - normal distributions of several sources: [`fuse_gaussians`], [`covariance_intersection`];
//! - cells that are occupied or not: [`LogOddsGrid`];
//! - what distributions tell: [`entropy`], [`cross_entropy`], [`kl_divergence`], [`jensen_shannon`],
//!   [`mutual_information`];
//! - special functions.
//!
//! # Examples
//!
//! *How likely is it that a coin which showed 8 heads and 2 tails favours heads, under a uniform prior?*
//!
//! ```
//! use consilience::{Engine, bayes};
//!
//! let tails_favoured = bayes::incomplete_beta(&Engine::cpu()?, &[9.0], &[3.0], &[0.5])?;
//! assert!((1.0 - tails_favoured[0] - 0.967_285).abs() < 1e-6);
//! # Ok::<(), consilience::Error>(())
//! ```

mod check;
mod conjugate;
mod gaussian;
mod information;
mod log_odds;
mod special;

pub use self::conjugate::{
    BetaBernoulli, DirichletCategorical, Intervals, Moments, NormalInverseGamma, NormalInverseGammaIntervals,
    NormalInverseGammaMoments, NormalKnownPrecision, ResidentBetaBernoulli, ResidentDirichletCategorical,
    ResidentNormalInverseGamma, ResidentNormalKnownPrecision, Samples, StudentT,
};
pub use self::gaussian::{
    Gaussians, Intersection, Least, ResidentGaussians, ResidentIntersection, covariance_intersection,
    covariance_intersection_resident, fuse_gaussians, fuse_gaussians_resident,
};
pub use self::information::{
    cross_entropy, cross_entropy_resident, entropy, entropy_resident, jensen_shannon, jensen_shannon_resident,
    kl_divergence, kl_divergence_resident, mutual_information, mutual_information_resident,
};
pub use self::log_odds::{
    CellCounts, CellEvidence, InverseModel, LogOddsGrid, ResidentCellEvidence, ResidentLogOddsGrid,
};
pub use self::special::{
    digamma, digamma_resident, incomplete_beta, incomplete_beta_inverse, incomplete_beta_inverse_resident,
    incomplete_beta_resident, incomplete_gamma, incomplete_gamma_inverse, incomplete_gamma_inverse_resident,
    incomplete_gamma_resident, incomplete_gamma_upper, incomplete_gamma_upper_inverse,
    incomplete_gamma_upper_inverse_resident, incomplete_gamma_upper_resident, ln_gamma, ln_gamma_resident,
};
