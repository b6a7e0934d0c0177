//! What was expected, collected by who said what.
//!
//! # Formula
//!
//! Of each segment the sum of posteriors over its members, the items that a cell was said of, in their order; of a segment of
//! blocks the sum of their masses. A segment has at most [`MEMBERS`], so that f32 is enough and no lane goes on for long.
//!
//! # Layout
//!
//! `segments` two planes of S: where a segment's members begin, and end, in `members`; a beginning with [`OF_BLOCKS`] set is a
//! segment of blocks, whose masses are those from there to the end. `posterior` [B, C], `masses` [blocks, C]. `parts` [S, C].
//! A lane takes a segment.
//!
//! # Tolerance
//!
//! 1e-5 of the sum: 256 terms of at most one.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/em/collect.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Segments of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Members of a segment, at most.
pub const MEMBERS: usize = 256;

/// Set in the beginning of a segment of blocks.
pub const OF_BLOCKS: u32 = 1 << 31;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("em/collect", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 6] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "segments", access: Access::Read },
    Binding { name: "members", access: Access::Read },
    Binding { name: "posterior", access: Access::Read },
    Binding { name: "masses", access: Access::Read },
    Binding { name: "parts", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Segments of the chunk.
    pub items: u32,
    /// Segments between planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// C.
    pub classes: u32,
}
