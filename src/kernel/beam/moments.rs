//! First and second moments of distributions over the digits 1 to 9, block by block.
//!
//! # Formula
//!
//! With z = x - pivot, of each block sum z_i, then sum z_i z_j for i <= j, row by row. The pivot is near the mean, so that
//! nothing large is subtracted from the sums; blocks are added up in f64, in their order.
//!
//! # Layout
//!
//! `digits` 9 planes of B f32, `pivot` nine f32. `sums` [`WORDS`] f32 a block, of which [`SUMS`] mean something. A workgroup
//! takes a block.
//!
//! # Tolerance
//!
//! 1e-5 of the sum of the magnitudes: 256 terms in f32, in parts of 16 on the CPU and of 64 on the GPU.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/beam/moments.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of an item.
pub const OPERATIONS: usize = 128;

/// Sums of a block: nine of components, 45 of products.
pub const SUMS: usize = 54;

/// Words of a block.
pub const WORDS: usize = 64;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/moments", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 4] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "digits", access: Access::Read },
    Binding { name: "pivot", access: Access::Read },
    Binding { name: "sums", access: Access::ReadWrite },
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
