//! What is known of many yes-or-no cells, each on its own, and what M planes of evidence add to it: an occupancy grid.
//!
//! # Formula
//!
//! L = ln(p / (1 - p)) of each cell, with a prior L_0 = ln(p_0 / (1 - p_0)) that every plane of evidence has in it and that is
//! counted once (Moravec and Elfes, ICRA 1985; Thrun, Burgard and Fox, Probabilistic Robotics, 2005, 4.2):
//!
//! L' = L + sum_m (E_m - L_0), clamped to [low, high].
//!
//! A plane is one of [`Kind`]. Of counts, E_m - L_0 is hits (L_hit - L_0) + misses (L_miss - L_0) with the log odds of the
//! inverse sensor model, so that a cell without either adds nothing. Of log odds E_m is the entry; of probabilities p it is
//! ln max(p, [`FLOOR`]) - ln max(1 - p, [`FLOOR`]). An entry that is the prior's own value adds nothing.
//!
//! Every term is rounded to a multiple of 1 / [`UNITS`], to even where it lies between two; from there on all is a sum of
//! integers. A count's term is [`MOST_OF_A_COUNT`] units at most, what a plane adds [`MOST`]. The order of planes changes no
//! bit, and the bits of counts and log odds are the same on every device.
//!
//! Asked for probabilities, it answers 1 / (1 + exp(-L')).
//!
//! An entry that is no number, infinite, or no probability where it should be is found: `status` says the lowest such cell
//! of a block, and what is written of that cell means nothing.
//!
//! # Layout
//!
//! `state` B f32, multiples of 1 / [`UNITS`] within [`LIMIT`]. `evidence` M planes of B words: f32, or hits in the lower and
//! misses in the upper half. `terms` M [`Terms`], M <= [`PLANES`]. `results` B f32. `status` one word a block: the lowest bad
//! cell's place in its block; `u32::MAX`: none. A lane takes a cell, each word is read once.
//!
//! # Tolerance
//!
//! Counts and log odds: half a unit for each of the terms, beside the rounding of the product with a count, 6e-8 of it. A
//! probability's log odds: 1e-6 relative to the larger of its logarithms, and half a unit; devices may differ by a unit for
//! each. Probabilities answered: 1e-6 relative.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str =
    concat!(include_str!("../../../shaders/shared/numbers.wgsl"), include_str!("../../../shaders/bayes/log_odds.wgsl"));

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Cells of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Units of one: log odds are multiples of 2^-16.
pub const UNITS: f32 = 65_536.0;

/// What a plane adds at most, in units: 256.
pub const MOST: f32 = 16_777_216.0;

/// What hits or misses are worth at most, in units: nearly 16,384, the last number before half of what fits 32 bits.
pub const MOST_OF_A_COUNT: f32 = 1_073_741_760.0;

/// The most planes of a run: their sum fits 32 bits.
pub const PLANES: usize = 120;

/// The farthest limit: every multiple up to it is a number of f32, and its probability a normal number.
pub const LIMIT: f32 = 64.0;

/// What a probability and its complement count for at least.
pub const FLOOR: f32 = 1e-7;

/// Operations of a cell beside those of its planes.
pub const OPERATIONS: usize = 16;

/// Operations of an entry that is a probability: two logarithms.
pub const OPERATIONS_OF_A_PROBABILITY: usize = 64;

/// What a plane of evidence holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Hits and misses.
    Counts = 0,
    /// Log odds, the prior among them.
    LogOdds = 1,
    /// Probabilities, the prior among them.
    Probabilities = 2,
}

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("bayes/log_odds", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 6] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "state", access: Access::Read },
    Binding { name: "evidence", access: Access::Read },
    Binding { name: "terms", access: Access::Read },
    Binding { name: "results", access: Access::ReadWrite },
    Binding { name: "status", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Cells of the chunk.
    pub items: u32,
    /// Cells between planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// M.
    pub planes: u32,
    /// The lower limit in units.
    pub low: f32,
    /// The upper limit in units.
    pub high: f32,
    /// Whether probabilities are asked for.
    pub probabilities: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
}

/// How a plane is read.
#[derive(Debug, Clone, Copy, PartialEq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Terms {
    /// Its [`Kind`].
    pub kind: u32,
    /// Of counts L_hit - L_0 in units, of probabilities the prior.
    pub first: f32,
    /// Of counts L_miss - L_0 in units, else L_0 in whole units.
    pub second: f32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
}
