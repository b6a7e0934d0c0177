//! The full beam path from 2^8 to 2^20 beams, with and without the agreement and by the logarithmic pool, and what is said
//! of single distributions. A number of beams that is a power of two puts
//! the planes where a cache holds few of them at once, so that it is the slowest there is.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

mod arrays;

use consilience::beam::{Beams, Channels, Digits, Fuse, Map, Measure, Measured, Pooling, fuse_into, measure_into};
use criterion::{Criterion, criterion_group, criterion_main};

use crate::arrays::{bench, engines};

const ITEMS: [usize; 5] = [1 << 8, 1 << 12, 1 << 16, 1 << 20, (1 << 20) + 48];

/// Digits in (0, 1), evenly spread.
fn channel(items: usize, step: f64) -> Vec<f32> {
    (1..=9 * items).map(|i| 0.01 + (i as f64 * step).fract() as f32).collect()
}

fn beams(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS {
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
    for items in ITEMS {
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

criterion_group!(benches, beams, measures);
criterion_main!(benches);
