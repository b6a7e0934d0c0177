//! How far sequences of positions follow a ring.
//!
//! # Formula
//!
//! Of the L - 1 steps of a sequence, the share that are steps of the ring, or the share that are steps back, whichever is
//! larger: 1 for a perfect cycle in either direction. A step of the ring is given by a table, `next`.
//!
//! A sequence with a position above m has no coherence: it gets 0, and `refused` says the lowest of the block.
//!
//! # Layout
//!
//! `sequences` L planes of B u32, the first position of all sequences first; `next` m + 1 u32. `scores` B f32; `refused` one
//! word a block of [`BLOCK`]; `u32::MAX`: none. A lane takes a sequence. 4 L bytes are read and 4 written.
//!
//! # Tolerance
//!
//! 1e-7: one division.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/vortex/coherence.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// The longest sequence: some drivers end a loop after 65,535 steps.
pub const LONGEST: usize = 32_768;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("vortex/coherence", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 5] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "sequences", access: Access::Read },
    Binding { name: "next", access: Access::Read },
    Binding { name: "scores", access: Access::ReadWrite },
    Binding { name: "refused", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Sequences of the chunk.
    pub items: u32,
    /// Items between planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// L.
    pub length: u32,
    /// m.
    pub modulus: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// Fills 16 bytes; zero.
    pub reserved_2: u32,
    /// Fills 16 bytes; zero.
    pub reserved_3: u32,
}
