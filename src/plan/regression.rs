//! How a softmax regression is cut: into runs and blocks, which the shape alone decides, and into pieces, which are what a
//! device computes at a time.

use crate::error::{DeviceError, Result};
use crate::kernel::Kernel;
use crate::kernel::stacking::softmax_regression::{
    BINDINGS, Features, GROUP_TILES, LANES, MOST_BLOCKS, MOST_SLABS, PARTIAL_WORDS, Params, RUN_TILES, SIDE,
    STAGED_TILES, Stage, WHOLE_CLASSES, WORKGROUP_LANES,
};
use crate::plan::batch::OPERATIONS_PER_BYTE;
use crate::plan::cost::Demand;
use crate::plan::partition::{Limits, MAX_GROUPS_PER_ROW};

/// Places in `softmax_regression::BINDINGS`.
pub const PARAMS: usize = 0;
/// See [`PARAMS`].
pub const FEATURES: usize = 1;
/// See [`PARAMS`].
pub const TARGETS: usize = 2;
/// See [`PARAMS`].
pub const PARAMETERS: usize = 3;
/// See [`PARAMS`].
pub const RESIDUALS: usize = 4;
/// See [`PARAMS`].
pub const LOSSES: usize = 5;
/// See [`PARAMS`].
pub const PARTIALS: usize = 6;

/// Lanes of a workgroup.
const LANES_OF_GROUP: u64 = WORKGROUP_LANES as u64;

/// Bytes of a vec4.
const QUAD_BYTES: u64 = 16;

/// Bytes of a number of every item of a tile.
const ROW_BYTES: u64 = 4 * LANES as u64;

/// Multiplications that take a device as long as a value of evidence, which it waits for.
const MULTIPLICATIONS_PER_VALUE: u64 = 16;

/// Where features do not fit the budget, a piece takes no more than this share of it, so that most of them stay.
const STREAMED_SHARE: u64 = 4;

/// What there is to sum over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// ceil(B / 16).
    pub tiles: u64,
    /// C.
    pub classes: u64,
    /// F.
    pub features: u64,
}

impl Shape {
    /// That of packed features.
    #[must_use]
    pub fn of(features: &Features) -> Self {
        Self::new(features.items, features.classes, features.len)
    }

    /// That of so many items, classes and features.
    #[must_use]
    pub fn new(items: usize, classes: usize, features: usize) -> Self {
        let [tiles, classes, features] = [items.div_ceil(LANES), classes, features].map(|n| n as u64);
        Self { tiles, classes, features }
    }

    /// C F + C.
    #[must_use]
    pub fn parameters(self) -> u64 {
        self.classes * (self.features + 1)
    }

    fn class_quads(self) -> u64 {
        self.classes.div_ceil(4)
    }

    fn feature_quads(self) -> u64 {
        (self.features + 1).div_ceil(4)
    }

    /// Slabs of the path `whole`: a lane has a pair of a quad of classes and one of features.
    fn slabs(self) -> u64 {
        self.feature_quads().div_ceil((LANES_OF_GROUP / self.class_quads()).max(1))
    }

    /// Quads of features of a slab.
    fn slab_quads(self) -> u64 {
        self.feature_quads().div_ceil(self.slabs())
    }

    /// Tiles that the path `whole` takes together: as many as its lanes and its memory have room for.
    fn group_tiles(self) -> u64 {
        u64::from(GROUP_TILES) / self.class_quads().div_ceil(4)
    }

    /// How many parts of a group's tiles lanes take apart.
    fn slices(self) -> u64 {
        (LANES_OF_GROUP / (self.class_quads() * self.slab_quads()).max(1)).clamp(1, self.group_tiles().max(1))
    }

    /// Whether it is for the path `whole`.
    fn is_whole(self) -> bool {
        self.classes <= u64::from(WHOLE_CLASSES)
            && self.slabs() <= u64::from(MOST_SLABS)
            && (self.slabs() + 1) * self.classes <= 2 * u64::from(SIDE)
    }

    /// Bytes of the features of so many tiles.
    fn feature_bytes(self, tiles: u64) -> u64 {
        tiles * self.features * ROW_BYTES
    }

    /// Bytes of the residuals of so many tiles.
    fn residual_bytes(self, tiles: u64) -> u64 {
        if self.is_whole() { QUAD_BYTES } else { tiles * 4 * self.class_quads() * ROW_BYTES }
    }

