//! Normal distributions in up to six dimensions fused: weighted by precision, or by covariance intersection where nobody
//! knows how their errors are correlated.
//!
//! # Formula
//!
//! Sources n say mean m_n and covariance P_n, symmetric and positive definite.
//!
//! [`Mode::Precision`], for independent errors: P^-1 = sum w_n P_n^-1, m = m_1 + P sum w_n P_n^-1 (m_n - m_1). All w_n = 1 is
//! the product of the densities.
//!
//! [`Mode::Determinant`] and [`Mode::Trace`], of two sources: the same with weights omega and 1 - omega, omega in [0, 1] such
//! that det P or tr P is least (Julier and Uhlmann, ACC 1997). ln det P falls with omega where tr(P P_1^-1) > tr(P P_2^-1), tr P
//! where tr(P P_1^-1 P) > tr(P P_2^-1 P), both change sign once: omega is found in [`HALVINGS`] halvings of [0, 1], and is a
//! half where both traces at a half are within [`EQUAL`] of their sum.
//!
//! An inverse is that of the Cholesky factor, squared. A source with a number that is not within [`MOST`] of 0, a variance
//! below [`LEAST_VARIANCE`], or of whose factor a pivot is at most [`LEAST_PIVOT`] of its variance, is none: `status` says the lowest item of a block with one, and what is written
//! of it means nothing.
//!
//! # Layout
//!
//! D dimensions, T = D (D + 1) / 2. `sources` N (D + T) planes of B f32: of each source the mean, then its covariance's lower
//! triangle row by row. `weights` N f32. `results` D + T + 1 planes: mean, covariance, omega. `status` one word a block.
//! A lane takes an item. The CPU computes in f64.
//!
//! # Tolerance
//!
//! Of f32: covariances within 2e-6 k of the root of the product of their variances, means within 2e-6 k of the largest of
//! distances and deviations, each over its dimension's deviation, with k the largest condition number of a correlation matrix.
//! Omega is where the traces are equal within 1e-6 k of their sum: how near that is to the least depends on how much it matters.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str =
    concat!(include_str!("../../../shaders/shared/numbers.wgsl"), include_str!("../../../shaders/bayes/gaussian.wgsl"));

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// The most dimensions, D.
pub const MOST_DIMENSIONS: usize = 6;

/// The most entries of a triangle.
pub const MOST_ENTRIES: usize = MOST_DIMENSIONS * (MOST_DIMENSIONS + 1) / 2;

/// The most sources of a run: no lane has more steps than any driver takes.
pub const MOST_SOURCES: usize = 128;

/// What must be left of a variance once the dimensions before it are known, relative to it.
pub const LEAST_PIVOT: f32 = 1e-6;

/// The smallest variance.
pub const LEAST_VARIANCE: f32 = 1e-9;

/// The largest number of a mean or covariance.
pub const MOST: f32 = 1e9;

/// The difference of two traces, over their sum, below which neither source is the better.
pub const EQUAL: f32 = 1e-6;

/// How often the range of omega is halved.
pub const HALVINGS: u32 = 24;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("bayes/gaussian", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 5] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "sources", access: Access::Read },
    Binding { name: "weights", access: Access::Read },
    Binding { name: "results", access: Access::ReadWrite },
    Binding { name: "status", access: Access::ReadWrite },
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
    /// N.
    pub sources: u32,
    /// D; in the shader an `override` constant.
    pub dimensions: u32,
    /// The [`Mode`]; in the shader an `override` constant.
    pub mode: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// Fills 16 bytes; zero.
    pub reserved_2: u32,
}

/// How sources are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Mode {
    /// By the weights given.
    Precision = 0,
    /// So that the determinant is least.
    Determinant = 1,
    /// So that the trace is least.
    Trace = 2,
}

/// Entries of a triangle.
#[must_use]
pub const fn entries(dimensions: usize) -> usize {
    dimensions * (dimensions + 1) / 2
}

/// Operations of an item: an inverse of each source and one more, and with omega one for each halving.
#[must_use]
pub const fn operations(mode: Mode, dimensions: usize, sources: usize) -> usize {
    let inverses = match mode {
        Mode::Precision => sources + 1,
        Mode::Determinant | Mode::Trace => sources + 2 * HALVINGS as usize,
    };
    inverses * (dimensions + 1) * (dimensions + 1) * (dimensions + 1)
}
