//! Conjugate families in batch: what data add to a prior, what two posteriors under one prior say together, moments, the
//! log evidence of data, and the divergence of one member from another.
//!
//! # Formulas
//!
//! *Dirichlet over K classes*, parameters a_k, A their sum; Beta is K = 2. Counts n_k, N their sum, in a given order.
//!
//! - update a_k + n_k; merge a_k + b_k - prior_k;
//! - moments m_k = a_k / A, then m_k (1 - m_k) / (A + 1);
//! - evidence sum_k (ln gamma(a_k + n_k) - ln gamma(a_k)) - ln gamma(A + N) + ln gamma(A);
//! - divergence KL(a || b) = ln gamma(A) - ln gamma(B) + sum_k (ln gamma(b_k) - ln gamma(a_k) + (a_k - b_k)
//!   (digamma(a_k) - digamma(A))).
//!
//! *Normal with known precision* t of an observation, parameters m, l: the mean is normal around m with precision l. Data are n
//! observations, their mean x and the sum s of their squared distances from it.
//!
//! - update l' = l + n t, m' = m + n t (x - m) / l'; merge l' = l_a + l_b - l_0,
//!   m' = m_0 + (l_a (m_a - m_0) + l_b (m_b - m_0)) / l';
//! - evidence (n ln(t / 2 pi) + ln(l / l') - t s - (n t l / l') (x - m)^2) / 2;
//! - divergence KL(a || b) = (l_b (m_a - m_b)^2 + r - 1 - ln r) / 2, r = l_b / l_a.
//!
//! *Normal-inverse-gamma*, parameters m, k, a, b: the precision is gamma distributed with shape a and rate b, the mean normal
//! around m with k times the precision. Data as above.
//!
//! - update k' = k + n, m' = m + n (x - m) / k', a' = a + n / 2, b' = b + s / 2 + (k n / k') (x - m)^2 / 2;
//! - merge k' = k_a + k_b - k_0, a' likewise, m' = m_0 + d with d = (k_a d_a + k_b d_b) / k', d_a = m_a - m_0, and
//!   b' = b_a + b_b - b_0 + (k_a d_a^2 + k_b d_b^2 - k' d^2) / 2: the natural parameters add up;
//! - moments: variance of the mean b / (k (a - 1)), mean of the variance b / (a - 1), its variance b^2 / ((a - 1)^2 (a - 2)),
//!   infinite where a <= 1 or a <= 2, and the scale of the next observation sqrt(b (k + 1) / (a k)), which is Student's with
//!   2 a degrees of freedom;
//! - evidence ln gamma(a') - ln gamma(a) + a ln(b / b') - (n / 2) ln(2 pi b') + ln(k / k') / 2;
//! - divergence KL(p || q) = (k_q (a_p / b_p) (m_p - m_q)^2 + r - 1 - ln r) / 2 + (a_p - a_q) digamma(a_p) - ln gamma(a_p) +
//!   ln gamma(a_q) + a_q ln(b_p / b_q) + a_p (b_q - b_p) / b_p, r = k_q / k_p.
//!
//! *Equal-tailed intervals*, with a mass q left on either side, are made of quantiles that `bayes/special` finds: what it is to
//! find them for, and the ends that follow.
//!
//! - The share of class k is Beta(a_k, A - a_k) distributed: its quantile at q, and 1 / (1 + o) with o the odds x / (1 - x) of the
//!   quantile of Beta(A - a_k, a_k) at q, which keeps its digits near 1.
//! - A normal mean is between m -+ z / sqrt(l) with the standard normal quantile z given.
//! - A normal-inverse-gamma mean is between m -+ sqrt(2 b / (k o)) with o the odds of the quantile of Beta(a, 1/2) at 2 q: of
//!   Student's t with 2 a degrees of freedom, 2 a / (2 a + t^2) is so distributed; the variance between b over the quantiles
//!   of the gamma distribution of shape a with q above and q below.
//!
//! These are in Murphy, *Conjugate Bayesian analysis of the Gaussian distribution* (2007), and Bernardo and Smith, *Bayesian
//! Theory* (1994), appendix A. ln gamma(a) is (a - 1/2) ln a - a + ln sqrt(2 pi) and what `bayes/special` computes of the rest;
//! digamma is DLMF 5.5.2 up to 8 and 5.11.2 from there.
//!
//! The CPU computes all of it in f64. The shader computes updates and moments in f32, the rest in pairs of f32.
//!
//! # Layout
//!
//! `arguments` and `results` are planes of B f32, as [`Operation`] says. A lane takes an item.
//!
//! # Domain
//!
//! Shapes, counts and degrees as `bayes/special` takes them, up to 10^6; rates and precisions within
//! [[`SMALLEST_SCALE`], [`LARGEST_SCALE`]], means within [`LARGEST_SCALE`] of 0, sums of squares up to [`LARGEST_SQUARES`]. The caller sees to it.
//!
//! # Tolerance
//!
//! Updates and merges 1e-6 relative to the largest term; moments and ends of intervals 2e-6 relative, the latter of a mean
//! to its distance from it and 1e-7 of the mean. Evidence and divergence: 1e-5 relative to the
//! larger of 1 and the result, and 1e-11 of the sum of the terms' magnitudes: they are differences of ln gammas.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/pair.wgsl"),
    include_str!("../../../shaders/shared/digamma.wgsl"),
    include_str!("../../../shaders/shared/special.wgsl"),
    include_str!("../../../shaders/bayes/conjugate.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// The smallest rate or precision.
pub const SMALLEST_SCALE: f32 = 1e-9;

/// The largest rate, precision or distance of a mean from 0.
pub const LARGEST_SCALE: f32 = 1e9;

/// The largest sum of squares.
pub const LARGEST_SQUARES: f32 = 1e18;

/// The most classes of a Dirichlet distribution: no lane has more steps than any driver takes.
pub const MOST_CLASSES: usize = 1024;

/// From where on digamma's series is used in f64 and in pairs.
pub const DIGAMMA_FROM: f64 = 8.0;

/// (ln x - 1 / (2 x) - digamma(x)) x^2 in powers of 1 / x^2, from the highest, within 1e-12.
pub const DIGAMMA_SERIES_WIDE: [f64; 5] = [1.0 / 132.0, -1.0 / 240.0, 1.0 / 252.0, -1.0 / 120.0, 1.0 / 12.0];

/// ln(2 pi).
pub const LN_TAU: f64 = 1.837_877_066_409_345_5;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("bayes/conjugate", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 3] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "arguments", access: Access::Read },
    Binding { name: "results", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Items of the chunk.
    pub items: u32,
    /// Items between planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// The [`Operation`]; in the shader an `override` constant.
    pub operation: u32,
    /// K of a Dirichlet distribution.
    pub classes: u32,
    /// The precision of an observation, where it is known; of intervals the mass left on either side, or z.
    pub known: f32,
    /// Zero, which no compiler of the shader knows.
    pub reserved: u32,
    /// Which class, where a run is of one.
    pub plane: u32,
}

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Operation {
    /// a, n: the posterior.
    DirichletUpdate = 0,
    /// a, b, prior: both posteriors in one.
    DirichletMerge = 1,
    /// a: means, then variances.
    DirichletMoments = 2,
    /// a, n: the evidence.
    DirichletEvidence = 3,
    /// a, b: the divergence.
    DirichletDivergence = 4,
    /// m, l, n, x: the posterior.
    NormalUpdate = 5,
    /// m, l three times: both posteriors in one.
    NormalMerge = 6,
    /// m, l, n, x, s: the evidence.
    NormalEvidence = 7,
    /// m, l twice: the divergence.
    NormalDivergence = 8,
    /// m, k, a, b, n, x, s: the posterior.
    NormalGammaUpdate = 9,
    /// m, k, a, b three times: both posteriors in one.
    NormalGammaMerge = 10,
    /// m, k, a, b: variance of the mean, mean and variance of the variance, scale of the next observation.
    NormalGammaMoments = 11,
    /// m, k, a, b, n, x, s: the evidence.
    NormalGammaEvidence = 12,
    /// m, k, a, b twice: the divergence.
    NormalGammaDivergence = 13,
    /// a: of the class [`Params::plane`] what its quantiles are to be found for: a_k, A - a_k, q.
    DirichletTails = 14,
    /// A quantile and odds: the lower end of the class [`Params::plane`] in its plane, the upper one K planes behind.
    DirichletEnds = 15,
    /// m, l: the lower and the upper end of the mean.
    NormalIntervals = 16,
    /// m, k, a, b: what quantiles are to be found for: a, 1/2, 2 q, q.
    NormalGammaTails = 17,
    /// m, k, a, b, odds, quantiles with q above and q below: the lower and the upper end of the mean, those of the variance.
    NormalGammaEnds = 18,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::DirichletUpdate,
        Self::DirichletMerge,
        Self::DirichletMoments,
        Self::DirichletEvidence,
        Self::DirichletDivergence,
        Self::NormalUpdate,
        Self::NormalMerge,
        Self::NormalEvidence,
        Self::NormalDivergence,
        Self::NormalGammaUpdate,
        Self::NormalGammaMerge,
        Self::NormalGammaMoments,
        Self::NormalGammaEvidence,
        Self::NormalGammaDivergence,
        Self::DirichletTails,
        Self::DirichletEnds,
        Self::NormalIntervals,
        Self::NormalGammaTails,
        Self::NormalGammaEnds,
    ];

    /// Planes of arguments, for so many classes.
    #[must_use]
    pub const fn arguments(self, classes: usize) -> usize {
        match self {
            Self::DirichletMoments | Self::DirichletTails => classes,
            Self::DirichletEnds | Self::NormalIntervals => 2,
            Self::DirichletUpdate | Self::DirichletEvidence | Self::DirichletDivergence => 2 * classes,
            Self::DirichletMerge => 3 * classes,
            Self::NormalUpdate | Self::NormalDivergence | Self::NormalGammaMoments | Self::NormalGammaTails => 4,
            Self::NormalEvidence => 5,
            Self::NormalMerge => 6,
            Self::NormalGammaUpdate | Self::NormalGammaEvidence | Self::NormalGammaEnds => 7,
            Self::NormalGammaDivergence => 8,
            Self::NormalGammaMerge => 12,
        }
    }

    /// Planes of results, for so many classes.
    #[must_use]
    pub const fn results(self, classes: usize) -> usize {
        match self {
            Self::DirichletUpdate | Self::DirichletMerge => classes,
            Self::DirichletMoments | Self::DirichletEnds => 2 * classes,
            Self::DirichletTails => 3,
            Self::NormalUpdate | Self::NormalMerge | Self::NormalIntervals => 2,
            Self::NormalGammaUpdate
            | Self::NormalGammaMerge
            | Self::NormalGammaMoments
            | Self::NormalGammaTails
            | Self::NormalGammaEnds => 4,
            Self::DirichletEvidence
            | Self::DirichletDivergence
            | Self::NormalEvidence
            | Self::NormalDivergence
            | Self::NormalGammaEvidence
            | Self::NormalGammaDivergence => 1,
        }
    }

    /// Operations of an item: two ln gammas in f64 for each class and their sum, a digamma beside them.
    #[must_use]
    pub const fn operations(self, classes: usize) -> usize {
        match self {
            Self::DirichletEvidence => 512 * (classes + 1),
            Self::DirichletDivergence => 768 * (classes + 1),
            Self::NormalGammaEvidence => 768,
            Self::NormalGammaDivergence => 1024,
            Self::NormalEvidence | Self::NormalDivergence => 256,
            _ => 64,
        }
    }
}
