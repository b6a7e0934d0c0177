//! Special functions in batch: ln gamma, digamma, the regularised incomplete beta and gamma functions and their inverses.
//!
//! # Formulas
//!
//! *ln gamma.* From [`STIRLING_FROM`] on Stirling's series (DLMF 5.11.1). Below it the recurrence (DLMF 5.5.1) leads to
//! y = 2 + z with |z| <= 1/2, and ln gamma(2 + z) = z (1 - Euler's constant + sum (-1)^k (zeta(k) - 1) z^(k - 1) / k), the
//! sum from k = 2 (DLMF 5.7.3). Around 1 the value is that series less ln x, around 2 the series alone: both keep their
//! leading digits through the zeros.
//!
//! *digamma.* The recurrence (DLMF 5.5.2) up to [`DIGAMMA_SHIFT`], then its asymptotic series (DLMF 5.11.2).
//!
//! *I_x(a, b) and P(a, x), Q(a, x).* A density times a continued fraction. With D(a) = what Stirling's leading terms leave
//! over of ln gamma(a), and n = a + b,
//!
//! x^a y^b / B(a, b) = sqrt(a b / (2 pi n)) exp(D(n) - D(a) - D(b) - a ln(a / (n x)) - b ln(b / (n y))),
//!
//! x^a e^-x / gamma(a) = sqrt(a / (2 pi)) exp(-D(a) - a ln(a / x) - x + a),
//!
//! in which nothing large is subtracted where the mass is (the factors of DiDonato and Morris, ACM TOMS 18, 1992). Below
//! the mean the fraction is DLMF 8.17.22, which for large b and small x becomes DLMF 8.9.1; above it that fraction for
//! I_y(b, a), and DLMF 8.9.2 for Q. Both are summed by Steed's method until a term changes the sum by less than
//! [`CONVERGED`]; their number grows with the square root of the largest parameter, 1,700 at [`LARGEST`].
//!
//! *Quantiles.* Newton's method on ln of the lesser mass over ln(x / (1 - x)) or ln x: these are concave, so that from the
//! left of the root it rises without overshooting. It begins at the normal quantile (Abramowitz and Stegun 26.2.23).
//!
//! The first two are computed in f32, the others in f64 on the CPU and in pairs of f32 in the shader, and rounded once.
//!
//! # Layout
//!
//! `arguments` is one plane of B f32 per argument, `results` B f32. A lane takes an item, a workgroup a block of [`BLOCK`].
//!
//! # Domain
//!
//! Parameters a and b are within [[`SMALLEST`], [`LARGEST`]]; the argument of ln gamma and digamma is a normal number up
//! to [`LARGEST_ARGUMENT`]. An argument x or a mass below the smallest normal number counts as 0, and so does such a quantile.
//!
//! # Tolerance
//!
//! 1e-6 relative to the exact value at the f32 arguments, except that digamma, which crosses zero at 1.4616, is within
//! 1e-6 where it is smaller than 1, and that a mass is only within 1e-11 where the complement was computed.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/pair.wgsl"),
    include_str!("../../../shaders/shared/digamma.wgsl"),
    include_str!("../../../shaders/shared/special.wgsl"),
    include_str!("../../../shaders/bayes/special.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("bayes/special", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 3] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "arguments", access: Access::Read },
    Binding { name: "results", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Items of the chunk.
    pub items: u32,
    /// Items between the arguments' planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// The function's number; in the shader an `override` constant.
    pub which: u32,
}

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Function {
    /// ln gamma(x); arguments x.
    LnGamma = 0,
    /// digamma(x); arguments x.
    Digamma = 1,
    /// I_x(a, b); arguments a, b, x.
    Beta = 2,
    /// The x with I_x(a, b) = p; arguments a, b, p.
    BetaQuantile = 3,
    /// P(a, x); arguments a, x.
    Gamma = 4,
    /// Q(a, x) = 1 - P(a, x); arguments a, x.
    GammaAbove = 5,
    /// The x with P(a, x) = p; arguments a, p.
    GammaQuantile = 6,
    /// The x with Q(a, x) = p; arguments a, p.
    GammaQuantileAbove = 7,
    /// x / (1 - x) of the x with I_x(a, b) = p; arguments a, b, p. Infinite where 1 - x, 0 where x counts as 0.
    BetaQuantileOdds = 8,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::LnGamma,
        Self::Digamma,
        Self::Beta,
        Self::BetaQuantile,
        Self::Gamma,
        Self::GammaAbove,
        Self::GammaQuantile,
        Self::GammaQuantileAbove,
        Self::BetaQuantileOdds,
    ];

    /// Number of arguments.
    #[must_use]
    pub const fn arguments(self) -> usize {
        match self {
            Self::LnGamma | Self::Digamma => 1,
            Self::Beta | Self::BetaQuantile | Self::BetaQuantileOdds => 3,
            Self::Gamma | Self::GammaAbove | Self::GammaQuantile | Self::GammaQuantileAbove => 2,
        }
    }

    /// Operations of an item: those of fifty steps of a fraction, which parameters of a few hundred take, and of six such
    /// sums for a quantile.
    #[must_use]
    pub const fn operations(self) -> usize {
        match self {
            Self::LnGamma | Self::Digamma => 128,
            Self::Beta | Self::Gamma | Self::GammaAbove => 2048,
            Self::BetaQuantile | Self::BetaQuantileOdds | Self::GammaQuantile | Self::GammaQuantileAbove => 12_288,
        }
    }
}

