//! Any number of steps round a ring, forward or back.
//!
//! # Formula
//!
//! A ring (m, g), gcd(g, m) = 1, m <= [`LARGEST_MODULUS`], has the positions 0 to m. A step takes 0 to 0 and any other x to
//! 1 + (g x - 1) mod m; with (9, 2) that is dr(2 x). n steps multiply by g^n, and g^n = g^(n mod c) with c the order of g
//! modulo m, the length of the longest orbits, so n may be negative.
//!
//! For n of 32 bits with a sign, u = n + 2^31 is one without, and e = u mod c is cut into e = 256 h + l. The factor is
//! `powers`\[l\] `powers`\[256 + h\] mod m: two entries, whatever n.
//!
//! # Layout
//!
//! `starts` is B u32, `steps` B i32, `powers` 512 u32: g^(l - 2^31), then g^(256 h). `ends` is B u32, and `wrong` one u32 per
//! block of [`BLOCK`] items: the lowest item in it that starts beyond m, or 2^32 - 1. Such an item ends at 0. A lane takes an
//! item.
//!
//! # Tolerance
//!
//! None: products stay below 2^32, every executor gives the same integers.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/vortex/orbit.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of an item: three remainders and two look-ups.
pub const OPERATIONS: usize = 64;

/// The largest m whose products fit 32 bits.
pub const LARGEST_MODULUS: u32 = 65_535;

/// Entries of each half of `powers`.
pub const HALF: usize = 256;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("vortex/orbit", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 6] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "starts", access: Access::Read },
    Binding { name: "steps", access: Access::Read },
    Binding { name: "powers", access: Access::Read },
    Binding { name: "ends", access: Access::ReadWrite },
    Binding { name: "wrong", access: Access::ReadWrite },
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
    /// m.
    pub modulus: u32,
    /// c.
    pub cycle: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// Fills 16 bytes; zero.
    pub reserved_2: u32,
    /// Fills 16 bytes; zero.
    pub reserved_3: u32,
}
