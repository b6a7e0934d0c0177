//! The pool: every rule of an ensemble, every weighting and every output in one pass over the evidence.
//!
//! # Formula
//!
//! For one item, over its present sources n, with x_n its row of values. A source is present where it was asked, answered
//! (a label that is neither *missing* nor *abstained*) and its opinion is valid.
//!
//! 1. p_n = x_n (probabilities), exp x_n (log-probabilities), softmax x_n (logits), x_n / sum x_n (u8, and 16-bit
//!    probabilities after their check), (x, 1 - x) (binary); of a label l with confidence c, c for l and (1 - c) / (C - 1)
//!    for every other class, c = 1 unless given, and 1 where C = 1. The row is valid if no value is NaN, none is infinite
//!    (negative infinity is allowed where the values are logarithms), none is a negative probability, a sum that has to be
//!    one is so within the tolerance of the form, a sum that is divided by is above zero, a label is below C.
//!    Then p_n becomes p_n^(1/T_n), divided by its sum, where T_n is not 1. Logarithms of p_n in rules are clamped to
//!    [ln eps, 0].
//! 2. c_n = the given confidence, else max p_n. A given confidence is valid in [0, 1]. Vote l_n = argmax x_n, the lowest of
//!    equals, or the label.
//! 3. Raw weight w_n = `offset_n` + `scale_n` m_n^gamma. m_n = the given confidence, else by `measure`: max p_n; largest less
//!    second largest p_n (1 if C = 1); 1 - H(p_n) / ln C (1 if C = 1). Or, whether a confidence is given or not,
//!    1 / (1 + `steepness` d_n), d_n = sqrt(max(0, 1 - sum sqrt(p_n q))) or
//!    max(0, H((p_n + q) / 2) - (H(p_n) + H(q)) / 2) / ln 2, q the mean of the p_n of all present sources.
//!    W = sum w_n. If W < `WEIGHT_FLOOR`, w_n = pi_n, or w_n = 1 where sum pi_n < `WEIGHT_FLOOR` too, and the item is
//!    flagged `ZERO_WEIGHTS`. Lowering sees to it that raw weights are at most 1. With class weights v, w_n(k) =
//!    w_n v_n(k), W(k) = sum w_n v_n(k), in steps 4 and 5 for w_n and W; without, v = 1.
//! 4. r_n = pi_n w_n c_n, R = sum r_n. If sum pi_n w_n c_n < `WEIGHT_FLOOR`, r_n = w_n and, if `BayesianAverage` is among
//!    the rules, the item is flagged `ZERO_WEIGHTS` too.
//! 5. The rules:
//!    `Linear` sum w_n p_n / W; `Vote` sum w_n [k = l_n] / W; `MaxVote` sum w_n p_n / sum w_n over the n with the largest
//!    c_n of those with w_n > 0; `BayesianAverage` sum r_n p_n / R;
//!    `LogPool` softmax(G), G = sum w_n ln p_n / W; `Extremised` softmax(`extremise` G);
//!    `Evidence` softmax(ln rho + sum e_n (ln p_n - ln rho));
//!    `PowerMean` softmax(ln(S) / r), S = sum w_n exp(r ln p_n - max(0, r ln eps)) / W;
//!    `Median` and `Trimmed` over the m present p_n(k) in order of size: the middle one or the mean of the middle two; the
//!    mean of those from g + 1 to m - g, g = [`trimmed_off`]; divided by the sum over k, or `Linear` where that is below
//!    `MIDDLE_FLOOR` and the item is flagged `NO_MIDDLE`;
//!    `DempsterShafer` with L_k = sum ln max(a_n p_n(k) + 1 - a_n, eps) and L = sum ln max(1 - a_n, eps): Dempster's
//!    (exp L_k - exp L + rho exp L) / sum over k; Yager's exp L_k - exp L + rho (1 - sum (exp L_k - exp L));
//!    `Belief` (sum t_n p_n + A rho) / (sum t_n + A), A = `belief_constant` + sum `belief_base_n`;
//!    `Confusion` softmax(ln rho + sum ln theta_n[k, l_n]), over the present and over those that abstained, l_n = C;
//!    `Stacked` softmax(b + sum A_n ln p_n);
//!    `Adaptive` sum u_n p_n / sum u_n, or `Linear` where sum u_n < `WEIGHT_FLOOR`.
//!    ln rho is of rho, at least `PRIOR_FLOOR`.
//! 6. P = sum over rules of `mix` times its posterior, divided by its sum over classes. Then, where T is not 1,
//!    P = softmax(ln P / T), where P = 0 stays 0.
//! 7. Without a present source the item is flagged `NO_SOURCE`; disagreement, effective sources, conflict and contributions
//!    are 0. P is the class prior to the bit, untempered; but where sources abstained and `Confusion` has a share, every
//!    other rule answers with the class prior, and step 6 is taken as ever.
//!
//! Outputs: decision = the lowest class of largest P; where the only rule is `Vote`, of the classes within `TIE` of the
//! largest the one with the largest sum w_n p_n / W, then the lowest. Confidence = max P. Margin = max P - second P (1 if
//! C = 1). Entropy = -sum P ln P. Disagreement = (H(sum w_n p_n / W) - sum w_n H(p_n) / W) / ln C with the w_n of step 3
//! before class weights, at least 0 (0 if C = 1). Effective sources = W^2 / sum w_n^2, likewise.
//! Conflict = 1 - sum (exp L_k - exp L) - exp L, in [0, 1], whatever the rules.
//! Contributions, where the rules are arithmetic (`Linear`, `Vote`, `MaxVote`, `BayesianAverage`, `Belief`, `Adaptive`) or
//! one of `LogPool`, `Extremised`, `Evidence`, `Confusion`, `Stacked` alone: source n's part of ln P_d / P_r, d the decision
//! and r the lowest class of largest P among the others, 0 if C = 1, over T. Of the one rule: the difference of its terms
//! between d and r. Of arithmetic rules: the difference of its terms of sum `mix` P between d and r, divided by the
//! logarithmic mean of P_d and P_r before tempering, each at least eps (Ang's logarithmic mean Divisia index: the parts sum
//! to the whole, up to that of the prior).
//!
//! Sources are taken in their order; sums over classes run in the order of classes or in runs of it that depend on C
//! alone, so an item's bits depend on nothing but its own rows.
//!
//! A value of f16 is the f32 that it equals, subnormals included; one of bf16 too, but that a device may take what is
//! subnormal in f32 for zero.
//!
//! The sum a row is divided by under `Renormalise` is taken in f32: where it is infinite or below the smallest normal
//! number, no division mends the row.
//!
//! # Layout
//!
//! `evidence` words: each source's opinions on the chunk in its form, each beginning at a whole word, 16-bit and 8-bit
//! values lowest first; of f32 rows alone that is [N, chunk, C]. `presence` one bit per item, [N, ceil(chunk / 32)] words,
//! lowest bit first; all ones where a source has no mask. `confidence` [N, chunk] f32; negative infinity where a source
//! gives none, so a negative infinity of the caller's, invalid as any number below zero, is uploaded as -1. `tables`: N
//! times [`SourceTerms`], then the class prior, C long, then, each where it is used, class weights [N, C], ln theta
//! [N, C + 1, C] (source, answer, class), A [N, C, C] (source, class of the opinion, class of the posterior), b, C long.
//! `posterior` [chunk, C] f32. Where evidence or posterior lie in a buffer of a caller's, planes and rows may be further apart
//! than they are long and begin behind the buffer's first word; between them nothing is read or written. `columns` [asked, chunk] words: the outputs asked for but the posterior and the
//! contributions, in the order of `Output::ALL`, f32 as bits; then the contributions [chunk, N]. `status` one word: the
//! least item, counted from the chunk's first, with an invalid opinion; `u32::MAX`: none. `values` [N, chunk, C] f32: what
//! `Median` and `Trimmed` put aside. What is not used is bound as one word.
//!
//! # Tolerance
//!
//! Against f64, weights summing to one: probabilities 5e-7 for N <= 64 by the rounding of N + C additions; the log pool's
//! exponential adds 2 units in the last place; entropy and disagreement 2e-6 as sums of C terms, each with a logarithm
//! good to 1 unit. These go beyond: the entropy of a log pool 1e-5, because a logarithm near ln eps = -16 is rounded
//! to 1e-6, alike for all classes at the floor; effective sources N * 1e-8 relative, for N equal terms added in a row;
//! `MaxVote` where confidences tie but for their rounding, as those of logits do, for then either source may win; rules
//! that add logarithms without dividing by their number (`Evidence`, `Confusion`, `Stacked`, `DempsterShafer`, and
//! `Extremised` by its exponent) by 2e-7 times the sum of the sizes of a class's terms, over T; `PowerMean` 4e-6; a
//! temperature below 1 divides the logarithms' error; Hellinger's distance near 0 is the root of a rounding, 5e-4, which
//! moves a weight by `steepness` times as much; contributions 1e-5 relative to ln P_d / P_r + 1 and, of classes near eps,
//! to 1 / P; the conflict, a difference from 1, by 2e-7 (1 + L) times 1 + sum exp L_k; weights by a margin, or by an entropy
//! near ln C, that are near 0 by the rounding of what they are differences of, which also decides on `ZERO_WEIGHTS` there.
//!
//! Between devices |gpu - cpu| <= `ABSOLUTE` + `RELATIVE` |cpu|, and as much again where a case above goes beyond; a
//! decision may differ only where the margin lies inside it.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};
use crate::spec::{BeliefFusion, Conflict, OnInvalid};
use crate::tensor::{Encoding, Form, Outputs};

