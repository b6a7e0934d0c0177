//! The twin of `shaders/fusion/pool.wgsl`: tiles of sixteen items, one to a lane, classes in rows of scratch memory that
//! stays in the first cache. Each tile is read once, source by source; what has to be known first of all sources together
//! (the consensus, weights that fell back) takes another walk over the same tile, out of the cache.

mod accumulate;
mod add;
mod consensus;
mod contributions;
mod decode;
mod finish;
mod forms;
mod kept;
mod mix;
mod order;
mod rare;
mod scratch;
mod weigh;

use fearless_simd::{Level, Simd, dispatch};

use self::accumulate::{Sums, accumulate};
use self::finish::finish;
use self::scratch::{Scratch, Wants};
use self::weigh::Fallback;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::fusion::pool::Pool;
use crate::tensor::{Evidence, FusedMut};

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
    let mut sums = Sums::new(simd);
    let mut done = 0;
    while done < out.items {
        let tile = Tile { first: first + done, len: LANES.min(out.items - done) };
        if wants.consensus {
            consensus::find(simd, pool, wants, evidence, tile, &mut scratch);
        }
        let mut fallback = None;
        loop {
            accumulate(simd, pool, wants, evidence, tile, &mut scratch, fallback, &mut sums);
            if sums.invalid != 0 {
                return Some(tile.first + sums.invalid.trailing_zeros() as usize);
            }
            match Fallback::after(simd, &sums, fallback) {
                Some(next) => fallback = Some(next),
                None => break,
            }
        }
        finish(simd, pool, wants, tile, &mut sums, &mut scratch, &mut out, done);
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
