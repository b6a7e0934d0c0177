//! The negative log-likelihood of tempered probabilities, its slope and its curvature, block by block.
//!
//! # Formula
//!
//! With p the row of an item clamped to [1e-7, 1], y its label, b the sharpness and z_k = ln p_k - ln max p, so that the
//! largest weight is 1 and nothing large cancels: w_k = exp(b z_k), S = sum w_k, and the item adds
//!
//! ln S - b z_y, E z - z_y, E z^2 - (E z)^2
//!
//! with E f = sum w_k f_k / S: what softmax(b ln p) loses, and that by b, once and twice. Nothing of the first is negative,
//! nor is the last; what rounding leaves below zero of it is 0.
//!
//! # Layout
//!
//! `posterior` B rows of C f32, `labels` B u32. `found` [`WORDS`] words a block of [`BLOCK`] items: the three sums, each the
//! f32 nearest to it and what that leaves over, and the lowest item of the block that is refused, `u32::MAX` where none is. The
//! host adds blocks up in f64 in their order. An item is refused, and counts nowhere, whose label is not below C or whose row is
//! no distribution: a value that is negative or not finite, or a sum in f32 that is not within 1e-3 of one. A workgroup takes a
//! block, a lane every 256th item of it.
//!
//! # Tolerance
//!
//! An item's terms are computed in f32 and added up in pairs of them: 2e-6 of 1 + b (16.2 - z_y) for the first, 4e-6 of the
//! largest distance between two of its logarithms for the second, and of that squared for the third.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/pair.wgsl"),
    include_str!("../../../shaders/calibration/likelihood.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = 1024;

/// Words of a block: three sums of two each, and the item refused.
pub const WORDS: usize = 7;

/// Operations of a class: a logarithm and an exponential.
pub const OPERATIONS: usize = 64;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("calibration/likelihood", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 4] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "posterior", access: Access::Read },
    Binding { name: "labels", access: Access::Read },
    Binding { name: "found", access: Access::ReadWrite },
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
    /// C.
    pub classes: u32,
    /// b.
    pub sharpness: f32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// The same.
    pub reserved_too: u32,
    /// The same.
    pub reserved_as_well: u32,
}
