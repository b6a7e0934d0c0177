//! The pool: every rule of an ensemble, every weighting and every output in one pass over the evidence.
//!
//! # Formula
//!
//! For one item, over its present sources n, with x_n its row of values:
//!
//! 1. p_n = x_n (probabilities), exp x_n (log-probabilities) or softmax x_n (logits); in a log pool ln p_n is
//!    clamped to [ln eps, 0]. The row is valid if no value is NaN, none is infinite (negative infinity is allowed where
//!    the values are logarithms), none is a negative probability, and |sum p_n - 1| <= `SUM_TOLERANCE`.
//! 2. c_n = the given confidence, else max p_n. A given confidence is valid in [0, 1].
//! 3. Raw weight w_n = `offset_n` + `scale_n` c_n^gamma. W = sum w_n. If W < `WEIGHT_FLOOR`, w_n = pi_n, or w_n = 1 where
//!    sum pi_n < `WEIGHT_FLOOR` too, and the item is flagged `ZERO_WEIGHTS`. Lowering sees to it that raw weights are at
//!    most 1.
//! 4. r_n = pi_n w_n c_n, R = sum r_n. If R < `WEIGHT_FLOOR`, r_n = w_n and, if `BayesianAverage` is among the rules, the
//!    item is flagged `ZERO_WEIGHTS` too.
//! 5. The rules:
//!    `Linear` sum w_n p_n / W; `Vote` sum w_n [k = argmax x_n] / W; `MaxVote` sum w_n p_n / sum w_n over the n with the
//!    largest c_n of those with w_n > 0; `BayesianAverage` sum r_n p_n / R;
//!    `LogPool` softmax(sum w_n ln p_n / W).
//! 6. P = sum over rules of `mix` times its posterior, divided by its sum over classes.
//! 7. Without a present source P = the class prior, the item is flagged, disagreement and effective sources are 0.
//!
//! Outputs: decision = the lowest class of largest P; where the only rule is `Vote`, of the classes within `TIE` of the
//! largest the one with the largest sum w_n p_n / W, then the lowest. Confidence = max P. Margin = max P - second P (1 if
//! C = 1). Entropy = -sum P ln P. Disagreement = (H(sum w_n p_n / W) - sum w_n H(p_n) / W) / ln C, at least 0 (0 if
//! C = 1). Effective sources = W^2 / sum w_n^2.
//!
//! Sources are taken in their order; sums over classes run in the order of classes or in runs of it that depend on C
//! alone, so an item's bits depend on nothing but its own rows.
//!
//! The sum a row is divided by under `Renormalise` is taken in f32: where it is infinite or below the smallest normal
//! number, no division mends the row.
//!
//! # Layout
//!
//! `evidence` [N, chunk, C] f32. `presence` one bit per item, [N, ceil(chunk / 32)] words, lowest bit first; all ones
//! where a source has no mask. `confidence` [N, chunk] f32; negative infinity where a source gives none, so a negative
//! infinity of the caller's, invalid as any number below zero, is uploaded as -1. `tables`: N times (offset, scale, pi,
//! 0), then the class prior, C values. `posterior` [chunk, C] f32. `columns` [asked, chunk] words: the outputs asked for
//! but the posterior, in the order of `Output::ALL`, f32 as bits. `status` one word: the least item, counted from the
//! chunk's first, with an invalid opinion; `u32::MAX`: none. What is not used is bound as one word.
//!
//! # Tolerance
//!
//! Against f64, weights summing to one: probabilities 5e-7 for N <= 64 by the rounding of N + C additions; the log pool's
//! exponential adds 2 units in the last place; entropy and disagreement 2e-6 as sums of C terms, each with a logarithm
//! good to 1 unit. Three cases go beyond: the entropy of a log pool 1e-5, because a logarithm near ln eps = -16 is rounded
//! to 1e-6, alike for all classes at the floor; effective sources N * 1e-8 relative, for N equal terms added in a row; and
//! `MaxVote` where confidences tie but for their rounding, as those of logits do, for then either source may win.
//!
//! Between devices |gpu - cpu| <= `ABSOLUTE` + `RELATIVE` |cpu|; a decision may differ only where the margin lies inside
//! it.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding};
use crate::spec::{OnInvalid, Rule};
use crate::tensor::{Encoding, Outputs};

