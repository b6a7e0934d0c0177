//! Distributions over the digits 1 to 9 taken through an affine map: onto a subspace, or further along it.
//!
//! # Formula
//!
//! y = M x + b. Where `distributes` is set, y_k <- max(y_k, 0) / sum max(y, 0): what it becomes is a distribution again. The
//! maps given keep the sum of x, which is one, so that what is divided by is at least one.
//!
//! # Layout
//!
//! `digits` and `mapped` 9 planes of B f32. `map` ten columns of three vec4s, the first four entries, the next four and the
//! last: nine columns of M, then b. A lane takes an item.
//!
//! # Tolerance
//!
//! 1e-6 (1 + m), m the largest sum of magnitudes in a row of M, by sums of ten products.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/beam.wgsl"),
    include_str!("../../../shaders/beam/subspace.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of an item.
pub const OPERATIONS: usize = 192;

/// Floats of a column of `map`.
pub const COLUMN: usize = 12;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/subspace", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 4] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "digits", access: Access::Read },
    Binding { name: "map", access: Access::Read },
    Binding { name: "mapped", access: Access::ReadWrite },
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
    /// Whether the result is made a distribution.
    pub distributes: u32,
}