    /// Loop steps of one invocation before its runs, and in each of them, from above.
    fn loop_steps(self, run_tiles: u64) -> (u64, u64) {
        let (c, f) = (self.classes, self.features);
        if self.is_whole() {
            let logits = f / 4 + 3;
            let group = logits + 3 * c + 5 * self.group_tiles().div_ceil(self.slices()) + 1;
            (0, run_tiles / self.group_tiles() * group + self.slices() + 1)
        } else {
            let logits = self.class_quads().div_ceil(16) * (3 * f.div_ceil(16) + 1);
            (logits + 3 * c.div_ceil(16) + 32, run_tiles * 5 + 1)
        }
    }
}

/// How all tiles are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    shape: Shape,
    run_tiles: u64,
    runs: u64,
    blocks: u64,
    piece_runs: u64,
    /// Pieces whose features stay on the device; those behind them are uploaded anew for every evaluation.
    pub resident: u64,
}

/// Neighbouring runs, which a device computes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Tiles before it.
    pub first_tile: u64,
    /// Its tiles.
    pub tiles: u64,
    first_run: u64,
    runs: u64,
    /// Whether its features stay on the device.
    pub is_resident: bool,
}

impl Cut {
    /// Cuts the shape for a device.
    ///
    /// # Errors
    ///
    /// Not even one run fits the device or the budget, or it is too much for the driver's loops.
    pub fn of(shape: Shape, limits: Limits) -> Result<Self> {
        let most_blocks = (u64::from(PARTIAL_WORDS) / shape.parameters()).clamp(1, MOST_BLOCKS.into());
        let group = u64::from(GROUP_TILES);
        let run_tiles = shape.tiles.div_ceil(most_blocks).next_multiple_of(group).clamp(group, RUN_TILES.into());
        let runs = shape.tiles.div_ceil(run_tiles);
        let blocks = runs.clamp(1, most_blocks);
        let mut cut = Self { shape, run_tiles, runs, blocks, piece_runs: 1, resident: 0 };

        let (before, each) = shape.loop_steps(run_tiles);
        let steps = limits.loop_steps.map(|allowed| (before + each, allowed));
        if let Some((needed, allowed)) = steps.filter(|(needed, allowed)| needed > allowed) {
            return Err(DeviceError::TooManySteps { needed, allowed }.into());
        }
        let bytes = cut.bytes();
        let fixed: u64 = bytes.iter().sum::<u64>() - bytes[FEATURES] - bytes[RESIDUALS];
        let (run, scratch) = (bytes[FEATURES], bytes[RESIDUALS]);
        let (needed, room) = (fixed + run + scratch, limits.chunk_bytes.saturating_sub(fixed));
        if bytes.iter().any(|&bytes| bytes > limits.binding_bytes) || run + scratch > room {
            let allowed = limits.binding_bytes.min(limits.chunk_bytes);
            return Err(DeviceError::FitTooLarge { needed, allowed }.into());
        }

        // What one dispatch may take.
        let values = run_tiles * LANES as u64 * cut.values_per_item();
        let mut most = (limits.binding_bytes / run)
            .min(limits.binding_bytes / scratch)
            .min(room / (run + scratch))
            .min((limits.dispatch_values / values).max(1))
            .min(u64::from(STAGED_TILES * MAX_GROUPS_PER_ROW) / run_tiles);
        if let Some(allowed) = limits.loop_steps {
            most = most.min(blocks * ((allowed - before) / each));
        }
        cut.piece_runs = most.clamp(1, runs.max(1));
        let all = shape.feature_bytes(shape.tiles);
        if all + cut.bytes()[RESIDUALS] > room {
            cut.piece_runs = cut.piece_runs.min(room / STREAMED_SHARE / (run + scratch)).max(1);
            let bytes = cut.bytes();
            cut.resident = (room - bytes[RESIDUALS] - bytes[FEATURES]) / bytes[FEATURES];
        } else {
            cut.resident = runs.div_ceil(cut.piece_runs);
        }
        Ok(cut)
    }

