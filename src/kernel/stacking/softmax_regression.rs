//! Softmax regression: the loss of a stacked model on labelled items and its gradient, in one pass over the features.
//!
//! # Formula
//!
//! Feature f = n C + j of an item is ln p_n(j), clamped to [`LN_FLOOR`, 0]; 0 for all classes j where source n says
//! nothing. F = N C. With a, C x F, and b, C long:
//!
//! 1. z_k = b_k + sum_f a[k, f] x_f, the f in their order.
//! 2. P = softmax z; the loss of an item labelled y is ln sum_k exp(z_k - max z) + max z - z_y.
//! 3. r_k = P_k - [k = y]; the gradient is sum r_k x_f in a, sum r_k in b. Items that are not labelled add nothing.
//!
//! Loss and gradient are sums over the items; what is a mean and what is penalised is the caller's.
//!
//! # Layout
//!
//! `features` [ceil(B / 16), F, 16] f32: items are lanes of a tile, those that fill up the last tile zero. `targets`
//! [ceil(B / 16), 16] f32: the label, -1 for an item that is not labelled. On the CPU `parameters` and `gradient` are a
//! row-major [C, F], then b, C long.
//!
//! On the GPU `features` and `targets` stay on the device for as long as they are evaluated. An evaluation uploads
//! `parameters` [F + 1, 4 ceil(C / 4)] f32: the classes of each feature, filled up with zeros, then b. It reads back `losses`
//! [ceil(B / 16), 4] f32, of four items each, and `partials` [blocks, C F + C] f32, laid out as the gradient. `residuals`
//! [tiles of a dispatch, 4 ceil(C / 4), 16] f32 is used by the path `staged`. What is not used is bound as one vec4.
//!
//! # Paths and bytes
//!
//! On the CPU an evaluation reads each feature once from memory: [`GROUP`] tiles are taken through all three steps while
//! they lie in the caches. The GPU has two paths:
//!
//! - `whole`, for C <= 32: a workgroup takes 256 items, or 128 where C > 16, through all steps, logits and residuals in its
//!   own memory, sums of the gradient in registers, so that 4 F + 5 bytes per item are read and written, and each feature
//!   once as long as the features of a group, 4 F bytes an item, stay in a cache between steps 1 and 3. The sums it holds
//!   are of 4 x 4 classes and features per lane; features beyond these are a further slab, whose workgroup runs beside and
//!   takes steps 1 and 2 again. The path is taken up to 8 slabs, as long as (slabs + 1) C <= 128: all multiplications are
//!   then no more than those of the other path, which always has 64 classes.
//! - `staged`, for all else: one dispatch writes the residuals, a second one multiplies them with the features in tiles of
//!   64 classes by 64 features, each through workgroup memory. Either reads the features once per 64 classes, the second
//!   the residuals once per 64 features, from a cache where workgroups run side by side: at least 8 F + 16 C bytes per item.
//!   2 C multiplications to a feature, 128 at least, hide that.
//!
//! Beside that, whatever B: an upload of 4 C (F + 1) bytes, a wait for the device, and at most [`PARTIAL_WORDS`] words, or
//! one gradient where that is more, which the host adds up. Where items are few the CPU is done before that wait is over;
//! `benches/stacking.rs` shows where on a given machine. Which device evaluates is settled before the first evaluation, by
//! the caller or by what was measured, and stays so unless the device fails.
//!
//! Features that pass the engine's memory budget are cut along items: as many pieces as fit stay, the rest is uploaded
//! anew in every evaluation, at 4 F bytes per item over the bus. A device that cannot hold one run is declined by error.
//!
//! # Sums
//!
//! CPU: each lane adds up to [`FLUSH`] tiles in f32, then lanes are added in f64. Blocks of tiles, whose number depends on
//! B and the number of parameters alone, are added in their order in f64: the bits do not depend on the number of threads.
//!
//! GPU: items are cut into runs of 16 to [`RUN_TILES`] tiles, added in f32 in an order that depends on the shape alone; run u
//! belongs to block u modulo their number, at most [`MOST_BLOCKS`], and a block adds its runs in their order in f32. Length
//! and number depend on B and the number of parameters alone. Losses and blocks are added in their order in f64 on the
//! host. There are no atomics: the bits depend neither on scheduling nor on how the features were cut for the device.
//!
//! # Tolerance
//!
//! Against f64: z by F + 1 additions, |z| [`RELATIVE`] times the sum of |a x|; P, and with it loss and gradient per item, by
//! [`PROBABILITY`] and z's. Items are off at random, so their sum is off by the root of the sum of squares, and by
//! [`ADDITIONS`] times the sum of its terms' sizes: `FLUSH` additions per lane, or on the GPU those of a run, 4 `RUN_TILES` at
//! most, and of a block's runs. Devices differ by no more than twice that.
//!
//! A GPU may take it that no number is infinite or a NaN. Where |b| and 16.2 times the |a| of a class sum to more than
//! [`LARGEST_LOGIT`], or are no numbers, its answer is NaN without an evaluation; the CPU's may still be a number.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/stacking/softmax_regression.wgsl"),
);

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 256;

/// What every executor keeps to.
pub const CONTRACT: Contract =
    Contract::of::<Params>("stacking/softmax_regression", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 7] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "features", access: Access::Read },
    Binding { name: "targets", access: Access::Read },
    Binding { name: "parameters", access: Access::Read },
    Binding { name: "residuals", access: Access::ReadWrite },
    Binding { name: "losses", access: Access::ReadWrite },
    Binding { name: "partials", access: Access::ReadWrite },
];

