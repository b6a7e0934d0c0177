//! Logarithms of each source's confusion, and of the class prior, from what was collected.
//!
//! # Formula
//!
//! n[l, k], of a source, is the sum of the parts of the cell (source, l) for class k, in their order, plus `counts`[cell, k].
//! Then `logs`[l, k] = ln (n[l, k] / sum_l n[l, k]), or -ln L for each of the L symbols where that sum is zero. Of the source
//! that stands for the class prior, whose first cell alone means anything, ln (n[0, k] / sum_k n[0, k]).
//!
//! With `one_coin`, r = sum_k n[k, k] and w = the sum of the other n[l, k] with l a class: ln (r / (r + w)) where l = k, else
//! ln (w / (C - 1) / (r + w)), and 0 of an abstention.
//!
//! Logarithms are of at least the smallest normal number.
//!
//! # Layout
//!
//! `sources` `[S]`, which one; `firsts` the first segment of each cell, and behind the last one's end; `parts` [segments, C];
//! `counts` [cells, C]. `logs` [S, L, C]. A lane takes a source.
//!
//! # Tolerance
//!
//! 1e-6 absolutely, and of the sums' own.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str =
    concat!(include_str!("../../../shaders/shared/numbers.wgsl"), include_str!("../../../shaders/em/normalise.wgsl"));

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Sources of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("em/normalise", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 6] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "sources", access: Access::Read },
    Binding { name: "firsts", access: Access::Read },
    Binding { name: "parts", access: Access::Read },
    Binding { name: "counts", access: Access::Read },
    Binding { name: "logs", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
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
    /// Whether each source has one accuracy alone.
    pub one_coin: u32,
    /// Fills the block up.
    pub reserved: u32,
}