/// The smallest parameter.
pub const SMALLEST: f32 = 1e-3;

/// The largest parameter.
pub const LARGEST: f32 = 1e6;

/// The largest argument of ln gamma and digamma, 2^120: ln gamma of more does not fit.
pub const LARGEST_ARGUMENT: f32 = 1.329_228e36;

/// ln sqrt(2 pi).
pub const HALF_LN_TAU: f32 = 0.918_938_5;

/// The same in f64.
pub const HALF_LN_TAU_WIDE: f64 = 0.918_938_533_204_672_7;

/// From where on Stirling's series is used.
pub const STIRLING_FROM: f32 = 8.0;

/// The series times x, in powers of 1 / x^2, from the highest; enough for f32.
pub const STIRLING: [f32; 3] = [1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0];

/// The same within 2e-13.
pub const STIRLING_SERIES: [f64; 5] = [1.0 / 1188.0, -1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0];

/// ln gamma(2 + z) / z in powers of z, from the highest.
pub const LN_GAMMA_SERIES: [f32; 14] = [
    4.374_867e-6,
    -9.439_488e-6,
    2.050_721_3e-5,
    -4.492_623_7e-5,
    9.945_751e-5,
    -2.231_547_6e-4,
    5.096_695e-4,
    -1.192_753_9e-3,
    2.890_510_3e-3,
    -7.385_551e-3,
    2.058_080_8e-2,
    -6.735_23e-2,
    0.322_467_03,
    0.422_784_34,
];

/// From where on digamma's series is used.
pub const DIGAMMA_SHIFT: f32 = 6.0;

/// (ln x - 1 / (2 x) - digamma) x^2 in powers of 1 / x^2, from the highest.
pub const DIGAMMA_SERIES: [f32; 3] = [1.0 / 252.0, -1.0 / 120.0, 1.0 / 12.0];

/// Relative to the sum, the change below which a continued fraction ends.
pub const CONVERGED: f64 = 1e-10;

/// The most steps of a continued fraction.
pub const STEPS: u32 = 2048;

/// The most steps of Newton's method.
pub const NEWTON_STEPS: u32 = 24;

/// Its last step.
pub const NEWTON_CONVERGED: f64 = 1e-7;

/// The largest step in ln x or ln(x / (1 - x)), and where in these it may begin.
pub const FARTHEST: f64 = 80.0;
