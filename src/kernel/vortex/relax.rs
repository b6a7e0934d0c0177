//! Payloads that relax towards the nearest anchor of their position.
//!
//! # Formula
//!
//! x <- x + (A - x) g, for each of D channels: A is the payload of the anchor nearest to the item's position p, g a share of
//! p. With the cyclic distance d modulo 10 from p to that anchor, the blend is b = 1 - d / 5; n ticks of strength s have
//! g = 1 - (1 - s b)^n, and t seconds at the rate lambda have g = 1 - e^(-lambda b t). The host computes both. Where g is 0
//! nothing moves, to the bit.
//!
//! An item whose position is above 9 or whose payload is not finite stays as it is: `refused` says the lowest of the block.
//!
//! # Layout
//!
//! `positions` B u32; `table` for each of [`POSITIONS`] positions g and the D values of A; in place `payload`, D planes of B
//! f32. `refused` one word a block; `u32::MAX`: none. A lane takes an item. 4 + 4 D bytes are read and 4 D written.
//!
//! # Tolerance
//!
//! 4e-7 of the larger of |x| and |A|.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str =
    concat!(include_str!("../../../shaders/shared/numbers.wgsl"), include_str!("../../../shaders/vortex/relax.wgsl"));

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Positions 0 to 9.
pub const POSITIONS: u32 = 10;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("vortex/relax", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 5] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "positions", access: Access::Read },
    Binding { name: "table", access: Access::Read },
    Binding { name: "payload", access: Access::ReadWrite },
    Binding { name: "refused", access: Access::ReadWrite },
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
    /// D.
    pub channels: u32,
}
