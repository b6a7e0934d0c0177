//! The cosine of the angle between two distributions over the digits 1 to 9.
//!
//! # Formula
//!
//! sum a_k b_k / sqrt(sum a_k^2 sum b_k^2), in [0, 1], of digits each divided by their sum first, so that no square leaves
//! f32.
//!
//! Digits that are not all finite and at least 0, or whose sum is 0 or infinite, have no direction: `status` says the lowest
//! item of the block with such on either side, and what is written of that item means nothing.
//!
//! # Layout
//!
//! `first` and `second` 9 planes of B f32 each, `similarity` one. `status` one word a block: the lowest bad item's place in
//! its block; `u32::MAX`: none. A lane takes an item.
//!
//! # Tolerance
//!
//! 1e-6 by three sums of nine products, a root and a division.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/beam.wgsl"),
    include_str!("../../../shaders/beam/similarity.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of an item.
pub const OPERATIONS: usize = 128;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/similarity", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 5] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "first", access: Access::Read },
    Binding { name: "second", access: Access::Read },
    Binding { name: "similarity", access: Access::ReadWrite },
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
    /// Fills the block up.
    pub unused: u32,
}
