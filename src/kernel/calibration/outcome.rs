//! What rows of probabilities said of the class that turned out true: so much of them as scores and learners ask for.
//!
//! # Formula
//!
//! Of a row p and the label y, each if it is asked for: p_y; the largest probability; its class, the lower one where two are
//! equal; the squared distance from the truth, |e|^2 with e_k = p_k - [k = y]. Of N rows of one item also the products e_n . e_m
//! for n <= m: whatever is quadratic in a pool of the rows, as the Brier score of every mixture of them is, follows from
//! these.
//!
//! # Layout
//!
//! `posterior` N planes of B rows of C f32, `labels` B u32. `found` planes of B f32: what is asked for of the first source, in
//! the order above, the class as a number, which f32 holds up to 2^24; then of the next; then the products, (0, 0), (0, 1) and
//! so on. `refused` one word a block: the lowest item whose label is not below C or a row of which is no distribution, with a
//! value that is negative or not finite or a sum in f32 that is not within 1e-3 of one; `u32::MAX` where none is. A lane takes
//! an item.
//!
//! # Tolerance
//!
//! Probabilities and classes are as they stand. Distances and products 1e-6 of the rows' lengths, for up to 4096 classes.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/calibration/outcome.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// The probability of the true class is asked for.
pub const TRUTH: u32 = 1;
/// The largest probability is.
pub const TOP: u32 = 2;
/// The class of the largest probability is.
pub const DECISION: u32 = 4;
/// The squared distance from the truth is.
pub const ERROR: u32 = 8;
/// The products of the errors are.
pub const PRODUCTS: u32 = 16;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("calibration/outcome", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 5] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "posterior", access: Access::Read },
    Binding { name: "labels", access: Access::Read },
    Binding { name: "found", access: Access::ReadWrite },
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
    /// C.
    pub classes: u32,
    /// N.
    pub sources: u32,
    /// What is asked for, as bits.
    pub outputs: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// The same.
    pub reserved_too: u32,
}

/// Planes of what is found.
#[must_use]
pub const fn planes(sources: usize, outputs: u32) -> usize {
    let columns = (outputs & (TRUTH | TOP | DECISION | ERROR)).count_ones() as usize;
    sources * columns + if outputs & PRODUCTS == 0 { 0 } else { sources * (sources + 1) / 2 }
}

/// Steps of a lane's loops.
#[must_use]
pub const fn steps(sources: usize, classes: usize, outputs: u32) -> u64 {
    let products = if outputs & PRODUCTS == 0 { 0 } else { sources * (sources + 1) / 2 };
    ((sources + products) * (classes + 1)) as u64
}
