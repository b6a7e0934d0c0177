//! What is said of one distribution over the digits 1 to 9: the distribution normalised, its entropy, its mass, how decided
//! it is, and its dominant digit.
//!
//! # Formula
//!
//! Of nine digits x, none negative, d = x / sum x. H = -sum d ln d, 0 ln 0 = 0. The mass is 1 - H / ln 9, in [0, 1]. The
//! decisiveness is the largest of the d less the second largest: 1 for a certain distribution, 0 where two are largest. The
//! dominant digit is the one of the largest x, the lowest of equals.
//!
//! Digits that are not all finite and at least 0, or whose sum is 0 or infinite, are no distribution: `status` says the
//! lowest item of the block with such, and what is written of that item means nothing.
//!
//! # Layout
//!
//! `digits` 9 planes of B f32: digit k is plane k - 1. `normalised` 9 planes, or none. `scalars` one plane for each of
//! entropy, mass and decisiveness that is asked for, in this order. `dominant` one plane of u32, or none. `status` one word a
//! block: the lowest bad item's place in its block; `u32::MAX`: none. A lane takes an item.
//!
//! # Tolerance
//!
//! Normalised digits and decisiveness 3e-7 by the division; mass 2e-6 as a sum of nine terms with a logarithm each over
//! ln 9, entropy twice as much. The dominant digit is exact.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/beam.wgsl"),
    include_str!("../../../shaders/beam/measure.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of an item: nine logarithms.
pub const OPERATIONS: usize = 320;

/// The bit of `outputs` that asks for the normalised digits.
pub const NORMALISED: u32 = 1;

/// The bit that asks for the entropy.
pub const ENTROPY: u32 = 2;

/// The bit that asks for the mass.
pub const MASS: u32 = 4;

/// The bit that asks for the decisiveness.
pub const DECISIVENESS: u32 = 8;

/// The bit that asks for the dominant digit.
pub const DOMINANT: u32 = 16;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/measure", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 6] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "digits", access: Access::Read },
    Binding { name: "normalised", access: Access::ReadWrite },
    Binding { name: "scalars", access: Access::ReadWrite },
    Binding { name: "dominant", access: Access::ReadWrite },
    Binding { name: "status", access: Access::ReadWrite },
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
    /// What is asked for, as bits.
    pub outputs: u32,
}
