//! Packs evidence into tiles of clamped log-probabilities.

use fearless_simd::{Level, Simd, dispatch, f32x16, prelude::*};
use rayon::prelude::*;

use crate::backend::cpu::Cpu;
use crate::backend::cpu::numbers::ln;
use crate::error::Result;
use crate::kernel::stacking::softmax_regression::{Features, LANES, LN_FLOOR, Row};
use crate::spec::LOG_FLOOR;
use crate::tensor::{Answer, Evidence};

/// Tiles that a thread packs at a time.
const TILES: usize = 64;

impl Cpu {
    /// The features of all items. Answers the first invalid opinion by items, in runs of [`TILES`] tiles.
    pub(crate) fn pack(&self, evidence: &Evidence<'_>) -> Result<Features> {
        let (items, classes, len) = (evidence.items(), evidence.classes(), evidence.sources() * evidence.classes());
        let mut rows = vec![Row::ZERO; items.div_ceil(LANES) * len];
        let pack = |(run, rows): (usize, &mut [Row])| pack(self.level, evidence, run * TILES * LANES, rows);
        let results: Vec<Result<()>> = match &self.pool {
            Some(pool) => pool.install(|| rows.par_chunks_mut(TILES * len).enumerate().map(pack).collect()),
            None => rows.chunks_mut(TILES * len).enumerate().map(pack).collect(),
        };
        results.into_iter().collect::<Result<()>>()?;
        Ok(Features { items, classes, len, rows })
    }
}

/// The tiles from item `first` on that `rows` has room for.
fn pack(level: Level, evidence: &Evidence<'_>, first: usize, rows: &mut [Row]) -> Result<()> {
    let (classes, sources) = (evidence.classes(), evidence.sources());
    let mut row = vec![0.0; classes];
    let mut given = Vec::with_capacity(sources);
    for (tile, columns) in rows.chunks_exact_mut(sources * classes).enumerate() {
        let first = first + tile * LANES;
        given.clear();
        for (source, columns) in columns.chunks_exact_mut(classes).enumerate() {
            let mut bits = 0_u64;
            for lane in 0..LANES.min(evidence.items() - first) {
                if evidence.opinion(source, first + lane, &mut row)? == Answer::Given {
                    bits |= 1 << lane;
                    columns.iter_mut().zip(&row).for_each(|(column, &p)| column.0[lane] = p);
                }
            }
            given.push(bits);
        }
        dispatch!(level, simd => logarithms(simd, columns, &given, classes));
    }
    Ok(())
}

/// Probabilities to clamped logarithms, zero where nothing was said.
#[inline(always)]
fn logarithms<S: Simd>(simd: S, columns: &mut [Row], given: &[u64], classes: usize) {
    let zero = f32x16::splat(simd, 0.0);
    for (columns, &bits) in columns.chunks_exact_mut(classes).zip(given) {
        let given = fearless_simd::mask32x16::from_bitmask(simd, bits);
        for column in columns {
            let p = f32x16::load_array_ref(simd, &column.0).max(LOG_FLOOR).min(1.0);
            let log = ln(simd, p).max(LN_FLOOR).min(0.0);
            given.select(log, zero).store_array(&mut column.0);
        }
    }
}
