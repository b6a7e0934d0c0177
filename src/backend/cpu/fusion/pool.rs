//! The twin of `shaders/fusion/pool.wgsl`: tiles of sixteen items, one to a lane, classes in rows of scratch memory that
//! stays in the first cache. Each tile is read once, source by source; what has to be known first of all sources together
//! (the consensus, weights that fell back) takes another walk over the same tile, out of the cache.

mod accumulate;
mod add;
mod consensus;
mod contributions;
mod decode;
mod dense;
mod finish;
mod forms;
pub(in crate::backend::cpu) mod gradient;
mod kept;
mod mix;
mod order;
mod rare;
mod scratch;
mod tally;
mod weigh;

use fearless_simd::{Level, Simd, dispatch};

use self::accumulate::{Sums, accumulate};
use self::finish::finish;
use self::scratch::{Scratch, Walk, Wants};
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
    let walk = Walk::of(pool, wants, evidence);
    let mut scratch = Scratch::of(pool, wants, walk);
    let steady = match walk {
        Walk::Tally => tally::steady(simd, pool, wants),
        Walk::Dense | Walk::General => Sums::steady(simd, pool, wants, 0.0),
    };
    let mut sums = Sums::new(simd);
    let mut done = 0;
    while done < out.items {
        let tile = Tile { first: first + done, len: LANES.min(out.items - done) };
        let walked = match walk {
            _ if tile.len < LANES => false,
            Walk::Dense => dense::accumulate(simd, pool, wants, evidence, tile, &steady, &mut scratch, &mut sums),
            Walk::Tally => tally::accumulate(simd, pool, wants, evidence, tile, &steady, &mut scratch, &mut sums),
            Walk::General => false,
        };
        if !walked || Fallback::after(simd, &sums, None).is_some() {
            general(simd, pool, wants, evidence, tile, &mut scratch, &mut sums);
            if sums.invalid != 0 {
                return Some(tile.first + sums.invalid.trailing_zeros() as usize);
            }
        }
        finish(simd, pool, wants, tile, &mut sums, &mut scratch, &mut out, done);
        done += tile.len;
    }
    None
}

/// The sums of any tile, with what has to be known first, and again where weights come to nothing.
#[inline(never)]
fn general<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    tile: Tile,
    scratch: &mut Scratch,
    sums: &mut Sums<S>,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            if wants.consensus {
                consensus::find(simd, pool, wants, evidence, tile, scratch);
            }
            let mut fallback = None;
            loop {
                accumulate(simd, pool, wants, evidence, tile, scratch, fallback, sums);
                match Fallback::after(simd, sums, fallback) {
                    Some(next) if sums.invalid == 0 => fallback = Some(next),
                    _ => break,
                }
            }
        },
    );
}

/// Up to sixteen neighbouring items.
#[derive(Debug, Clone, Copy)]
struct Tile {
    first: usize,
    len: usize,
}
