//! What distributions over classes tell, in nats: entropy, cross-entropy, divergences, mutual information.
//!
//! # Formula
//!
//! Shares p_k in [0, 1], 0 ln 0 = 0, whose sum is within [`SUM_TOLERANCE`] of 1 and which are taken as they are.
//!
//! - [`Measure::Entropy`]: H(p) = -sum p_k ln p_k;
//! - [`Measure::CrossEntropy`]: -sum p_k ln q_k, infinite where a q_k is 0 and p_k is not;
//! - [`Measure::Divergence`]: KL(p || q) = sum (p_k ln(p_k / q_k) - p_k + q_k), infinite likewise;
//! - [`Measure::JensenShannon`]: of N distributions with weights w_n that sum to one and their mixture m,
//!   sum_k (sum_n w_n p_nk ln p_nk - m_k ln m_k), from 0 to H(w);
//! - [`Measure::MutualInformation`]: of a joint table p_ij with row sums r_i, column sums c_j and sum s,
//!   sum_ij p_ij ln p_ij - sum_i r_i ln r_i - sum_j c_j ln c_j + s ln s.
//!
//! None of these but the cross-entropy of what sums to more than 1 is negative; a rounding below 0 is 0. A share below the
//! smallest normal number counts as 0.
//!
//! An item with a share that is none, or with a distribution (or a table) that does not sum to 1, is found: `status` says the
//! lowest of a block, and what is written of it means nothing.
//!
//! # Layout
//!
//! `shares` N C planes of B f32: class k of distribution n, or column k of row n of a table, is plane n C + k. `weights` N f32.
//! `results` B f32, `status` one word a block. A lane takes an item.
//!
//! # Tolerance
//!
//! 2e-6 and 2e-6 relative, for N C up to [`MOST_PLANES`]: sums are of blocks of [`SUMMED`] terms.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/bayes/information.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// How far from 1 a sum may be.
pub const SUM_TOLERANCE: f32 = 1e-3;

/// The most planes: no lane has more steps than any driver takes.
pub const MOST_PLANES: usize = 8192;

/// Terms that are summed before they are added to others.
pub const SUMMED: u32 = 32;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("bayes/information", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 5] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "shares", access: Access::Read },
    Binding { name: "weights", access: Access::Read },
    Binding { name: "results", access: Access::ReadWrite },
    Binding { name: "status", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Items of the chunk.
    pub items: u32,
    /// Items between planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// The [`Measure`]; in the shader an `override` constant.
    pub measure: u32,
    /// N, or the rows of a table.
    pub sources: u32,
    /// C, or the columns of a table.
    pub classes: u32,
    /// Zero, which no compiler of the shader knows.
    pub reserved: u32,
    /// Fills 16 bytes; zero.
    pub reserved_2: u32,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Measure {
    /// Of one distribution.
    Entropy = 0,
    /// Of two.
    CrossEntropy = 1,
    /// Of two.
    Divergence = 2,
    /// Of any number.
    JensenShannon = 3,
    /// Of a table.
    MutualInformation = 4,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Entropy, Self::CrossEntropy, Self::Divergence, Self::JensenShannon, Self::MutualInformation];
}
