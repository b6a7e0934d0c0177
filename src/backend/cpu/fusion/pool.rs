//! The twin of `shaders/fusion/pool.wgsl`: tiles of sixteen items, one to a lane, classes in rows of scratch memory that
//! stays in the first cache. Each tile is read once, source by source.

mod accumulate;
mod decode;
mod finish;

use fearless_simd::{Level, Simd, dispatch};

use self::accumulate::{Fallback, accumulate};
use self::finish::finish;
use crate::backend::cpu::transpose::{LANES, Lanes};
use crate::kernel::fusion::pool::Pool;
use crate::tensor::{Evidence, FusedMut, Output};

/// Fuses the items from `first` on that `out` has room for. Answers the lowest one with an invalid opinion, where the
/// policy does not mend it; nothing behind it is written then.
pub(in crate::backend::cpu) fn run(
    level: Level,
    pool: &Pool,
    evidence: &Evidence<'_>,
    first: usize,
    out: FusedMut<'_>,
) -> Option<usize> {
    dispatch!(level, simd => tiles(simd, pool, evidence, first, out))
}

#[inline(always)]
fn tiles<S: Simd>(simd: S, pool: &Pool, evidence: &Evidence<'_>, first: usize, mut out: FusedMut<'_>) -> Option<usize> {
    let wants = Wants::of(pool);
    let mut scratch = Scratch::of(pool, wants);
    let mut done = 0;
    while done < out.items {
        let tile = Tile { first: first + done, len: LANES.min(out.items - done) };
        let mut sums = accumulate(simd, pool, wants, evidence, tile, &mut scratch, None);
        if sums.invalid != 0 {
            return Some(tile.first + sums.invalid.trailing_zeros() as usize);
        }
        let mut fallback = None;
        while let Some(next) = Fallback::after(simd, &sums, fallback) {
            fallback = Some(next);
            sums = accumulate(simd, pool, wants, evidence, tile, &mut scratch, fallback);
        }
        finish(simd, pool, wants, tile, &sums, &mut scratch, &mut out, done);
        done += tile.len;
    }
    None
}

/// Up to sixteen neighbouring items.
#[derive(Debug, Clone, Copy)]
struct Tile {
    first: usize,
    len: usize,
}

/// What a pool has to keep, decided once.
#[derive(Debug, Clone, Copy)]
struct Wants {
    linear: bool,
    vote: bool,
    max_vote: bool,
    bayes: bool,
    log_pool: bool,
    disagreement: bool,
    /// The rows' largest values: some rule or weighting asks for a confidence, or votes.
    largest: bool,
    /// Logarithms of the probabilities.
    ln: bool,
    /// ln eps.
    ln_floor: f32,
    /// 1 / ln C.
    inverse_ln_classes: f32,
}

impl Wants {
    fn of(pool: &Pool) -> Self {
        let [linear, vote, max_vote, bayes, log_pool] = pool.mix.map(|share| share > 0.0);
        let disagreement = pool.outputs.contains(Output::Disagreement);
        let by_confidence = pool.sources.iter().any(|source| source.scale != 0.0);
        Self {
            linear: linear || disagreement || pool.is_vote_alone(),
            vote,
            max_vote,
            bayes,
            log_pool,
            disagreement,
            largest: vote || max_vote || bayes || by_confidence,
            ln: log_pool || disagreement,
            ln_floor: pool.ln_floor(),
            inverse_ln_classes: pool.inverse_ln_classes(),
        }
    }
}

/// Working memory of one thread: [C] lanes each, empty where not wanted.
#[derive(Debug)]
struct Scratch {
    /// The source's probabilities, and in the end the posterior.
    p: Vec<Lanes>,
    /// Their logarithms.
    ln: Vec<Lanes>,
    linear: Vec<Lanes>,
    vote: Vec<Lanes>,
    max_vote: Vec<Lanes>,
    bayes: Vec<Lanes>,
    log_pool: Vec<Lanes>,
    /// Sixteen rows, for the tile at the end that has fewer.
    rows: Vec<f32>,
}

impl Scratch {
    fn of(pool: &Pool, wants: Wants) -> Self {
        let lanes = |wanted: bool| vec![Lanes([0.0; LANES]); if wanted { pool.classes } else { 0 }];
        Self {
            p: lanes(true),
            ln: lanes(wants.ln),
            linear: lanes(wants.linear),
            vote: lanes(wants.vote),
            max_vote: lanes(wants.max_vote),
            bayes: lanes(wants.bayes),
            log_pool: lanes(wants.log_pool),
            rows: vec![0.0; LANES * pool.classes],
        }
    }
}
