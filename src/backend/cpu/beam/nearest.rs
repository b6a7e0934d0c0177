//! The twin of `shaders/beam/nearest.wgsl`: sixteen beams of the corpus, one to a lane, beside each of a tile of queries, so
//! that the corpus is read once a tile.

use fearless_simd::prelude::*;

use super::distribution::{load, planes};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::nearest::{Params, STRIPE};
use crate::plan::batch::Batch;

/// Queries of a tile.
const TILE: usize = 64;

const _: () = assert!(STRIPE == LANES, "a stripe is a vector");

/// The nearest so far.
#[derive(Debug, Clone)]
struct Nearest {
    query: [f32; DIGITS],
    similarities: Vec<f32>,
    indices: Vec<u32>,
    wanted: usize,
    /// What a beam has to exceed once all places are taken.
    least: f32,
}

impl Nearest {
    fn insert(&mut self, similarity: f32, index: u32) {
        if similarity <= self.least {
            return;
        }
        if self.similarities.len() == self.wanted {
            self.similarities.pop();
            self.indices.pop();
        }
        // Behind those that are as near, which came before.
        let place = self.similarities.partition_point(|nearer| *nearer >= similarity);
        self.similarities.insert(place, similarity);
        self.indices.insert(place, index);
        if self.similarities.len() == self.wanted {
            self.least = self.similarities[self.wanted - 1];
        }
    }
}

/// The nearest of the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let (wanted, beams) = (params.neighbours as usize, params.beams as usize);
    let queries: [&[f32]; DIGITS] = planes(&batch.inputs[0]);
    let segments: &[u32] = batch.inputs[1].plane(0);
    let whole: &[f32] = batch.inputs[2].plane(0);
    let mut corpus: [&[f32]; DIGITS] = [&[]; DIGITS];
    for (digit, plane) in corpus.iter_mut().enumerate() {
        *plane = &whole[digit * beams..(digit + 1) * beams];
    }
    let [similarities, indices] = &mut batch.outputs[..] else { return };
    let mut similarities: Vec<&mut [f32]> = similarities.planes_mut().collect();
    let mut indices: Vec<&mut [u32]> = indices.planes_mut().collect();
    let mut first = 0;
    while first < items {
        let segment = segments[first];
        let tile = segments[first..].iter().take(TILE).take_while(|other| **other == segment).count();
        let mut lists = Vec::with_capacity(tile);
        for item in first..first + tile {
            let mut query = [0.0; DIGITS];
            for (digit, plane) in query.iter_mut().zip(queries) {
                *digit = plane[item];
            }
            let (similarities, indices) = (Vec::with_capacity(wanted), Vec::with_capacity(wanted));
            lists.push(Nearest { query, similarities, indices, wanted, least: -2.0 });
        }
        search(simd, &corpus, segment as usize, params.segments as usize, &mut lists);
        for (item, list) in (first..).zip(&lists) {
            for (place, (similarities, indices)) in similarities.iter_mut().zip(&mut indices).enumerate() {
                similarities[item] = list.similarities.get(place).copied().unwrap_or(-2.0);
                indices[item] = list.indices.get(place).copied().unwrap_or(u32::MAX);
            }
        }
        first += tile;
    }
}

/// Looks through one segment for all queries of a tile.
#[inline(always)]
fn search<S: Simd>(simd: S, corpus: &[&[f32]; DIGITS], segment: usize, segments: usize, lists: &mut [Nearest]) {
    let beams = corpus[0].len();
    for begin in (segment * STRIPE..beams).step_by((segments * STRIPE).max(1)) {
        let tile = load(simd, corpus, begin);
        let there = if beams - begin < LANES { (1 << (beams - begin)) - 1 } else { u64::MAX };
        for list in &mut *lists {
            let query = &list.query;
            let mut similarity = tile[0] * query[0];
            for digit in 1..DIGITS {
                similarity = tile[digit].mul_add(query[digit], similarity);
            }
            let mut nearer = similarity.simd_gt(list.least).to_bitmask() & there;
            if nearer != 0 {
                let similarity = similarity.to_array();
                while nearer != 0 {
                    let lane = nearer.trailing_zeros() as usize;
                    list.insert(similarity[lane], (begin + lane) as u32);
                    nearer &= nearer - 1;
                }
            }
        }
    }
}
