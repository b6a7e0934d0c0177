//! Beams changed by what a table says of their position.
//!
//! # Formula
//!
//! Of each position 0 to 9 the table has up to [`STEPS`] pairs of an operation and a value v, carried out in their order on
//! the digits d, the channel values c and the confidence f of the beams at that position:
//!
//! | operation | what it does |
//! |---|---|
//! | [`PULL`] | d <- (1 - v) d + v e, e certain of the position's anchor, [`ANCHORS`] |
//! | [`SHARPEN`] | d_k <- d_k^v / sum d^v, 0^v = 0: sharper for v above 1, flatter below |
//! | [`CONFIDENCE`] | f <- v f, at most 1 |
//! | [`ETHOS`], [`LOGOS`], [`PATHOS`] | c <- v c of that channel, at most 9 |
//!
//! Digits sum to one, positions are at most 9: of other beams nothing is said.
//!
//! # Layout
//!
//! `digits` and `changed` 9 planes of B f32; `scalars` and `changed_scalars` 4 planes, the channel values and the confidence;
//! `positions` one plane of u32. `table` 10 x [`STEPS`] pairs of words, the operation and the bits of v; operation 0 is none.
//! A lane takes an item.
//!
//! # Tolerance
//!
//! 3e-7 a pull; a power v 1e-6 (1 + v), because ln of a digit over the largest is good to 1e-6 where it matters; a factor
//! one rounding.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/beam.wgsl"),
    include_str!("../../../shaders/beam/intervene.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of an item and a step: nine powers in the worst case, which few positions have.
pub const OPERATIONS: usize = 256;

/// Operations on one position.
pub const STEPS: usize = 4;

/// Positions.
pub const POSITIONS: usize = 10;

/// The anchor of each position: the nearest of 3, 6 and 9 on the ring of ten, the lower of two as near.
pub const ANCHORS: [u32; POSITIONS] = [9, 3, 3, 3, 3, 6, 6, 6, 9, 9];

/// Towards the anchor.
pub const PULL: u32 = 1;

/// A power of the digits.
pub const SHARPEN: u32 = 2;

/// A multiple of the confidence.
pub const CONFIDENCE: u32 = 3;

/// A multiple of the value of ethos.
pub const ETHOS: u32 = 4;

/// A multiple of the value of logos.
pub const LOGOS: u32 = 5;

/// A multiple of the value of pathos.
pub const PATHOS: u32 = 6;

/// An operation and the bits of its value.
pub type Entry = [u32; 2];

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/intervene", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 7] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "digits", access: Access::Read },
    Binding { name: "scalars", access: Access::Read },
    Binding { name: "positions", access: Access::Read },
    Binding { name: "table", access: Access::Read },
    Binding { name: "changed", access: Access::ReadWrite },
    Binding { name: "changed_scalars", access: Access::ReadWrite },
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
    /// Operations on the position that has most.
    pub steps: u32,
}
