//! The full beam path from 2^8 to 2^24 beams, with and without the agreement and by the logarithmic pool, and each other
//! operation over beams. A number of beams that is a power of two puts the planes where a cache holds few of them at once, so
//! that it is the slowest there is.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

mod arrays;

use consilience::beam::{
    Beams, Channels, Corpus, Digits, Eigen, Fuse, Interventions, Map, Measure, Measured, Neighbours, Operation,
    Pooling, Relax, Relaxed, Subspace, eigen_into, fuse_into, measure, measure_into, similarity_into,
};
use consilience::{Engine, Timing};
use criterion::{Criterion, criterion_group, criterion_main};

use crate::arrays::{bench, engines};

const ITEMS: [usize; 5] = [1 << 8, 1 << 12, 1 << 16, 1 << 20, (1 << 20) + 48];

/// Of the full path and of measures also so many, 2.7 GB.
const MOST: usize = (1 << 24) + 48;

/// Digits in (0, 1), evenly spread.
fn channel(items: usize, step: f64) -> Vec<f32> {
    (1..=9 * items).map(|i| 0.01 + (i as f64 * step).fract() as f32).collect()
}

fn beams(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS.into_iter().chain([MOST]) {
        let (e, l) = (channel(items, 0.618_033_988_749_895), channel(items, 0.754_877_666_246_692_7));
        let p = channel(items, 0.569_840_290_998_053_2);
        let channels = Channels::new(&e, &l, &p).expect("channels of one length");
        let mut beams = Beams::default();
        for (name, how, words) in [
            ("beam/label_mean", Fuse::default(), 27 + 14),
            ("beam/gradient", Fuse::default().map(Map::Gradient), 27 + 14),
            ("beam/gradient and agreement", Fuse::default().map(Map::Gradient).agreement(true), 27 + 15),
            ("beam/log_pool", Fuse::default().pooling(Pooling::Log), 27 + 14),
        ] {
            bench(c, name, &engines, items, 4 * words, |engine| {
                fuse_into(engine, &how, &channels, &mut beams).expect("distributions")
            });
        }
    }
}

fn measures(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS.into_iter().chain([MOST]) {
        let planes = channel(items, 0.618_033_988_749_895);
        let digits = Digits::new(&planes).expect("nine planes");
        let mut measured = Measured::default();
        for (name, what, words) in
            [("beam/measure/mass", Measure::default().mass(), 9 + 1), ("beam/measure/all", Measure::all(), 9 + 13)]
        {
            bench(c, name, &engines, items, 4 * words, |engine| {
                measure_into(engine, what, &digits, &mut measured).expect("distributions")
            });
        }
    }
}

fn similarities(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS {
        let (first, second) = (channel(items, 0.618_033_988_749_895), channel(items, 0.754_877_666_246_692_7));
        let (first, second) = (Digits::new(&first).expect("planes"), Digits::new(&second).expect("planes"));
        let mut cosines = vec![0.0; items];
        bench(c, "beam/similarity", &engines, items, 4 * 19, |engine| {
            similarity_into(engine, &first, &second, &mut cosines).expect("distributions")
        });
    }
}

/// Throughput is in pairs a second, of which few leave the cache.
fn neighbours(c: &mut Criterion) {
    let engines = engines();
    for (queries, beams) in [(1, 1 << 20), (64, 1 << 16), (1024, 1 << 14)] {
        let (asked, planes) = (channel(queries, 0.618_033_988_749_895), channel(beams, 0.754_877_666_246_692_7));
        let corpus = Corpus::new(&Digits::new(&planes).expect("planes")).expect("distributions");
        let asked = Digits::new(&asked).expect("planes");
        let mut found = Neighbours::default();
        for k in [1, 10, 64] {
            let name = format!("beam/nearest/{k} for {queries}");
            let bytes = 36_usize.div_ceil(queries);
            bench(c, &name, &engines, queries * beams, bytes, |engine| {
                corpus.nearest_into(engine, &asked, k, &mut found).expect("neighbours")
            });
        }
    }
}

/// Beams at every position.
fn given(items: usize) -> Beams {
    let planes = channel(items, 0.618_033_988_749_895);
    let engine = Engine::cpu().expect("a CPU engine");
    let digits = Digits::new(&planes).expect("planes");
    let measured = measure(&engine, Measure::default().normalised(), &digits).expect("distributions");
    let positions: Vec<u32> = (0..items as u32).map(|item| item % 10).collect();
    Beams::new(measured.normalised(), &vec![4.0; 3 * items], &vec![0.5; items], &positions).expect("beams")
}

fn changes(c: &mut Criterion) {
    let engines = engines();
    let pull = (0..10).try_fold(Interventions::default(), |table, position| table.at(position, Operation::Pull(0.1)));
    let pull = pull.expect("ten positions");
    let sharpen = pull.clone().at(3, Operation::Sharpen(2.0)).expect("a second operation");
    let ring = Relax::new(0.5).expect("below 1");
    let anchors = Relax::new(0.5).and_then(|relax| relax.anchors(0.2)).expect("below 1");
    for items in ITEMS {
        let beams = given(items);
        let (mut changed, mut relaxed) = (Beams::default(), Relaxed::default());
        for (name, table) in [("beam/intervene/pull", &pull), ("beam/intervene/sharpen", &sharpen)] {
            bench(c, name, &engines, items, 4 * 27, |engine| {
                table.apply_into(engine, &beams, &mut changed).expect("beams")
            });
        }
        for (name, relax) in [("beam/relax/ring", &ring), ("beam/relax/anchors", &anchors)] {
            bench(c, name, &engines, items, 4 * 21, |engine| {
                relax.relax_into(engine, &beams, &mut relaxed).expect("beams")
            });
        }
    }
}

fn subspaces(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS {
        let beams = given(items);
        let subspace = Subspace::fit(&engines[0].1, &beams, 2).expect("beams");
        let mut mapped = vec![0.0; 9 * items];
        bench(c, "beam/subspace/magnify", &engines, items, 4 * 18, |engine| {
            subspace.magnify_into(engine, &beams, 2.0, &mut mapped).expect("beams")
        });
        // With the noise to compare with, which takes as long for any number of beams.
        bench(c, "beam/subspace/fit", &engines, items, 4 * 9, |engine| {
            Subspace::fit(engine, &beams, 2).expect("beams");
            Timing::default()
        });
    }
}

fn decompositions(c: &mut Criterion) {
    let engines = engines();
    for items in [1 << 8, 1 << 12, 1 << 16] {
        let matrices = channel(5 * items, 0.618_033_988_749_895);
        let mut decomposed = Eigen::default();
        bench(c, "beam/eigen", &engines, items, 4 * 135, |engine| {
            eigen_into(engine, &matrices, &mut decomposed).expect("numbers")
        });
    }
}

criterion_group!(benches, decompositions, subspaces, changes, beams, measures, similarities, neighbours);
criterion_main!(benches);
