//! Operations on the vortex ring from 2^8 to 2^24 objects.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

mod arrays;

use consilience::vortex::{self, Anchors, Cycles, Direction, Path, Ring, statistics};
use criterion::{Criterion, criterion_group, criterion_main};

use crate::arrays::{bench, engines};

const ITEMS: [usize; 5] = [1 << 8, 1 << 12, 1 << 16, 1 << 20, 1 << 24];

/// Numbers with all bits in use.
fn numbers(items: usize) -> Vec<u64> {
    (1..=items as u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect()
}

fn digital_roots(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS {
        let wide = numbers(items);
        let narrow: Vec<u32> = wide.iter().map(|n| (n >> 32) as u32).collect();
        let mut roots = vec![0; items];
        bench(c, "vortex/digital_root_u64", &engines, items, 12, |engine| {
            vortex::digital_roots_into(engine, &wide, &mut roots).expect("roots")
        });
        bench(c, "vortex/digital_root_u32", &engines, items, 8, |engine| {
            vortex::digital_roots_into(engine, &narrow, &mut roots).expect("roots")
        });
    }
}

fn orbits(c: &mut Criterion) {
    let engines = engines();
    let ring = vortex::Ring::new(9, 2).expect("a ring");
    for items in ITEMS {
        let starts: Vec<u32> = numbers(items).into_iter().map(|n| (n >> 40) as u32 % 10).collect();
        let steps: Vec<i32> = numbers(items).into_iter().map(|n| n as i32).collect();
        let mut ends = vec![0; items];
        bench(c, "vortex/orbit", &engines, items, 12, |engine| {
            ring.orbits_into(engine, &starts, &steps, &mut ends).expect("ends")
        });
    }
}

/// Ticks in which few hop, because hops become longer, and in which one in ten does; 20 bytes read and 12 written.
fn cycles(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS {
        let places: Vec<u32> = numbers(items).into_iter().map(|n| (n >> 40) as u32 % 6).collect();
        let velocities: Vec<f32> = numbers(items).into_iter().map(|n| (n >> 40) as f32 * 1e-7).collect();
        let objects = |path| {
            Cycles::new(path, places.clone(), vec![Direction::Forward; items], velocities.clone()).expect("objects")
        };
        let mut cycles = objects(Path::flow());
        bench(c, "vortex/tick", &engines, items, 32, |engine| cycles.tick(engine, 1e-3, 1).expect("a tick"));
        // One in ten hops.
        let mut uniform = objects(Path::new(vec![1, 2, 4, 8, 7, 5], 1.0).expect("a path"));
        bench(c, "vortex/tick_uniform", &engines, items, 32, |engine| uniform.tick(engine, 0.12, 1).expect("a tick"));
        bench(c, "vortex/advance", &engines, items, 32, |engine| cycles.advance(engine, 1e-3).expect("a moment"));
    }
}

/// Three channels, 16 bytes read and 12 written.
fn payloads(c: &mut Criterion) {
    let engines = engines();
    let ring = Ring::new(9, 2).expect("a ring");
    for items in ITEMS {
        let positions: Vec<u32> = numbers(items).into_iter().map(|n| (n >> 40) as u32 % 10).collect();
        let directions = vec![Direction::Forward; items];
        let mut payload: Vec<f32> = numbers(3 * items).into_iter().map(|n| (n >> 40) as f32 * 1e-7).collect();
        let anchors = Anchors::default();
        bench(c, "vortex/relax", &engines, items, 28, |engine| {
            anchors.relax(engine, &positions, &mut payload, 0.01, 1).expect("payloads")
        });
        bench(c, "vortex/statistics", &engines, items, 20, |engine| {
            statistics(engine, 10, &positions, &directions, &payload).expect("payloads").1
        });
        // Sixteen positions to a sequence.
        let mut scores = vec![0.0; items / 16];
        bench(c, "vortex/coherence", &engines, items / 16, 68, |engine| {
            ring.coherence_into(engine, 16, &positions, &mut scores).expect("sequences")
        });
    }
}

criterion_group!(benches, digital_roots, orbits, cycles, payloads);
criterion_main!(benches);