    /// Bytes of each binding, of features and residuals those of a piece.
    #[must_use]
    pub fn bytes(&self) -> [u64; BINDINGS.len()] {
        let shape = self.shape;
        let tiles = (self.run_tiles * self.piece_runs).min(shape.tiles);
        let mut bytes = [0; BINDINGS.len()];
        bytes[PARAMS] = size_of::<Params>() as u64;
        bytes[FEATURES] = shape.feature_bytes(tiles);
        bytes[TARGETS] = shape.tiles * ROW_BYTES;
        bytes[PARAMETERS] = (shape.features + 1) * shape.class_quads() * QUAD_BYTES;
        bytes[RESIDUALS] = shape.residual_bytes(tiles);
        bytes[LOSSES] = shape.tiles * QUAD_BYTES;
        bytes[PARTIALS] = 4 * self.blocks * shape.parameters();
        bytes
    }

    /// What a fit asks of an executor that evaluates so often: the features once, as far as they stay, and of each evaluation
    /// the rest of them, the parameters and what is added up on the host.
    #[must_use]
    pub fn demand(&self, evaluations: f64) -> Demand {
        let Self { shape, .. } = *self;
        let (bytes, items) = (self.bytes(), shape.tiles * LANES as u64);
        let all = shape.feature_bytes(shape.tiles);
        let stays: u64 =
            self.pieces().filter(|piece| piece.is_resident).map(|piece| shape.feature_bytes(piece.tiles)).sum();
        let path = if shape.is_whole() { "whole" } else { "staged" };
        // A product and a sum for each parameter on the way to the logits, and again on the way back.
        let operations = 4.0 * items as f64 * shape.parameters() as f64;
        Demand {
            name: format!("{}: {path}", Kernel::SoftmaxRegression),
            items: items as f64,
            work: ((all + bytes[TARGETS]) as f64).max(operations / OPERATIONS_PER_BYTE as f64),
            upload: (all - stays + bytes[PARAMETERS]) as f64,
            read_back: (bytes[LOSSES] + bytes[PARTIALS]) as f64,
            runs: evaluations,
            upload_once: (stays + bytes[TARGETS]) as f64,
        }
    }