/// The WGSL text.
pub const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/fusion.wgsl"),
    include_str!("../../../shaders/fusion/pool.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// The most classes for which a workgroup holds whole items.
pub const MAX_CLASSES: u32 = WORKGROUP_LANES;

/// Votes closer than this share of all are equal: sums of the same weights in another order must tie too.
pub const TIE: f32 = 1e-6;

/// Weights that sum to less, 2^-100, come to nothing.
pub const WEIGHT_FLOOR: f32 = 7.888_609e-31;

/// Weights are squared after multiplication by this, 2^50, so that no square of one above the floor underflows.
pub const SQUARE_SCALE: f32 = 1_125_899_906_842_624.0;

/// What the devices may differ by, absolutely.
pub const ABSOLUTE: f32 = 2e-6;

/// What the devices may differ by, relative to the value.
pub const RELATIVE: f32 = 1e-6;

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 8] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "evidence", access: Access::Read },
    Binding { name: "presence", access: Access::Read },
    Binding { name: "confidence", access: Access::Read },
    Binding { name: "tables", access: Access::Read },
    Binding { name: "posterior", access: Access::ReadWrite },
    Binding { name: "columns", access: Access::ReadWrite },
    Binding { name: "status", access: Access::ReadWrite },
];

/// A fusion made concrete for N sources and C classes: what both executors run.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Number of classes, C.
    pub classes: usize,
    /// One entry per source.
    pub sources: Vec<SourceTerms>,
    /// rho, summing to one.
    pub class_prior: Vec<f32>,
    /// The share of each rule, in the order of [`Rule::SIMPLE`], summing to one; a rule of share zero is not computed.
    pub mix: [f32; Rule::SIMPLE.len()],
    /// The exponent of the confidence.
    pub gamma: f32,
    /// eps.
    pub log_floor: f32,
    /// What the values are.
    pub encoding: Encoding,
    /// What becomes of invalid rows.
    pub on_invalid: OnInvalid,
    /// What is written.
    pub outputs: Outputs,
}

/// How one source counts: raw weight = `offset` + `scale` c^gamma.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct SourceTerms {
    /// The part of the raw weight that does not depend on the item.
    pub offset: f32,
    /// The factor of c^gamma.
    pub scale: f32,
    /// pi.
    pub prior: f32,
    /// Fills 16 bytes; zero.
    pub reserved: f32,
}

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Items in this chunk.
    pub items: u32,
    /// N.
    pub sources: u32,
    /// C.
    pub classes: u32,
    /// Items between the starts of two rows of `columns`, of two planes of `evidence` and of `confidence`.
    pub stride: u32,
    /// Whole items a workgroup holds; 1 in `pool_wide`.
    pub items_per_group: u32,
    /// Workgroups in a row of the grid: group = y * groups_per_row + x.
    pub groups_per_row: u32,
    /// Words of `presence` per source.
    pub presence_words: u32,
    /// Exponent of the confidence.
    pub gamma: f32,
    /// ln eps.
    pub ln_floor: f32,
    /// 1 / ln C; 0 for one class.
    pub inverse_ln_classes: f32,
    /// Shares of the rules, in the order of `Rule::SIMPLE`.
    pub mix_linear: f32,
    /// See `mix_linear`.
    pub mix_vote: f32,
    /// See `mix_linear`.
    pub mix_max_vote: f32,
    /// See `mix_linear`.
    pub mix_bayesian_average: f32,
    /// See `mix_linear`.
    pub mix_log_pool: f32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
}

impl Pool {
    /// One bit per rule of [`Rule::SIMPLE`] that is computed.
    pub fn rules(&self) -> u32 {
        self.mix.iter().enumerate().fold(0, |bits, (i, &share)| if share > 0.0 { bits | 1 << i } else { bits })
    }

    /// ln eps.
    pub fn ln_floor(&self) -> f32 {
        self.log_floor.ln()
    }

    /// 1 / ln C; 0 for one class.
    pub fn inverse_ln_classes(&self) -> f32 {
        if self.classes > 1 { 1.0 / (self.classes as f32).ln() } else { 0.0 }
    }

    /// Whether the vote decides alone, so that its ties are the linear pool's to break.
    pub fn is_vote_alone(&self) -> bool {
        self.rules() == 1 << 1
    }
}
