//! Operations on the vortex ring from 2^8 to 2^24 objects.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

mod arrays;

use consilience::vortex;
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

criterion_group!(benches, digital_roots, orbits);
criterion_main!(benches);
