//! Logarithms of each source's confusion, and of the class prior, from what was collected.
//!
//! # Formula
//!
//! n[l, k], of a source, is the sum of the parts of the cell (source, l) for class k, in their order, plus `counts`[cell, k].
//! Then `logs`[l, k] = ln (n[l, k] / sum_l n[l, k]), or -ln L for each of the L symbols where that sum is zero. Of the source
//! that stands for the class prior, whose first cell alone means anything, ln (n[0, k] / sum_k n[0, k]).
//!
//! For [`Logarithms::OneCoin`], r = sum_k n[k, k] and w = the sum of the other n[l, k] with l a class: ln (r / (r + w)) where l = k, else
//! ln (w / (C - 1) / (r + w)), and 0 of an abstention.
//!
//! Logarithms are of at least the smallest normal number.
//!
//! For [`Logarithms::Expected`], n are parameters of Dirichlet distributions, and logarithms the expected ones: digamma n[l, k] -
//! digamma sum_l n[l, k]. Columns are C = K M, the M `subtypes` of each of K classes side by side, and of the source that stands
//! for the class prior, with N_k the sum of a class's parts and a that of its `counts`, digamma (N_k + `class_count`) - digamma
//! sum_k (N_k + `class_count`), and if there are more subtypes than one, digamma n[0, k m] - digamma (N_k + a) with it.
//!
//! `sums` are n.
//!
//! # Layout
//!
//! `sources` `[S]`, which one; `firsts` the first segment of each cell, and behind the last one's end; `parts` [segments, C];
//! `counts` [cells, C]. `logs` and `sums` [S, L, C]. A lane takes a source.
//!
//! # Tolerance
//!
//! 1e-6 absolutely, and of the sums' own.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/digamma.wgsl"),
    include_str!("../../../shaders/em/normalise.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Sources of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// What is made of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Logarithms {
    /// Of each row's shares.
    Shares,
    /// Of one accuracy of a source.
    OneCoin,
    /// Expected ones, the sums being parameters of Dirichlet distributions.
    Expected,
}

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("em/normalise", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 7] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "sources", access: Access::Read },
    Binding { name: "firsts", access: Access::Read },
    Binding { name: "parts", access: Access::Read },
    Binding { name: "counts", access: Access::Read },
    Binding { name: "logs", access: Access::ReadWrite },
    Binding { name: "sums", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Sources of the chunk.
    pub items: u32,
    /// Sources between planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// C.
    pub classes: u32,
    /// L: the classes, and one more if anybody abstained.
    pub symbols: u32,
    /// The source that stands for the class prior.
    pub prior: u32,
    /// One of [`Logarithms`].
    pub logarithms: u32,
    /// M.
    pub subtypes: u32,
    /// What each class is counted beforehand, of expected logarithms.
    pub class_count: f32,
    /// Fills the block up.
    pub reserved: u32,
    /// Fills the block up.
    pub reserved_2: u32,
    /// Fills the block up.
    pub reserved_3: u32,
}
