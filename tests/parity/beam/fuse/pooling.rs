//! The logarithmic pool against f64.

use consilience::beam::{Beams, Channels, Fuse, Pooling, fuse, fuse_into};

use super::random;
use crate::support::beams::{item, near, normalised};
use crate::support::engines;

/// Digits in proportion to prod d^w; `None` where all products are 0.
fn oracle(weights: [f32; 3], channels: [[f32; 9]; 3]) -> Option<[f64; 9]> {
    let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
    let d = channels.map(normalised);
    let product = |k: usize| -> f64 {
        // 0^0 = 1 in Rust as here; digits below the smallest normal number are 0.
        (0..3).map(|c| if d[c][k] < 1.2e-38 { 0.0 } else { d[c][k] }.powf(f64::from(weights[c]) / total)).product()
    };
    let products: [f64; 9] = std::array::from_fn(product);
    let sum: f64 = products.iter().sum();
    (sum > 0.0).then(|| products.map(|p| p / sum))
}

#[test]
fn digits_are_in_proportion_to_products_of_powers() {
    for items in [1, 16, 17, 257, 2000] {
        let channels = random(items, 90 + items as u64);
        let given = Channels::new(&channels[0], &channels[1], &channels[2]).expect("three channels");
        for weights in [[1.0, 1.0, 1.0], [0.5, 3.0, 0.0], [2.0, 0.0, 0.0]] {
            for (name, engine) in engines::all() {
                let how = Fuse::default().weights(weights).agreement(true);
                let linear = fuse(engine, &how, &given).expect("distributions");
                let beams = fuse(engine, &how.pooling(Pooling::Log), &given).expect("distributions");
                let mut conflicts = Vec::new();
                for i in 0..items {
                    let of = |c: usize| item(&channels[c], i);
                    let Some(want) = oracle(weights, [of(0), of(1), of(2)]) else {
                        conflicts.push(i);
                        assert_eq!(item(beams.digits(), i), item(linear.digits(), i), "{name}, item {i}");
                        continue;
                    };
                    for (got, want) in item(beams.digits(), i).into_iter().zip(want) {
                        assert!(near(got, want, 2e-5), "{name}, {weights:?}, item {i}: {got}, {want}");
                    }
                }
                assert_eq!(beams.conflicts(), conflicts, "{name}, {weights:?}");
                assert!(items < 2000 || weights != [1.0; 3] || conflicts.len() > 100, "conflicts are tried");
                // Everything but the digits is as by the linear pool.
                assert_eq!((beams.values(), beams.position()), (linear.values(), linear.position()), "{name}");
                assert_eq!((beams.agreement(), linear.conflicts()), (linear.agreement(), &[][..]), "{name}");
            }
        }
    }
}

#[test]
fn what_one_channel_rules_out_stays_out_and_conflicts_are_listed() {
    let (mut first, mut both) = ([0.0; 9], [0.0; 9]);
    first[0] = 1.0;
    (both[0], both[1]) = (0.25, 0.75);
    let (mut second, any) = ([0.0; 9], [1.0; 9]);
    second[1] = 2.0;
    for (name, engine) in engines::all() {
        let log = Fuse::default().pooling(Pooling::Log);
        let pooled = |how: &Fuse, e, l, p| {
            let beams = fuse(engine, how, &Channels::new(e, l, p).expect("one item")).expect("distributions");
            (beams.digits()[..3].to_vec(), beams.conflicts().to_vec())
        };
        assert_eq!(pooled(&log, &first, &both, &any), (vec![1.0, 0.0, 0.0], vec![]), "{name}");
        let (digits, conflicts) = pooled(&log, &first, &second, &both);
        assert_eq!(conflicts, [0], "{name}");
        assert!(near(digits[0], 1.25 / 3.0, 3e-7) && near(digits[1], 1.75 / 3.0, 3e-7), "{name}: {digits:?}");
        // What counts nothing rules nothing out.
        let without = log.weights([1.0, 0.0, 1.0]);
        assert_eq!(pooled(&without, &first, &second, &both), (vec![1.0, 0.0, 0.0], vec![]), "{name}");
    }
}

#[test]
fn memory_of_an_earlier_batch_leaves_no_conflicts_behind() {
    let channels = random(500, 77);
    let given = Channels::new(&channels[0], &channels[1], &channels[2]).expect("three channels");
    let (_, engine) = &engines::all()[0];
    let (mut beams, log) = (Beams::default(), Fuse::default().pooling(Pooling::Log));
    fuse_into(engine, &log, &given, &mut beams).expect("distributions");
    let conflicts = beams.conflicts().to_vec();
    fuse_into(engine, &log, &given, &mut beams).expect("distributions");
    assert_eq!((beams.conflicts(), conflicts.is_empty()), (&conflicts[..], false));
    fuse_into(engine, &Fuse::default(), &given, &mut beams).expect("distributions");
    assert!(beams.conflicts().is_empty());
}