/// The WGSL text.
const SOURCE: &str = source!("pool.wgsl");

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

/// Medians and trimmed means that sum to less over all classes are none.
pub const MIDDLE_FLOOR: f32 = 1e-12;

/// The smallest class prior a logarithm is taken of.
pub const PRIOR_FLOOR: f32 = 1e-30;

/// What the devices may differ by, absolutely.
pub const ABSOLUTE: f32 = 2e-6;

/// What the devices may differ by, relative to the value.
pub const RELATIVE: f32 = 1e-6;

/// How many of `count` values the trimmed mean leaves out at either end: floor(`share` `count` + 2^-10), so that a share
/// of 0.35 leaves out 7 of 20 though no f32 is 0.35; and never all, as a share next to a half would.
#[must_use]
pub fn trimmed_off(share: f32, count: f32) -> f32 {
    (share * count + 0.000_976_562_5).floor().min(((count - 1.0) / 2.0).floor()).max(0.0)
}

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("fusion/pool", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 9] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "evidence", access: Access::Read },
    Binding { name: "presence", access: Access::Read },
    Binding { name: "confidence", access: Access::Read },
    Binding { name: "tables", access: Access::Read },
    Binding { name: "posterior", access: Access::ReadWrite },
    Binding { name: "columns", access: Access::ReadWrite },
    Binding { name: "status", access: Access::ReadWrite },
    Binding { name: "values", access: Access::ReadWrite },
];

