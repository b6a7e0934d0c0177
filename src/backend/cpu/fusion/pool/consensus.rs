//! The mean of all opinions, and how far each is from it.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::fusion::pool::accumulate::{confidence, refuse};
use crate::backend::cpu::fusion::pool::decode::{Opinion, decode};
use crate::backend::cpu::fusion::pool::finish::entropy;
use crate::backend::cpu::fusion::pool::scratch::{Scratch, Wants};
use crate::backend::cpu::numbers::ln;
use crate::backend::cpu::sum::{BLOCK, Sum};
use crate::backend::cpu::transpose::Lanes;
use crate::kernel::fusion::pool::{By, Pool};
use crate::tensor::Evidence;

/// Puts the mean over the present sources into `Scratch::consensus`, with its entropy.
#[inline(never)]
pub(super) fn find<S: Simd>(
    simd: S,
    pool: &Pool,
    wants: Wants,
    evidence: &Evidence<'_>,
    tile: Tile,
    scratch: &mut Scratch,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
            let mut count = zero;
            scratch.consensus.fill(Lanes::ZERO);
            for source in 0..pool.sources.len() {
                let given = confidence(simd, evidence, source, tile);
                let mut opinion = decode(simd, pool, wants.for_consensus(), evidence, source, tile, given, scratch);
                refuse(&mut opinion, given);
                count += opinion.valid.select(one, zero);
                for (sum, p) in scratch.consensus.iter_mut().zip(&scratch.p) {
                    let p = opinion.valid.select(f32x16::load_array_ref(simd, &p.0), zero);
                    (f32x16::load_array_ref(simd, &sum.0) + p).store_array(&mut sum.0);
                }
            }
            let scale = one / count.max(1.0);
            for sum in &mut scratch.consensus {
                (f32x16::load_array_ref(simd, &sum.0) * scale).store_array(&mut sum.0);
            }
            entropy(simd, &scratch.consensus, one).store_array(&mut scratch.consensus_entropy.0);
        },
    )
}

/// How far the opinion in `Scratch::p` is from the consensus, in [0, 1].
#[inline(always)]
pub(super) fn distance<S: Simd>(simd: S, by: By, scratch: &Scratch, opinion: &Opinion<S>) -> f32x16<S> {
    let mut sum = Sum::new(simd);
    let mut own = Sum::new(simd);
    let term = |x: f32x16<S>| x * ln(simd, x.max(f32::MIN_POSITIVE));
    for (ps, qs) in scratch.p.chunks(BLOCK).zip(scratch.consensus.chunks(BLOCK)) {
        let (mut block, mut own_block) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 0.0));
        for (p, q) in ps.iter().zip(qs) {
            let (p, q) = (f32x16::load_array_ref(simd, &p.0), f32x16::load_array_ref(simd, &q.0));
            match by {
                By::JensenShannon => {
                    block -= term((p + q) * 0.5);
                    own_block -= term(p);
                }
                _ => block += (p * q).sqrt(),
            }
        }
        sum.push(simd, block);
        own.push(simd, own_block);
    }
    let distance = match by {
        By::JensenShannon => {
            let of_consensus = f32x16::load_array_ref(simd, &scratch.consensus_entropy.0);
            ((sum.total() - (own.total() + of_consensus) * 0.5).max(0.0)) * std::f32::consts::LOG2_E
        }
        _ => (1.0 - sum.total()).max(0.0).sqrt(),
    };
    opinion.valid.select(distance, f32x16::splat(simd, 0.0))
}
