//! The posterior of each item, from what was said of it.
//!
//! # Formula
//!
//! z_k = `logs`[prior, k] + the sum over the item's cells of `logs`[cell, k], in their order; after every [`RUN`] cells but
//! the last the largest is subtracted from all and put aside, so that the differences of a long sum stay exact.
//! Evidence = ln sum_k exp z_k, and the posterior is exp (z_k - evidence). Where the item's class is known, the sum is over its
//! `subtypes` alone, which stand side by side, and the posterior is 0 elsewhere; where `hard` asks for it, over the lowest of
//! largest z. Masses are the sums of a block's posteriors.
//!
//! # Layout
//!
//! `runs` two planes of B: where an item's cells begin, and end, in `cells`; `gold` `[B]`, [`UNKNOWN`] or a class; `cells` as
//! many as there are annotations; `logs` [cells, C]. `posterior` [B, C], `evidence` `[B]`, `masses` [blocks, C]. A workgroup
//! takes a block of [`BLOCK`].
//!
//! # Tolerance
//!
//! z to a few ulps of its size, which is that of a run's, for each annotation: posteriors to 1e-5 where there are hundreds,
//! evidence to 1e-6 of itself.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str =
    concat!(include_str!("../../../shaders/shared/numbers.wgsl"), include_str!("../../../shaders/em/expect.wgsl"));

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Cells between two recentrings.
pub const RUN: usize = 16;

/// The class of an item whose class is not known.
pub const UNKNOWN: u32 = u32::MAX;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("em/expect", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 8] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "runs", access: Access::Read },
    Binding { name: "gold", access: Access::Read },
    Binding { name: "cells", access: Access::Read },
    Binding { name: "logs", access: Access::Read },
    Binding { name: "posterior", access: Access::ReadWrite },
    Binding { name: "evidence", access: Access::ReadWrite },
    Binding { name: "masses", access: Access::ReadWrite },
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
    /// The cell whose row of logarithms is the class prior's.
    pub prior: u32,
    /// Whether the likeliest class takes all.
    pub hard: u32,
    /// Columns of a class, of which `classes` counts all.
    pub subtypes: u32,
    /// Fills the block up.
    pub reserved: u32,
}
