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
//! [ceil(B / 16), 16] f32: the label, -1 for an item that is not labelled. `parameters` and `gradient`: a row-major [C, F],
//! then b, C long. An evaluation reads each feature once from memory: [`GROUP`] tiles are taken through all three steps
//! while they lie in the caches.
//!
//! # Sums
//!
//! Each lane adds up to [`FLUSH`] tiles in f32, then lanes are added in f64. Blocks of tiles, whose number depends on B
//! and the number of parameters alone, are added in their order in f64: the bits do not depend on the number of threads.
//!
//! # Tolerance
//!
//! Against f64: z by F + 1 additions, |z| `RELATIVE` times the sum of |a x|; the loss per item as z; the gradient per item
//! as P, 1e-6 + z's. The sum over items adds `FLUSH` roundings per lane, at random.

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

/// The most parameters, C F + C.
pub const MAX_PARAMETERS: usize = 1 << 22;

/// One number of each item of a tile, on a cache line of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
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
