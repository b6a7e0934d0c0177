//! Distributions over the digits 1 to 9 relaxed to the fixed point of a contraction.
//!
//! # Formula
//!
//! With x0 the beam's digits, from a start x, step by step x <- (1 - a) x0 + a T(x), T(x) = (1 - s) x C + s e, where C is a
//! 9 x 9 matrix whose rows sum to one and e is certain of the anchor of the beam's position
//! ([`ANCHORS`](super::intervene::ANCHORS)).
//!
//! Rows that sum to one keep or shorten every difference in L1, and so does the rest of T; for 0 <= a < 1 a step is a
//! contraction: the L1 distance of any two starts with one x0 shrinks by at least the factor a (1 - s), there is one fixed
//! point x*, and after a step whose L1 change is c, |x - x*| <= c a / (1 - a).
//!
//! An item stops after the first step in which no digit changes by more than the tolerance, or at the last step. `changes`
//! is the largest change of a digit in the item's last step, `steps` the number of its steps.
//!
//! # Layout
//!
//! `digits` 9 planes of B f32, x0; `starts` 9 planes, or none where x0 is the start; `positions` one of u32. `coupling` nine
//! rows of three vec4s, the row's first four entries, its next four, and its last; where bit [`COUPLED`] of `options` is not
//! set C is the identity. `relaxed` 9 planes, `changes` one, `steps` one of u32. A lane takes an item.
//!
//! # Tolerance
//!
//! A step is good to 1e-6, so that a fixed point is to 1e-6 / (1 - a) beside what the tolerance leaves. The number of steps
//! may differ by some between devices where changes come near the tolerance.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/beam.wgsl"),
    include_str!("../../../shaders/beam/relax.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of a step of an item.
pub const OPERATIONS: usize = 24;

/// The most steps: ten turns of a loop each, of which some software drivers end all at 65,535.
pub const MOST_STEPS: u32 = 4096;

/// Floats of a row of `coupling`.
pub const ROW: usize = 12;

/// The bit of `options` that says that C is not the identity.
pub const COUPLED: u32 = 1;

/// The bit that says that there are `starts`.
pub const STARTED: u32 = 2;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/relax", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 8] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "digits", access: Access::Read },
    Binding { name: "starts", access: Access::Read },
    Binding { name: "positions", access: Access::Read },
    Binding { name: "coupling", access: Access::Read },
    Binding { name: "relaxed", access: Access::ReadWrite },
    Binding { name: "changes", access: Access::ReadWrite },
    Binding { name: "steps", access: Access::ReadWrite },
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
    /// The last step, 1 to [`MOST_STEPS`].
    pub most: u32,
    /// a, below 1.
    pub alpha: f32,
    /// s, in [0, 1].
    pub pull: f32,
    /// What a digit may change by in a last step.
    pub tolerance: f32,
    /// [`COUPLED`] and [`STARTED`].
    pub options: u32,
}