    /// The pieces in their order.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> {
        let Self { shape, run_tiles, runs, piece_runs, resident, .. } = *self;
        (0..runs.div_ceil(piece_runs)).map(move |piece| {
            let first_run = piece * piece_runs;
            let first_tile = first_run * run_tiles;
            let runs = piece_runs.min(runs - first_run);
            let tiles = (runs * run_tiles).min(shape.tiles - first_tile);
            Piece { first_tile, tiles, first_run, runs, is_resident: piece < resident }
        })
    }

    /// The dispatches of a piece, each with its grid.
    #[must_use]
    pub fn dispatches(&self, piece: Piece) -> Vec<(Stage, [u32; 2])> {
        let along = self.blocks.min(piece.runs) as u32;
        if self.shape.is_whole() {
            return vec![(Stage::Whole, [along * self.shape.slabs() as u32, 1])];
        }
        let side = u64::from(SIDE);
        let sides = self.shape.classes.div_ceil(side) * (self.shape.features + 1).div_ceil(side);
        let groups = piece.tiles.div_ceil(STAGED_TILES.into());
        vec![(Stage::Residuals, [groups as u32, 1]), (Stage::Gradient, [along, sides as u32])]
    }

    /// The uniform block of a piece.
    #[must_use]
    pub fn params(&self, piece: Piece) -> Params {
        Params {
            classes: self.shape.classes as u32,
            features: self.shape.features as u32,
            class_quads: self.shape.class_quads() as u32,
            tiles: piece.tiles as u32,
            first_tile: piece.first_tile as u32,
            runs: piece.runs as u32,
            first_run: piece.first_run as u32,
            run_tiles: self.run_tiles as u32,
            blocks: self.blocks as u32,
            group_tiles: self.shape.group_tiles() as u32,
            slabs: self.shape.slabs() as u32,
            slab_quads: self.shape.slab_quads() as u32,
            slices: self.shape.slices() as u32,
            reserved: 0,
            reserved_2: 0,
        }
    }

    /// What an item costs, in values read.
    fn values_per_item(&self) -> u64 {
        let Shape { classes, features, .. } = self.shape;
        features.max(2 * classes * features / MULTIPLICATIONS_PER_VALUE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { binding_bytes: 128 << 20, chunk_bytes: 256 << 20, dispatch_values: 1 << 28, loop_steps: None };

    fn shape(items: u64, classes: u64, sources: u64) -> Shape {
        Shape { tiles: items.div_ceil(16), classes, features: sources * classes }
    }

    fn cut(shape: Shape, limits: Limits) -> Cut {
        Cut::of(shape, limits).unwrap()
    }

    fn stages(shape: Shape) -> Vec<Stage> {
        let cut = cut(shape, LIMITS);
        let first = cut.pieces().next().unwrap();
        cut.dispatches(first).into_iter().map(|(stage, _)| stage).collect()
    }

    #[test]
    fn the_path_is_whole_as_long_as_it_multiplies_less() {
        let staged = [Stage::Residuals, Stage::Gradient];
        for (classes, most) in [(1, 8191), (2, 4095), (4, 2047), (8, 511), (10, 271), (16, 111), (20, 50), (32, 11)] {
            assert_eq!(stages(shape(100, classes, most)), [Stage::Whole], "{classes}");
            assert_eq!(stages(shape(100, classes, most + 1)), staged, "{classes}");
        }
        assert_eq!(stages(shape(100, 33, 1)), staged);
    }

    #[test]
    fn lanes_and_workgroup_memory_have_room_for_a_group() {
        for classes in 1..=32 {
            for sources in 1..=64 {
                let shape = shape(100, classes, sources);
                if !shape.is_whole() {
                    continue;
                }
                let (quads, slices) = (shape.class_quads(), shape.slices());
                // Logits of a group, then the sums of all slices, four vec4 for each lane.
                assert!(quads * 4 * shape.group_tiles() <= 256, "{shape:?}");
                assert!(quads * shape.slab_quads() * slices <= 256, "{shape:?}");
                assert!(shape.slab_quads() * shape.slabs() >= shape.feature_quads(), "{shape:?}");
                assert_eq!(u64::from(GROUP_TILES) % shape.group_tiles(), 0);
            }
        }
    }

    #[test]
    fn runs_and_blocks_depend_on_the_shape_alone() {
        for (items, classes, sources, run_tiles, blocks) in [
            (1, 10, 8, 16, 1),
            (257, 10, 8, 16, 2),
            (65_536, 10, 8, 16, 256),
            (65_537, 10, 8, 32, 129),
            (200_000, 10, 8, 64, 196),
            (10_000_000, 10, 8, 64, 256),
            (200_000, 256, 2, 64, 7),
            (200_000, 2047, 1, 64, 1),
        ] {
            let (small, large) =
                (Limits { chunk_bytes: 160 << 20, ..LIMITS }, Limits { chunk_bytes: 1 << 40, ..LIMITS });
            for limits in [small, large] {
                let cut = cut(shape(items, classes, sources), limits);
                assert_eq!((cut.run_tiles, cut.blocks), (run_tiles, blocks), "{items} x {classes} x {sources}");
            }
        }
    }

    #[test]
    fn pieces_cover_every_tile_once() {
        for (items, classes, sources) in
            [(1, 2, 1), (5000, 20, 64), (200_000, 10, 8), (2_000_000, 10, 8), (9999, 300, 2)]
        {
            for (chunk_bytes, dispatch_values) in [(1 << 40, 1 << 28), (256 << 20, 1 << 28), (256 << 20, 1 << 21)] {
                let limits = Limits { chunk_bytes, dispatch_values, ..LIMITS };
                let cut = cut(shape(items, classes, sources), limits);
                let (mut tiles, mut runs) = (0, 0);
                for piece in cut.pieces() {
                    assert_eq!((piece.first_tile, piece.first_run), (tiles, runs));
                    assert!(piece.tiles > 0 && piece.tiles.div_ceil(cut.run_tiles) == piece.runs);
                    (tiles, runs) = (tiles + piece.tiles, runs + piece.runs);
                    assert!(cut.shape.feature_bytes(piece.tiles) <= limits.binding_bytes);
                    assert!(cut.dispatches(piece).iter().all(|(_, [x, y])| *x.max(y) <= MAX_GROUPS_PER_ROW));
                }
                assert_eq!((tiles, runs), (items.div_ceil(16), cut.runs));
            }
        }
    }

    #[test]
    fn what_stays_keeps_the_budget() {
        let taken = |cut: &Cut| {
            let (bytes, resident) = (cut.bytes(), cut.pieces().filter(|piece| piece.is_resident));
            let held: u64 = resident.map(|piece| cut.shape.feature_bytes(piece.tiles)).sum();
            let streams = cut.pieces().any(|piece| !piece.is_resident);
            let rest: u64 = bytes.iter().sum::<u64>() - bytes[FEATURES];
            held + rest + if streams { bytes[FEATURES] } else { 0 }
        };
        // 64 MB of features: all stay.
        let small = cut(shape(200_000, 10, 8), LIMITS);
        assert!(small.pieces().all(|piece| piece.is_resident) && small.pieces().count() == 1);
        // 640 MB: of a budget of 256 MiB more than half is used for what stays.
        let large = cut(shape(2_000_000, 10, 8), LIMITS);
        let resident: u64 = large.pieces().filter(|p| p.is_resident).map(|p| large.shape.feature_bytes(p.tiles)).sum();
        assert!(resident > 128 << 20 && taken(&large) <= 256 << 20, "{resident}, {}", taken(&large));
        let wide = cut(shape(200_000, 256, 2), LIMITS);
        assert!(wide.resident > 0 && taken(&wide) <= 256 << 20, "{wide:?}");
        // A budget that holds no more than one run, and one byte less.
        let one = cut(shape(2_000, 10, 8), Limits { dispatch_values: 1, ..LIMITS }).bytes().iter().sum();
        let tight = |chunk_bytes| Cut::of(shape(2_000, 10, 8), Limits { chunk_bytes, ..LIMITS });
        assert_eq!(tight(one).map(|cut| (cut.resident, cut.piece_runs)).unwrap(), (0, 1));
        let error = tight(one - 1).unwrap_err();
        let want = format!(
            "the fit needs {one} bytes on the device at a time, which allows {}; raise the engine's memory budget or use \
             `Engine::cpu()`",
            one - 1
        );
        assert!(error.is_device() && error.to_string() == want, "{error}");
    }

    #[test]
    fn what_stays_is_asked_for_once_and_the_rest_every_time() {
        // 80 features of 4 bytes and a target; 810 parameters, read back of 196 blocks, and a loss of each 4 items.
        let small = cut(shape(200_000, 10, 8), LIMITS).demand(30.0);
        assert_eq!(small.name, "stacking/softmax_regression: whole");
        assert_eq!((small.items, small.runs), (200_000.0, 30.0));
        assert_eq!(small.work, 200_000.0 * 810.0);
        assert_eq!((small.upload_once, small.upload), (200_000.0 * 324.0, 4.0 * 81.0 * 12.0));
        assert_eq!(small.read_back, 200_000.0 + 4.0 * 196.0 * 810.0);
        // 640 MB of features, of which less than 256 MiB stay.
        let large = cut(shape(2_000_000, 10, 8), LIMITS).demand(30.0);
        assert!(large.upload_once < f64::from(256 << 20) && large.upload > 640e6 - f64::from(256 << 20), "{large:?}");
        assert_eq!(large.upload_once + large.upload, 2_000_000.0 * 324.0 + 4.0 * 81.0 * 12.0);
        assert_eq!(cut(shape(2_000, 256, 2), LIMITS).demand(1.0).name, "stacking/softmax_regression: staged");
    }

    #[test]
    fn a_software_drivers_loops_are_kept_short() {
        let software = Limits { loop_steps: Some(65_535), dispatch_values: 1 << 50, ..LIMITS };
        for (classes, sources) in [(1, 8191), (2, 1), (10, 8), (16, 111), (20, 64), (255, 64), (2047, 1)] {
            let cut = cut(shape(10_000_000, classes, sources), Limits { chunk_bytes: 1 << 50, ..software });
            let (before, each) = cut.shape.loop_steps(cut.run_tiles);
            for piece in cut.pieces() {
                let steps = before + each * piece.runs.div_ceil(cut.blocks);
                assert!(steps <= 65_535, "{classes} x {sources}: {steps}");
            }
        }
        let error = Cut::of(shape(100, 1, 1 << 20), software).unwrap_err().to_string();
        assert!(error.contains("loop steps") && error.contains("65535"), "{error}");
    }
}
