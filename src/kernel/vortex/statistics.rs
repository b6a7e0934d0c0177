//! What stands at each position: counts, directions, and sums from which moments of payloads follow.
//!
//! # Formula
//!
//! For each bin, the items at that position; u is an item's payload x over its length, 0 where x = 0, and y = x - c with a
//! point c near the payloads that all items share, so that nothing is lost where payloads are far from 0. Sums over the
//! items of a block, in this order: 1; 1 where the direction is forward; 1 where x is not 0; y_i; y_i y_j for i <= j; u_i.
//! Each is a product of two of an item's [`terms`], which `pairs` names. The host adds blocks up in f64 in their order.
//!
//! An item whose position is no bin or whose payload is not finite counts nowhere: `refused` says the lowest of the block.
//!
//! # Layout
//!
//! `positions` B u32, `directions` B u32 (0 forward), `payload` D planes of B f32, `centre` c; `pairs` K words,
//! first term + 256 x second. `sums` for each block of [`BLOCK`] items: for each bin K f32. `refused` one word a block. A
//! workgroup takes a block, 256 items at a time; a lane adds up (bin, sum) pairs, so that the order of additions is fixed.
//!
//! 8 + 4 D bytes are read per item. On the GPU each of the bins x K sums looks at each item; on the CPU an item looks for its
//! sums.
//!
//! # Tolerance
//!
//! Counts none. Sums 2e-5 of the sum of the absolute values.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/vortex/statistics.wgsl")
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = 16 * WORKGROUP_LANES as usize;

/// The most bins.
pub const MOST_BINS: usize = 64;

/// The most channels of a payload.
pub const MOST_CHANNELS: usize = 5;

/// Terms of an item with so many channels: 1, y, u, whether forward, whether not 0.
#[must_use]
pub const fn terms(channels: usize) -> usize {
    2 * channels + 3
}

/// Sums of a bin with so many channels.
#[must_use]
pub const fn sums(channels: usize) -> usize {
    3 + 2 * channels + channels * (channels + 1) / 2
}

/// Where the sums of y, of products and of u begin.
#[must_use]
pub const fn places(channels: usize) -> [usize; 3] {
    let products = 3 + channels;
    [3, products, products + channels * (channels + 1) / 2]
}

/// The two terms whose product each sum adds up, in order.
#[must_use]
pub fn pairs(channels: usize) -> Vec<[usize; 2]> {
    let (forward, not_zero) = (2 * channels + 1, 2 * channels + 2);
    let counts = [[0, 0], [0, forward], [0, not_zero]];
    let values = (1..=channels).map(|i| [0, i]);
    let products = (1..=channels).flat_map(|i| (i..=channels).map(move |j| [i, j]));
    let directions = (1..=channels).map(|i| [0, channels + i]);
    counts.into_iter().chain(values).chain(products).chain(directions).collect()
}

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("vortex/statistics", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 8] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "positions", access: Access::Read },
    Binding { name: "directions", access: Access::Read },
    Binding { name: "payload", access: Access::Read },
    Binding { name: "centre", access: Access::Read },
    Binding { name: "pairs", access: Access::Read },
    Binding { name: "sums", access: Access::ReadWrite },
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
    /// Bins.
    pub bins: u32,
    /// K.
    pub sums: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// Fills 16 bytes; zero.
    pub reserved_2: u32,
}
