//! The k beams of a corpus whose directions are nearest to each query's.
//!
//! # Formula
//!
//! The similarity of a query q and a beam c, both of Euclidean length one, is sum q_k c_k, the cosine of the angle between
//! them. Of each item, which is a query and a segment of the corpus, the k beams of the segment with the largest similarity,
//! from the largest on, the lower index first among equals. Nothing is kept of other pairs.
//!
//! A run looks through the beams from `first` to before `last`. One that begins behind the first beam goes on from what an
//! earlier one found, so that runs over parts of a corpus one after the other find what one over all of it does. Queries of
//! any length, which are not negative and sum to a normal number, are first divided by it.
//!
//! Segment s of S has the stripes of [`STRIPE`] beams whose number is s modulo S: lanes that differ in their segment read
//! neighbouring stripes, lanes that differ in their query the same one. Items that are Q apart are of one query; a twin may
//! give the k nearest of several such items together in the place of the first of them, and none in the others'. Places
//! left have index `u32::MAX`.
//!
//! # Layout
//!
//! `queries` 9 planes of B f32, `segments` one of u32, which is not read where S is 1: the items of a segment stand
//! together. `corpus` 9 planes of beams, one after the other. `similarities` k planes of f32 and `indices` k planes of u32, the
//! nearest first. A lane takes an item.
//!
//! # Tolerance
//!
//! 1e-6 by rounding to f32 after division by the length and a sum of nine products. Two devices may give different
//! neighbours where similarities differ by less.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/beam/nearest.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 64;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// The most neighbours of a query.
pub const MOST: usize = 64;

/// Beams that stand together in a segment.
pub const STRIPE: usize = 16;

/// Operations of a pair.
pub const OPERATIONS: usize = 10;

/// Steps of a lane's loops, at most: some software drivers end all loops at 65,535.
pub const STEPS: usize = 60_000;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/nearest", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 6] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "queries", access: Access::Read },
    Binding { name: "segments", access: Access::Read },
    Binding { name: "corpus", access: Access::Read },
    Binding { name: "similarities", access: Access::ReadWrite },
    Binding { name: "indices", access: Access::ReadWrite },
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
    /// k, 1 to [`MOST`].
    pub neighbours: u32,
    /// Beams of the corpus.
    pub beams: u32,
    /// S.
    pub segments: u32,
    /// Q.
    pub queries: u32,
    /// The first beam looked at; above 0 what was found before counts too.
    pub first: u32,
    /// The beam behind the last one looked at.
    pub last: u32,
    /// 1 where queries are of any length.
    pub any_length: u32,
    /// Fills the block up.
    pub reserved: u32,
    /// The same.
    pub reserved_too: u32,
}
