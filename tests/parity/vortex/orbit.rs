//! Orbits, bit for bit: every executor against steps taken one by one.

use consilience::vortex::Ring;

use crate::support::engines;
use crate::support::problem::Random;

/// One step.
fn step(x: u32, modulus: u32, factor: u32) -> u32 {
    let (factor, x, modulus) = (u64::from(factor), u64::from(x), u64::from(modulus));
    if x == 0 { 0 } else { 1 + ((factor * x + modulus - 1) % modulus) as u32 }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn every_ring_to_a_thousand_permutes_and_is_undone() {
    let (_, engine) = engines::cpus().last().expect("a CPU engine");
    let mut random = Random::new(3);
    for modulus in 1..=1000 {
        let all: Vec<u32> = (0..=modulus).collect();
        for factor in (1..=modulus).filter(|&factor| gcd(factor, modulus) == 1) {
            let ring = Ring::new(modulus, factor).expect("a ring");
            let steps = vec![random.bits() as i32; all.len()];
            let back: Vec<i32> = steps.iter().map(|n| !n).collect();
            let there = ring.orbits(engine, &all, &steps).expect("orbits");
            let mut seen = vec![false; all.len()];
            there.iter().for_each(|&x| seen[x as usize] = true);
            assert!(seen.iter().all(|&seen| seen), "({modulus}, {factor}) is no permutation");
            // -n = !n + 1: one step more, by the reversed ring's step back.
            let here = ring.orbits(engine, &there, &back).expect("orbits");
            let here = ring.orbits(engine, &here, &vec![1; all.len()]).expect("orbits");
            assert_eq!(here, all, "({modulus}, {factor})");
            let reversed = ring.reversed();
            let x = random.below(all.len()) as u32;
            assert_eq!(reversed.orbit(ring.orbit(x, 12_345).expect("on it"), 12_345).expect("on it"), x);
            assert_eq!(ring.orbit(x, 1).expect("on it"), step(x, modulus, factor), "({modulus}, {factor})");
        }
    }
}

#[test]
fn every_executor_goes_step_by_step() {
    let mut random = Random::new(4);
    let rings = [(9, 2), (9, 5), (1, 1), (2, 1), (7, 3), (10, 7), (1000, 999), (65_535, 2), (65_521, 17)];
    for (modulus, factor) in rings {
        let ring = Ring::new(modulus, factor).expect("a ring");
        let starts: Vec<u32> =
            (0..777).map(|_| random.below(modulus as usize + 1) as u32).chain([0, modulus]).collect();
        let near = |_: &u32| random.below(600) as i32 - 300;
        let mut steps: Vec<i32> = starts.iter().map(near).collect();
        let want: Vec<u32> = starts
            .iter()
            .zip(&steps)
            .map(|(&x, &n)| {
                let inverse = ring.reversed().factor();
                let by = if n < 0 { inverse } else { factor };
                (0..n.unsigned_abs()).fold(x, |x, _| step(x, modulus, by))
            })
            .collect();
        for (name, engine) in engines::all() {
            assert_eq!(ring.orbits(engine, &starts, &steps).expect("orbits"), want, "{name}: ({modulus}, {factor})");
        }
        // The ends of what 32 bits hold, by the exponent that one orbit takes.
        let far = [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX];
        steps.iter_mut().zip(far.into_iter().cycle()).for_each(|(n, far)| *n = far);
        let exponent = |n: i32| i64::from(n).rem_euclid(ring.cycle().into());
        let want: Vec<u32> = starts
            .iter()
            .zip(&steps)
            .map(|(&x, &n)| (0..exponent(n)).fold(x, |x, _| step(x, modulus, factor)))
            .collect();
        for (name, engine) in engines::all() {
            assert_eq!(ring.orbits(engine, &starts, &steps).expect("orbits"), want, "{name}: ({modulus}, {factor})");
        }
    }
}

#[test]
fn a_ring_by_hand() {
    let ring = Ring::new(9, 2).expect("a ring");
    assert_eq!((ring.modulus(), ring.factor(), ring.cycle(), ring.reversed().factor()), (9, 2, 6, 5));
    assert_eq!(
        [1, 2, 4, 8, 7, 5, 3, 6, 9, 0].map(|x| ring.orbit(x, 1).expect("on it")),
        [2, 4, 8, 7, 5, 1, 6, 3, 9, 0]
    );
    assert_eq!(ring.orbit(1, i64::MAX).expect("on it"), ring.orbit(1, i64::MAX % 6).expect("on it"));
    assert_eq!(ring.orbit(1, i64::MIN).expect("on it"), ring.orbit(1, 4).expect("on it"));
}

#[test]
fn what_is_no_ring_or_not_on_it_is_named() {
    let said = |modulus, factor| {
        let error = Ring::new(modulus, factor).expect_err("no ring");
        assert!(error.is_vortex() && !error.is_shape(), "{error}");
        error.to_string()
    };
    assert_eq!(said(9, 6), "gcd(6, 9) is 3; steps can be undone only where it is 1");
    assert_eq!(said(4, 0), "gcd(0, 4) is 4; steps can be undone only where it is 1");
    assert_eq!(said(0, 1), "a ring of 0 positions; a ring has 1 to 65,535");
    assert_eq!(said(65_536, 1), "a ring of 65536 positions; a ring has 1 to 65,535");
    let ring = Ring::new(9, 2).expect("a ring");
    let want = "item 700 is at position 10; positions of the ring are 0 to 9";
    let mut starts = vec![9; 1500];
    (starts[700], starts[701], starts[1400]) = (10, u32::MAX, 11);
    for (name, engine) in engines::all() {
        let error = ring.orbits(engine, &starts, &vec![1; 1500]).expect_err("10 is not on it");
        assert_eq!(error.to_string(), want, "{name}");
        let error = ring.orbits(engine, &starts, &[1]).expect_err("one step for 1500 items");
        assert!(error.is_shape() && error.to_string() == "steps has 1 entries where 1500 are needed", "{error}");
        assert!(ring.orbits(engine, &[], &[]).expect("nothing").is_empty());
    }
    assert_eq!(ring.orbit(10, 0).expect_err("10").to_string(), want.replace("700", "0"));
}

#[test]
fn chunks_change_nothing() {
    let Some(small) = engines::gpu(Some(32 + 2048 + 16 + 12 * 1024)) else { return };
    let ring = Ring::new(1000, 3).expect("a ring");
    let starts: Vec<u32> = (0..10_000).map(|i| i % 1001).collect();
    let steps: Vec<i32> = (0..10_000).map(|i| 7919 * i - 5000).collect();
    let mut ends = vec![0; 10_000];
    let timing = ring.orbits_into(&small, &starts, &steps, &mut ends).expect("orbits");
    assert_eq!(timing.chunks, 10);
    assert!(ends == ring.orbits(&engines::all()[0].1, &starts, &steps).expect("orbits"));
    let mut starts = starts;
    starts[9_000] = 1001;
    let error = ring.orbits(&small, &starts, &steps).expect_err("1001 is not on it").to_string();
    assert!(error.starts_with("item 9000 is at position 1001"), "{error}");
}