/// Tiles that the path `whole` takes through its steps together, at most; runs are whole multiples of it.
pub const GROUP_TILES: u32 = 16;

/// Classes of the path `whole`, at most.
pub const WHOLE_CLASSES: u32 = 32;

/// Slabs of the path `whole`, at most.
pub const MOST_SLABS: u32 = 8;

/// Tiles that the path `staged` takes the residuals of together.
pub const STAGED_TILES: u32 = 4;

/// Classes, and features, whose products a workgroup of the path `staged` adds up.
pub const SIDE: u32 = 64;

/// Tiles of a run, at most.
pub const RUN_TILES: u32 = 64;

/// Blocks, at most.
pub const MOST_BLOCKS: u32 = 256;

/// Words of `partials`, at most, unless one block has more.
pub const PARTIAL_WORDS: u32 = 1 << 20;

/// The largest sum of sizes of a logit's terms that a GPU evaluates: 2^120, so that losses can be added.
pub const LARGEST_LOGIT: f64 = 1_329_227_995_784_915_872_903_807_060_280_344_576.0;

/// Items in a tile.
pub const LANES: usize = 16;

/// Tiles that go through forward, softmax and gradient together.
pub const GROUP: usize = 8;

/// Tiles whose gradient is added in f32.
pub const FLUSH: usize = 256;

/// What the features are clamped to from below: ln of `LOG_FLOOR`, 1e-7.
pub const LN_FLOOR: f32 = -16.118_095;

/// What z may be off, relative to the sum of its terms' sizes.
pub const RELATIVE: f64 = 1e-6;

/// What P, and with it the gradient of an item, may be off beside what z is.
pub const PROBABILITY: f64 = 1e-6;

/// What a sum over items may be off by its additions, relative to the sum of its terms' sizes.
pub const ADDITIONS: f64 = 1e-7;

/// The most parameters, C F + C.
pub const MAX_PARAMETERS: usize = 1 << 22;

/// One number of each item of a tile, on a cache line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Row(pub [f32; LANES]);

impl Row {
    /// Zeros.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// The features of all items, packed.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// B.
    pub items: usize,
    /// C.
    pub classes: usize,
    /// F.
    pub len: usize,
    /// [ceil(B / 16), F].
    pub rows: Vec<Row>,
}

impl Features {
    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.items.div_ceil(LANES)
    }

    /// The same of the first tiles alone.
    pub fn first(&self, tiles: usize) -> Self {
        let tiles = tiles.min(self.tiles());
        Self { items: self.items.min(LANES * tiles), rows: self.rows[..tiles * self.len].to_vec(), ..*self }
    }

    /// One tile: a row per feature.
    pub fn tile(&self, tile: usize) -> &[Row] {
        &self.rows[tile * self.len..][..self.len]
    }

    /// C F + C.
    pub fn parameters(&self) -> usize {
        self.classes * (self.len + 1)
    }

    /// Tiles in a block, of which a thread takes one at a time: at most 64 blocks, fewer where the gradient is large.
    pub fn block_tiles(&self) -> usize {
        let blocks = ((1 << 25) / self.parameters().max(1)).clamp(8, 64);
        self.tiles().div_ceil(blocks).max(1)
    }
}

/// The labels of all items, packed: -1 where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// One per tile.
    pub rows: Vec<Row>,
    /// Number of labelled items.
    pub labelled: usize,
}

impl Targets {
    /// No label at all.
    pub fn none(tiles: usize) -> Self {
        Self { rows: vec![Row([-1.0; LANES]); tiles], labelled: 0 }
    }

    /// The labels of the items that `counts` is true for.
    pub fn of(labels: &[u32], counts: impl Fn(usize) -> bool) -> Self {
        let mut rows = vec![Row([-1.0; LANES]); labels.len().div_ceil(LANES)];
        let mut labelled = 0;
        for (item, &label) in labels.iter().enumerate().filter(|(item, _)| counts(*item)) {
            rows[item / LANES].0[item % LANES] = label as f32;
            labelled += 1;
        }
        Self { rows, labelled }
    }
}

/// One of the dispatches that a path consists of; its number is the shader's `STAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// All steps: the path `whole`.
    Whole,
    /// Steps 1 and 2.
    Residuals,
    /// Step 3.
    Gradient,
}

/// The uniform block: a piece of the tiles, and how all are cut.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// C.
    pub classes: u32,
    /// F.
    pub features: u32,
    /// ceil(C / 4).
    pub class_quads: u32,
    /// Tiles of this piece.
    pub tiles: u32,
    /// Tiles before it.
    pub first_tile: u32,
    /// Runs of this piece.
    pub runs: u32,
    /// Runs before it.
    pub first_run: u32,
    /// Tiles of a run.
    pub run_tiles: u32,
    /// Blocks.
    pub blocks: u32,
    /// Tiles that the path `whole` takes together.
    pub group_tiles: u32,
    /// Slabs that the path `whole` cuts the features into; b counts as the weight of a constant one.
    pub slabs: u32,
    /// Quads of features of a slab.
    pub slab_quads: u32,
    /// Parts of a group's tiles that lanes of the path `whole` take apart in step 3.
    pub slices: u32,
    /// Fills 16 bytes; zero.
    pub reserved: u32,
    /// See `reserved`.
    pub reserved_2: u32,
}