/// One rule of the kernel; its number is its bit among the rules and its place in the mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the rule of the same name")]
pub enum Slot {
    Linear,
    Vote,
    MaxVote,
    BayesianAverage,
    LogPool,
    Extremised,
    Evidence,
    PowerMean,
    Median,
    Trimmed,
    DempsterShafer,
    Belief,
    Confusion,
    Stacked,
    Adaptive,
}

impl Slot {
    /// All of them, in their order.
    pub const ALL: [Self; 15] = [
        Self::Linear,
        Self::Vote,
        Self::MaxVote,
        Self::BayesianAverage,
        Self::LogPool,
        Self::Extremised,
        Self::Evidence,
        Self::PowerMean,
        Self::Median,
        Self::Trimmed,
        Self::DempsterShafer,
        Self::Belief,
        Self::Confusion,
        Self::Stacked,
        Self::Adaptive,
    ];

    /// Those whose posterior is a weighted sum of opinions.
    pub const ARITHMETIC: u32 = Self::Linear.bit()
        | Self::Vote.bit()
        | Self::MaxVote.bit()
        | Self::BayesianAverage.bit()
        | Self::Belief.bit()
        | Self::Adaptive.bit();

    /// Those whose logarithm is a sum over the sources.
    pub const LOGARITHMIC: u32 = Self::LogPool.bit()
        | Self::Extremised.bit()
        | Self::Evidence.bit()
        | Self::Confusion.bit()
        | Self::Stacked.bit();

