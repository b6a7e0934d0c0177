//! Whether numbers are what an operation takes: the items with one that is not.
//!
//! # Formula
//!
//! An item is fine where the number in each plane is from the plane's least to its most, and the first `summed` of them, added
//! in f32 in the order of planes, come to something from `least` to `most`.
//!
//! Numbers are compared as integers: the bits of a number that is not negative with the top bit set, of a negative one
//! inverted, rise with the number ([`key`]). So no compiler that knows neither NaN nor infinity nor subnormals makes a
//! difference: NaN lies beyond the infinity of its sign, and a zero of one sign apart from that of the other.
//!
//! # Layout
//!
//! `values` planes of B f32. `ranges` the keys of least and most for each plane. `refused` one word a block: the lowest item
//! that is not fine; `u32::MAX`: none. A lane takes an item.
//!
//! # Tolerance
//!
//! None: every executor finds the same items, but where a sum hangs on subnormal numbers, which a device may take for 0.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/reduce/domain.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("reduce/domain", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 4] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "values", access: Access::Read },
    Binding { name: "ranges", access: Access::Read },
    Binding { name: "refused", access: Access::ReadWrite },
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
    /// Planes.
    pub planes: u32,
    /// How many of them, from the first on, are summed.
    pub summed: u32,
    /// What the sum is at least.
    pub least: f32,
    /// What it is at most.
    pub most: f32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
}

/// An integer that rises with the number whose bits these are.
#[must_use]
pub const fn key(bits: u32) -> u32 {
    bits ^ if bits >> 31 == 1 { u32::MAX } else { 1 << 31 }
}
