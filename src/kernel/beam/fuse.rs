//! Three channel distributions over the digits 1 to 9 fused into a beam: digits, channel values, confidence, agreement and
//! position, in one pass.
//!
//! # Formula
//!
//! Of each channel c, x_c its nine digits, none negative:
//!
//! 1. d_c = x_c / sum x_c.
//! 2. H_c = -sum d_c ln d_c, 0 ln 0 = 0; its mass m_c = 1 - H_c / ln 9, in [0, 1]: 0 for a uniform distribution, 1 for a
//!    certain one.
//!
//! Then digits = sum w_c d_c with the weights w, which sum to one, or in proportion to prod d_c^w_c by [`Pooling::Log`], where
//! a digit below the smallest normal number is 0 and 0^0 = 1; values = 9 m_c; confidence = mean of the m_c; agreement =
//! 1 - JSD / ln 3 with the Jensen-Shannon divergence JSD = H(sum w_c d_c) - sum w_c H_c, in [0, 1], whatever the pooling.
//!
//! Where every product is 0, because each digit is ruled out by a channel that counts, the channels conflict: the digits are
//! the linear pool's, and `status` has the item's bit set.
//!
//! The position goes by the shares e, l, p = m_c / sum m_c of ethos, logos and pathos, a third each where all masses are 0.
//! [`Map::LabelMean`]: floor(3 e + 6 l + 9 p + 1/2). [`Map::Gradient`]: 0 where every share is within [`BALANCE`] of a third;
//! the anchor of the largest share (3 ethos, 9 logos, 6 pathos) where it is above [`DOMINANCE`]; else by the largest and the
//! second largest share, the first of equals, and whether the confidence is above [`SIGNAL`]: [`GRADIENT`].
//!
//! A channel whose digits are not all finite and at least 0, or whose sum is 0 or infinite, is no distribution: `status`
//! says the lowest item of the block with one, and what is written of that item means nothing.
//!
//! # Layout
//!
//! `channels` 27 planes of B f32: digit k of ethos is plane k - 1, of logos plane 8 + k, of pathos plane 17 + k. `digits` 9
//! planes, `scalars` 4 planes (three values, confidence) or 5 (agreement), `positions` one plane of u32. `status` nine words a
//! block: the lowest bad item's place in its block, `u32::MAX` for none, then a bit per item whose channels conflict. A lane
//! takes an item.
//!
//! 108 bytes are read and 56 or 60 written per item, for 27 or 36 logarithms.
//!
//! # Tolerance
//!
//! Digits 3e-7 by the division, weights and sums; pooled in logarithm 2e-5, because a logarithm of -87 is good to 4e-6 and
//! there are several; masses, confidence and agreement 2e-6 as sums of nine terms with a
//! logarithm each over ln 9; values nine times as much. A position may differ where a share or the confidence lies within
//! 1e-5 of a border, or within 2e-6 over the confidence: where no channel knows anything, shares are of roundings.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/beam.wgsl"),
    include_str!("../../../shaders/beam/fuse.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of an item: 27 logarithms and what is done with them.
pub const OPERATIONS: usize = 1024;

/// The same with the logarithmic pool, whose 27 logarithms are good to a unit, and nine exponentials.
pub const OPERATIONS_LOG: usize = 2048;

/// Digits of a distribution.
pub const DIGITS: usize = 9;

/// Ethos, logos, pathos.
pub const CHANNELS: usize = 3;

/// How far a share may be from a third in balance.
pub const BALANCE: f32 = 0.05;

/// The share above which a channel dominates.
pub const DOMINANCE: f32 = 0.7;

/// The confidence above which a signal is strong.
pub const SIGNAL: f32 = 0.6;

/// The position by the largest channel, the second largest, and whether the signal is weak or strong; a channel that
/// stands alone has its anchor on the diagonal.
pub const GRADIENT: [[[u32; 2]; CHANNELS]; CHANNELS] =
    [[[3, 3], [1, 2], [2, 4]], [[8, 8], [9, 9], [7, 7]], [[5, 5], [7, 7], [6, 6]]];

/// What the devices may differ by, but for channel values, nine times as much, and positions at a border.
pub const ABSOLUTE: f32 = 2e-6;

/// How channel values become a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u32)]
pub enum Map {
    /// The mean of the channels' labels 3, 6 and 9.
    #[default]
    LabelMean = 0,
    /// By dominance, second channel and signal.
    Gradient = 1,
}

/// How the digits of several channels become one distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooling {
    /// Their weighted mean.
    #[default]
    Linear,
    /// In proportion to the product of their powers; what one channel rules out stays ruled out.
    Log,
}

/// The bit of `options` that asks for the agreement.
pub const AGREEMENT: u32 = 1;

/// The bit of `options` that asks for [`Pooling::Log`].
pub const LOG_POOLING: u32 = 2;

/// What the shader says of a block: the lowest bad item, and a bit per item in conflict.
pub type Status = [u32; 1 + BLOCK / 32];

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/fuse", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 6] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "channels", access: Access::Read },
    Binding { name: "digits", access: Access::ReadWrite },
    Binding { name: "scalars", access: Access::ReadWrite },
    Binding { name: "positions", access: Access::ReadWrite },
    Binding { name: "status", access: Access::ReadWrite },
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
    /// Which [`Map`].
    pub map: u32,
    /// w of ethos.
    pub weight_ethos: f32,
    /// w of logos.
    pub weight_logos: f32,
    /// w of pathos.
    pub weight_pathos: f32,
    /// [`AGREEMENT`] and [`LOG_POOLING`].
    pub options: u32,
}