    /// Its bit.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What a raw weight goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The largest probability.
    Max,
    /// The largest less the second largest.
    Margin,
    /// 1 - H / ln C.
    Entropy,
    /// Hellinger's distance to the consensus.
    Hellinger,
    /// The Jensen-Shannon divergence from the consensus.
    JensenShannon,
}

impl By {
    /// Whether the consensus has to be known first.
    #[must_use]
    pub const fn is_consensus(self) -> bool {
        matches!(self, Self::Hellinger | Self::JensenShannon)
    }
}

/// A fusion made concrete for N sources and C classes: what both executors run.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Number of classes, C.
    pub classes: usize,
    /// One entry per source.
    pub sources: Vec<SourceTerms>,
    /// What each source's opinions come as.
    pub forms: Vec<Form>,
    /// rho, summing to one.
    pub class_prior: Vec<f32>,
    /// The share of each rule, at the place of its [`Slot`], summing to one; a rule of share zero is not computed.
    pub mix: [f32; Slot::ALL.len()],
    /// What raw weights go by.
    pub by: By,
    /// The exponent of the confidence.
    pub gamma: f32,
    /// How much a distance to the consensus counts.
    pub steepness: f32,
    /// eps.
    pub log_floor: f32,
    /// The exponent of `Extremised`.
    pub extremise: f32,
    /// r of `PowerMean`.
    pub power: f32,
    /// The share that `Trimmed` leaves out at either end.
    pub trim: f32,
    /// Dempster's or Yager's rule.
    pub conflict: Conflict,
    /// Which fusion `Belief` is.
    pub belief: BeliefFusion,
    /// 1 / T.
    pub inverse_temperature: f32,
    /// v, [N, C]; empty without weights per class.
    pub class_weights: Vec<f32>,
    /// ln theta, [N, C + 1, C] (source, answer, class); empty without `Confusion`.
    pub confusion: Vec<f32>,
    /// A, [N, C, C] (source, class of the opinion, class of the posterior); empty without `Stacked`.
    pub stack: Vec<f32>,
    /// b, C long; empty without `Stacked`.
    pub bias: Vec<f32>,
    /// What becomes of invalid rows.
    pub on_invalid: OnInvalid,
    /// What is written.
    pub outputs: Outputs,
}

