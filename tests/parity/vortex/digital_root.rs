//! Digital roots, bit for bit: every executor against digits that are added up.

use consilience::vortex::{digital_root, digital_roots, digital_roots_into, square_map};

use crate::support::engines;
use crate::support::problem::Random;

/// The sum of decimal digits until one is left.
fn by_digits(mut n: u64) -> u32 {
    while n > 9 {
        let mut sum = 0;
        while n > 0 {
            sum += n % 10;
            n /= 10;
        }
        n = sum;
    }
    n as u32
}

/// Where a way to take the root may break: around powers of two, multiples of nine, sums of parts that carry.
fn edges() -> Vec<u64> {
    let near = |n: u64| (0..=20).flat_map(move |d| [n.wrapping_sub(d), n.wrapping_add(d)]);
    let powers = (0..64).flat_map(|bit| near(1 << bit));
    let ones = (1..=64).flat_map(|bits| near(u64::MAX >> (64 - bits)));
    let nines = (0..64).flat_map(|bit| near((u64::MAX / 9 * 9) >> bit));
    let parts = [(1 << 30) - 1, 1 << 30, (1 << 18) - 1, (1 << 12) - 1];
    let parts = parts.into_iter().flat_map(|a: u64| (0..6).flat_map(move |shift| near(a << (shift * 10))));
    powers.chain(ones).chain(nines).chain(parts).chain((0..20).map(|i| 10_u64.pow(i) - 1)).collect()
}

#[test]
fn every_edge_value_on_every_executor() {
    let wide = edges();
    let narrow: Vec<u32> = wide.iter().flat_map(|&n| [n as u32, (n >> 32) as u32]).chain(0..=200_000).collect();
    let want_wide: Vec<u32> = wide.iter().map(|&n| by_digits(n)).collect();
    let want_narrow: Vec<u32> = narrow.iter().map(|&n| by_digits(n.into())).collect();
    assert!(wide.iter().all(|&n| digital_root(n) == by_digits(n)));
    for (name, engine) in engines::all() {
        let got = digital_roots(engine, &wide).expect("roots");
        let wrong = wide.iter().zip(&got).zip(&want_wide).find(|((_, got), want)| got != want);
        assert_eq!((wrong, got.len()), (None, wide.len()), "{name}");
        let got = digital_roots(engine, &narrow).expect("roots");
        let wrong = narrow.iter().zip(&got).zip(&want_narrow).find(|((_, got), want)| got != want);
        assert_eq!((wrong, got.len()), (None, narrow.len()), "{name}");
    }
}

#[test]
fn the_square_map_is_that_of_the_design() {
    let (wide, squares) = (edges(), [0, 1, 4, 9, 7, 7, 9, 4, 1, 9]);
    let narrow: Vec<u32> = wide.iter().flat_map(|&n| [n as u32, (n >> 32) as u32]).chain(0..=50).collect();
    let want_wide: Vec<u32> = wide.iter().map(|&n| squares[by_digits(n) as usize]).collect();
    let want_narrow: Vec<u32> = narrow.iter().map(|&n| by_digits(u64::from(n) * u64::from(n))).collect();
    for (name, engine) in engines::all() {
        assert_eq!(square_map(engine, &(0..10_u32).collect::<Vec<_>>()).expect("roots"), squares, "{name}");
        assert_eq!(square_map(engine, &wide).expect("roots"), want_wide, "{name}");
        assert_eq!(square_map(engine, &narrow).expect("roots"), want_narrow, "{name}");
    }
}

#[test]
fn every_number_of_items_around_a_block() {
    let mut random = Random::new(9);
    let values: Vec<u64> = (0..5000).map(|_| random.bits()).collect();
    let want: Vec<u32> = values.iter().map(|&n| by_digits(n)).collect();
    let narrow: Vec<u32> = values.iter().map(|&n| n as u32).collect();
    let want_narrow: Vec<u32> = narrow.iter().map(|&n| by_digits(n.into())).collect();
    for (name, engine) in engines::all() {
        for items in [0, 1, 2, 3, 4, 5, 255, 256, 257, 1023, 1024, 1025, 5000] {
            // What lies behind stays as it is.
            let mut roots = vec![77; items + 1];
            digital_roots_into(engine, &values[..items], &mut roots[..items]).expect("roots");
            assert_eq!((&roots[..items], roots[items]), (&want[..items], 77), "{name}, {items}");
            digital_roots_into(engine, &narrow[..items], &mut roots[..items]).expect("roots");
            assert_eq!((&roots[..items], roots[items]), (&want_narrow[..items], 77), "{name}, {items}");
        }
    }
}

#[test]
fn chunks_change_nothing_and_are_counted() {
    let mut random = Random::new(10);
    let values: Vec<u64> = (0..100_000).map(|_| random.bits()).collect();
    let want: Vec<u32> = values.iter().map(|&n| by_digits(n)).collect();
    let mut roots = vec![0; values.len()];
    // 8 + 4 bytes a number beside 32 of parameters: blocks of 1024; then, below one, whole fours.
    for (budget, chunks) in [(32 + 12 * 30_000, 4), (32 + 12 * 1024, 98), (32 + 12 * 1023, 99)] {
        let Some(engine) = engines::gpu(Some(budget)) else { return };
        roots.fill(77);
        let timing = digital_roots_into(&engine, &values, &mut roots).expect("roots");
        assert!(roots == want, "{budget}");
        assert_eq!(timing.chunks, chunks, "{budget}");
    }
    let engine = engines::gpu(Some(60)).expect("the same device");
    let error = digital_roots(&engine, &values).expect_err("four numbers need 80 bytes");
    assert!(error.is_device() && error.to_string().contains("needs 80 bytes"), "{error}");
}

#[test]
fn a_hundred_million_random_numbers() {
    let (_, engine) = engines::cpus().last().expect("a CPU engine");
    let mut random = Random::new(11);
    let mut values = vec![0_u64; 1 << 20];
    let mut roots = vec![0; values.len()];
    let mut seen = 0;
    while seen < 100_000_000 {
        values.iter_mut().for_each(|n| *n = random.bits());
        digital_roots_into(engine, &values, &mut roots).expect("roots");
        // Ten million by their digits, the others by division, which those prove right.
        let is_right = |(&n, &root): (&u64, &u32)| {
            let divided = if n == 0 { 0 } else { 1 + ((n - 1) % 9) as u32 };
            root == divided && (seen > 10_000_000 || root == by_digits(n))
        };
        let wrong = values.iter().zip(&roots).find(|pair| !is_right(*pair));
        assert_eq!(wrong, None);
        seen += values.len();
    }
}

#[test]
fn another_length_is_named() {
    let (_, engine) = &engines::all()[0];
    let error = digital_roots_into(engine, &[1_u32, 2], &mut [0]).expect_err("one place for two roots");
    assert!(error.is_shape(), "{error}");
    assert_eq!(error.to_string(), "roots has 1 entries where 2 are needed");
}
