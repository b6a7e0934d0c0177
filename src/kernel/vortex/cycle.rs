//! Objects that go round a path of L places, forward or backward, by ticks or in closed form.
//!
//! # Formula
//!
//! An object has a place, hops n made so far, a phase p in [0, 1) on the way to the next place, and a velocity v. Hop n takes
//! rho^-n / v seconds, so that the speed of the phase is v rho^n; with rho = 1 every hop takes as long. A hop leads one place
//! on, or back, and from the last place to the first. q = 1 / rho.
//!
//! *Tick* by dt: s = p + v rho^n dt, then n += floor(s), p = s - floor(s). The whole tick goes at the speed of its first
//! hop, so that the error is of first order in dt. `ticks` of them follow each other.
//!
//! *Closed form* after t: s = p + v rho^n t is the time in units of the hop that is under way, y = 1 + (q - 1) s, h = log_q y
//! (s where q = 1), n += floor(h), and the phase of that hop is (q^frac(h) - 1) / (q - 1) (frac(h) where q = 1). With n = p =
//! 0 that is hops(t) = floor(log_q(1 + (q - 1) v t)). Where rho > 1 all hops end at a finite time, y = 0.
//!
//! ln(1 + x) for |x| <= 1/4 is 2 artanh(x / (2 + x)), five terms of its series; e^x - 1 for |x| <= 1/2 is eight terms of its
//! own. Beyond, ln and exp do not cancel.
//!
//! # Bounds
//!
//! An object whose hops would exceed [`MOST_HOPS`], the last number up to which f32 counts, or that would come to y <= 0,
//! stays as it is; `refused` says the lowest of a block. rho^n below the smallest normal number counts as 0, above 2^40 as
//! 2^40. v and t are at most 2^40.
//!
//! # Layout
//!
//! `velocities` B f32, `directions` B u32 (0 forward, 1 backward); in place: `places` B u32 below L, `hops` B u32, `phases`
//! B f32. `refused` one word a block; `u32::MAX`: none. A lane takes an item. 20 bytes are read and 12 written, for an
//! exponential a tick or two and a logarithm in closed form.
//!
//! # Tolerance
//!
//! Of n + p, where h are the hops made: 1e-6 (1 + h) (1 + n ln q / 4), because the speed v rho^n has a relative error of
//! 1e-7 for each e-fold; with rho > 1 the closed form 1 / y as much.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str =
    concat!(include_str!("../../../shaders/shared/numbers.wgsl"), include_str!("../../../shaders/vortex/cycle.wgsl"));

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of a tick, or of the closed form.
pub const OPERATIONS: usize = 64;

/// The most places of a path.
pub const MOST_PLACES: usize = 65_535;

/// 2^24: the most hops of an object.
pub const MOST_HOPS: f32 = 16_777_216.0;

/// 2^40: the largest velocity, the longest time and the largest rho^n.
pub const LARGEST: f32 = 1_099_511_627_776.0;

/// log2 of it.
pub const LOG2_LARGEST: f32 = 40.0;

/// The most ticks of one dispatch: some drivers end a loop after 65,535 steps.
pub const MOST_TICKS: u32 = 32_768;

/// Up to which |x| ln(1 + x) is a series.
pub const LN_SERIES_TO: f32 = 0.25;

/// artanh(z) / z in powers of z^2, from the highest.
pub const ARTANH_SERIES: [f32; 5] = [1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];

/// Up to which |x| e^x - 1 is a series.
pub const EXP_SERIES_TO: f32 = 0.5;

/// (e^x - 1) / x in powers of x, from the highest.
pub const EXP_SERIES: [f32; 8] =
    [1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 1.0 / 2.0, 1.0];

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("vortex/cycle", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 7] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "velocities", access: Access::Read },
    Binding { name: "directions", access: Access::Read },
    Binding { name: "places", access: Access::ReadWrite },
    Binding { name: "hops", access: Access::ReadWrite },
    Binding { name: "phases", access: Access::ReadWrite },
    Binding { name: "refused", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Items of the chunk.
    pub items: u32,
    /// Items between planes; there is one.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// L.
    pub length: u32,
    /// How many ticks; 0: the closed form.
    pub ticks: u32,
    /// dt, or t.
    pub elapsed: f32,
    /// ln q.
    pub ln_q: f32,
    /// q - 1.
    pub growth: f32,
    /// 1 / ln q.
    pub per_ln_q: f32,
    /// 1 / (q - 1).
    pub per_growth: f32,
    /// 1 / L.
    pub per_length: f32,
    /// log2 q.
    pub log2_q: f32,
}