/// How one source counts: raw weight = `offset` + `scale` m^gamma.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct SourceTerms {
    /// The part of the raw weight that does not depend on the item.
    pub offset: f32,
    /// The factor of m^gamma.
    pub scale: f32,
    /// pi.
    pub prior: f32,
    /// e of `Evidence`.
    pub exponent: f32,
    /// a: how far it is trusted.
    pub reliability: f32,
    /// t of `Belief`.
    pub belief: f32,
    /// What it adds to A of `Belief`.
    pub belief_base: f32,
    /// u of `Adaptive`.
    pub learned: f32,
    /// 1 / T_n.
    pub inverse_temperature: f32,
    /// Its form, as the GPU executor numbers forms; 0 in a plan.
    pub form: u32,
    /// The word of `evidence` at which its opinions begin; 0 in a plan.
    pub start: u32,
    /// Fills 48 bytes; zero.
    pub reserved: u32,
}

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// The item after the last of this dispatch, counted from the chunk's first.
    pub items: u32,
    /// N.
    pub sources: u32,
    /// C.
    pub classes: u32,
    /// Items of the chunk: between the starts of two rows of `columns` and of two planes of `confidence`.
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
    /// How much a distance to the consensus counts.
    pub steepness: f32,
    /// The exponent of `Extremised`.
    pub extremise: f32,
    /// r of `PowerMean`.
    pub power: f32,
    /// The share that `Trimmed` leaves out at either end.
    pub trim: f32,
    /// The part of A of `Belief` that does not depend on the sources.
    pub belief_constant: f32,
    /// 1 / T.
    pub inverse_temperature: f32,
    /// Where in `tables` the class weights begin.
    pub class_weights_at: u32,
    /// Where in `tables` ln theta begins.
    pub confusion_at: u32,
    /// Where in `tables` A begins; b follows.
    pub stack_at: u32,
    /// Shares of the rules, in the order of [`Slot`].
    pub mix_linear: f32,
    /// See `mix_linear`.
    pub mix_vote: f32,
    /// See `mix_linear`.
    pub mix_max_vote: f32,
    /// See `mix_linear`.
    pub mix_bayesian_average: f32,
    /// See `mix_linear`.
    pub mix_log_pool: f32,
    /// See `mix_linear`.
    pub mix_extremised: f32,
    /// See `mix_linear`.
    pub mix_evidence: f32,
    /// See `mix_linear`.
    pub mix_power_mean: f32,
    /// See `mix_linear`.
    pub mix_median: f32,
    /// See `mix_linear`.
    pub mix_trimmed: f32,
    /// See `mix_linear`.
    pub mix_dempster_shafer: f32,
    /// See `mix_linear`.
    pub mix_belief: f32,
    /// See `mix_linear`.
    pub mix_confusion: f32,
    /// See `mix_linear`.
    pub mix_stacked: f32,
    /// See `mix_linear`.
    pub mix_adaptive: f32,
    /// The first item of this dispatch, counted from the chunk's first.
    pub first: u32,
    /// Words between the starts of two sources' planes, where all are f32 rows alike.
    pub plane: u32,
    /// Values between the starts of two rows of a plane; of forms with one value an item, not looked at.
    pub row: u32,
    /// The word at which the first plane begins, where all are f32 rows alike.
    pub evidence_at: u32,
    /// Words between the starts of two rows of `posterior`.
    pub answer_row: u32,
    /// The word of `posterior` at which the first row begins.
    pub answer_at: u32,
}

impl Pool {
    /// One bit per rule that is computed, at the place of its [`Slot`].
    pub fn rules(&self) -> u32 {
        self.mix.iter().enumerate().fold(0, |bits, (i, &share)| if share > 0.0 { bits | 1 << i } else { bits })
    }

    /// The share of a rule.
    pub fn share(&self, slot: Slot) -> f32 {
        self.mix[slot as usize]
    }

    /// The one encoding of all sources, if they are f32 rows alike and untempered.
    pub fn encoding(&self) -> Option<Encoding> {
        let Some(&Form::F32(encoding)) = self.forms.first() else { return None };
        let alike = self.forms.iter().all(|&form| form == Form::F32(encoding));
        (alike && self.sources.iter().all(|source| source.inverse_temperature == 1.0)).then_some(encoding)
    }

    /// ln eps.
    pub fn ln_floor(&self) -> f32 {
        self.log_floor.ln()
    }

    /// 1 / ln C; 0 for one class.
    pub fn inverse_ln_classes(&self) -> f32 {
        if self.classes > 1 { 1.0 / (self.classes as f32).ln() } else { 0.0 }
    }

    /// The part of A of `Belief` that does not depend on the sources.
    pub fn belief_constant(&self) -> f32 {
        if self.belief == BeliefFusion::Cumulative { 1.0 } else { 0.0 }
    }

    /// Whether a workgroup cannot hold an item, so that the kernel is `pool_wide`.
    pub fn is_wide(&self) -> bool {
        self.classes > MAX_CLASSES as usize
    }

    /// Whether the vote decides alone, so that its ties are the linear pool's to break.
    pub fn is_vote_alone(&self) -> bool {
        self.rules() == Slot::Vote.bit()
    }
}
