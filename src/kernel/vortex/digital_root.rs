//! Digital roots of unsigned integers of 32 and 64 bits.
//!
//! # Formula
//!
//! dr(0) = 0, else dr(n) = 1 + (n - 1) mod 9: the sum of the decimal digits, repeated until one digit is left.
//!
//! Powers of 2^6 are 1 modulo 9, so parts of 6 k bits can be added up without a change to the root, and the sum is zero only
//! where the number is. 32 bits become 18 + 14, 64 become 24 + 24 + 16, either then 12 and the rest: a sum s below 12,400.
//! dr(s) = s - 9 floor(s K / 2^18) with K = floor(2^18 / 9) = [`FACTOR`]: K falls short of 2^18 / 9 by a ninth, so that
//! multiples of 9 come out as 9 without a comparison, and every other s below 9 K exactly. s K has less than 32 bits.
//!
//! The square map takes a root r to dr(r^2), by the same last step: r^2 is at most 81.
//!
//! # Layout
//!
//! `values` is B numbers of 32 bits, or of 64 with the low word first; `roots` is B of 32 bits. A lane takes four items, a
//! workgroup a block of [`BLOCK`].
//!
//! # Tolerance
//!
//! None: every executor gives the same integers.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/vortex/digital_root.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = 4 * WORKGROUP_LANES as usize;

/// floor(2^18 / 9).
pub const FACTOR: u32 = (1 << 18) / 9;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("vortex/digital_root", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 3] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "values", access: Access::Read },
    Binding { name: "roots", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Items of the chunk.
    pub items: u32,
    /// Items between planes; there is one.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// Words of a value: 1 or 2.
    pub words: u32,
    /// Whether the root of the square is asked for.
    pub square: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// Fills 16 bytes; zero.
    pub reserved_2: u32,
    /// Fills 16 bytes; zero.
    pub reserved_3: u32,
}
