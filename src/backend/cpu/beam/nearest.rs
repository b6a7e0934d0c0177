//! The twin of `shaders/beam/nearest.wgsl`: sixteen beams of the corpus, one to a lane, beside each of a tile of queries, so
//! that the corpus is read once a tile.

use std::borrow::Cow;

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
    let params = batch.params::<Params>();
    let (wanted, beams, count) = (params.neighbours as usize, params.beams as usize, params.queries as usize);
    let queries: [&[f32]; DIGITS] = planes(&batch.inputs[0]);
    // Of one segment there is no list.
    let segments: Cow<'_, [u32]> =
        if params.segments > 1 { batch.inputs[1].plane(0).into() } else { vec![0; batch.items].into() };
    let (begin, end) = (params.first as usize, params.last as usize);
    let whole: &[f32] = batch.inputs[2].plane(0);
    let mut corpus: [&[f32]; DIGITS] = [&[]; DIGITS];
    for (digit, plane) in corpus.iter_mut().enumerate() {
        *plane = &whole[digit * beams..][..end];
    }
    let [similarities, indices] = &mut batch.outputs[..] else { return };
    let mut similarities: Vec<&mut [f32]> = similarities.planes_mut().collect();
    let mut indices: Vec<&mut [u32]> = indices.planes_mut().collect();
    if begin == 0 {
        similarities.iter_mut().for_each(|plane| plane.fill(-2.0));
        indices.iter_mut().for_each(|plane| plane.fill(u32::MAX));
    }
    // An item and the one behind it by the number of queries are of one query; a tile has such items together.
    for first in (0..segments.len().min(count)).step_by(TILE) {
        let mut lists = Vec::with_capacity(TILE);
        for item in first..segments.len().min(count).min(first + TILE) {
            let mut query = [0.0; DIGITS];
            for (digit, plane) in query.iter_mut().zip(queries) {
                *digit = plane[item];
            }
            if params.any_length != 0 {
                normalise(&mut query);
            }
            let mut list = Nearest { query, similarities: Vec::new(), indices: Vec::new(), wanted, least: -2.0 };
            // What was found before stands in the order of similarity.
            for (similarity, index) in similarities.iter().zip(&indices) {
                if index[item] != u32::MAX {
                    list.insert(similarity[item], index[item]);
                }
            }
            lists.push(list);
        }
        let items = Items { segments: &segments, first, count };
        search(simd, &corpus, begin, params.segments as usize, &items, &mut lists);
        for (item, list) in (first..).zip(&lists) {
            for (plane, similarity) in similarities.iter_mut().zip(&list.similarities) {
                plane[item] = *similarity;
            }
            for (plane, index) in indices.iter_mut().zip(&list.indices) {
                plane[item] = *index;
            }
        }
    }
}

/// Divides by the Euclidean length; by the largest digit first, so that squares neither overflow nor vanish.
fn normalise(query: &mut [f32; DIGITS]) {
    let most = query.iter().fold(0.0_f32, |most, x| most.max(*x));
    query.iter_mut().for_each(|x| *x /= most);
    let length = query.iter().map(|x| x * x).sum::<f32>().sqrt();
    query.iter_mut().for_each(|x| *x /= length);
}

/// The items of a tile's queries: as many from `first` on as there are lists, and those behind them by `count`, again and
/// again.
struct Items<'a> {
    segments: &'a [u32],
    first: usize,
    count: usize,
}

/// Looks through the segments of a tile's items, stripe by stripe in the order of the corpus.
#[inline(always)]
fn search<S: Simd>(
    simd: S,
    corpus: &[&[f32]; DIGITS],
    from: usize,
    segments: usize,
    items: &Items<'_>,
    lists: &mut [Nearest],
) {
    let beams = corpus[0].len();
    for round in (from..beams).step_by((segments * STRIPE).max(1)) {
        for turn in (items.first..items.segments.len()).step_by(items.count) {
            let mine = &items.segments[turn..items.segments.len().min(turn + lists.len())];
            // The items of a turn are of one segment, or of two where the batch began between its queries.
            let mut done = 0;
            while done < mine.len() {
                let segment = mine[done];
                let same = if mine.last() == Some(&segment) {
                    mine.len() - done
                } else {
                    mine[done..].iter().take_while(|other| **other == segment).count()
                };
                let begin = round + segment as usize * STRIPE;
                if begin < beams {
                    compare(simd, corpus, begin, &mut lists[done..done + same]);
                }
                done += same;
            }
        }
    }
}

/// Compares a stripe with each query.
#[inline(always)]
fn compare<S: Simd>(simd: S, corpus: &[&[f32]; DIGITS], begin: usize, lists: &mut [Nearest]) {
    let tile = load(simd, corpus, begin);
    let left = corpus[0].len() - begin;
    let there = if left < LANES { (1 << left) - 1 } else { u64::MAX };
    for list in lists {
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
