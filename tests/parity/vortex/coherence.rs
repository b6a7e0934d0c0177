//! How far sequences follow a ring on every executor, against steps counted one by one.

use consilience::vortex::Ring;

use crate::support::engines;
use crate::support::problem::Random;

/// The share of steps in the direction that has more, by the definition.
fn oracle(modulus: u32, factor: u32, sequence: &[u32]) -> f64 {
    let step =
        |x: u32| if x == 0 { 0 } else { 1 + ((u64::from(factor) * u64::from(x) - 1) % u64::from(modulus)) as u32 };
    let pairs = || sequence.windows(2);
    let forward = pairs().filter(|pair| step(pair[0]) == pair[1]).count();
    let backward = pairs().filter(|pair| step(pair[1]) == pair[0]).count();
    forward.max(backward) as f64 / (sequence.len() - 1) as f64
}

/// Sequences of every sort: at random, going round either way, with steps that leave the ring.
fn random(ring: &Ring, length: usize, items: usize) -> Vec<u32> {
    let mut random = Random::new((items + length) as u64);
    let mut planes = vec![0; length * items];
    for item in 0..items {
        let (sort, step) = (random.below(4), if random.below(2) == 0 { 1 } else { -1 });
        let mut x = random.below(ring.modulus() as usize + 1) as u32;
        for place in 0..length {
            planes[place * items + item] = x;
            let leaves = sort == 0 || (sort == 1 && random.below(3) == 0);
            x = if leaves {
                random.below(ring.modulus() as usize + 1) as u32
            } else {
                ring.orbit(x, step).expect("on it")
            };
        }
    }
    planes
}

#[test]
fn every_executor_counts_the_same_steps() {
    for (modulus, factor) in [(9, 2), (9, 5), (1, 1), (7, 3), (65_535, 2)] {
        let ring = Ring::new(modulus, factor).expect("a ring");
        for (length, items) in [(2, 1), (7, 300), (50, 257), (3, 2000)] {
            let planes = random(&ring, length, items);
            let one = |item: usize| planes.iter().skip(item).step_by(items).copied().collect::<Vec<u32>>();
            let want: Vec<f64> = (0..items).map(|item| oracle(modulus, factor, &one(item))).collect();
            for (name, engine) in engines::all() {
                let got = ring.coherence(engine, length, &planes).expect("sequences");
                assert_eq!(got.len(), items);
                for (item, (got, want)) in got.iter().zip(&want).enumerate() {
                    assert!(
                        (f64::from(*got) - want).abs() <= 1e-7,
                        "{name}, ({modulus}, {factor}), {item}: {got}, {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_perfect_cycle_scores_one() {
    let ring = Ring::new(9, 2).expect("a ring");
    let round = ring.round(1).expect("on it");
    assert_eq!((round.as_slice(), ring.round(6).expect("on it")), (&[1, 2, 4, 8, 7, 5][..], vec![6, 3]));
    let there: Vec<u32> = round.iter().cycle().take(601).copied().collect();
    let back: Vec<u32> = there.iter().rev().copied().collect();
    for (name, engine) in engines::all() {
        assert_eq!(ring.coherence(engine, 601, &there).expect("a sequence"), [1.0], "{name}");
        assert_eq!(ring.coherence(engine, 601, &back).expect("a sequence"), [1.0], "{name}");
        let mut broken = there.clone();
        // Neither the step to it nor the step from it is one.
        broken[300] = 9;
        assert_eq!(ring.coherence(engine, 601, &broken).expect("a sequence"), [598.0 / 600.0], "{name}");
    }
}

#[test]
fn what_is_no_sequence_is_named() {
    let ring = Ring::new(9, 2).expect("a ring");
    let mut planes = vec![1; 3 * 700];
    (planes[700 + 523], planes[2 * 700 + 600]) = (10, 77);
    for (name, engine) in engines::all() {
        let error = ring.coherence(engine, 3, &planes).expect_err("10 is not on it").to_string();
        assert_eq!(error, "item 523 is at position 10; positions of the ring are 0 to 9", "{name}");
        for length in [0, 1, 32_769] {
            let error = ring.coherence(engine, length, &planes).expect_err("no length").to_string();
            assert_eq!(error, format!("sequences of {length} positions; a sequence has 2 to 32,768"));
        }
        assert!(ring.coherence(engine, 4, &[1; 7]).expect_err("ragged").is_shape());
        assert!(ring.coherence(engine, 4, &[]).expect("nothing").is_empty());
    }
}
