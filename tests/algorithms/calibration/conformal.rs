//! Conformal sets: literals, and the coverage stated, simulated.

use consilience::calibration::{ConformalSets, Nonconformity};
use proptest::prelude::*;

use super::{World, refuses, saved, worlds};
use crate::support::cases::config;

const ALL: [Nonconformity; 3] = [Nonconformity::Lac, Nonconformity::Aps, Nonconformity::RandomisedAps { seed: 5 }];

fn fit(world: &World, alpha: f64, kind: Nonconformity) -> ConformalSets {
    ConformalSets::fit(&world.labelled(), alpha, kind).expect("a level in (0, 1)")
}

/// Items of four classes with different nonconformities: p of the true class is i/128, i = 1..=n.
fn ladder(n: usize) -> World {
    let row = |i: usize| [i as f32 / 128.0, 1.0 - i as f32 / 128.0, 0.0, 0.0];
    World { classes: 4, posterior: (1..=n).flat_map(row).collect(), labels: vec![0; n] }
}

#[test]
fn the_threshold_is_the_order_statistic_stated() {
    // Rank ceil((n + 1)(1 - alpha)) of 1 - i/128, the smallest first.
    for (n, alpha, rank) in
        [(9, 0.1, 9), (19, 0.1, 18), (20, 0.1, 19), (19, 0.05, 19), (9, 0.3, 7), (9, 0.5, 5), (1, 0.5, 1)]
    {
        let sets = fit(&ladder(n), alpha, Nonconformity::Lac);
        assert_eq!(sets.threshold(), Some(1.0 - (n + 1 - rank) as f64 / 128.0), "{n} items at {alpha}");
        assert_eq!((sets.items(), sets.classes(), sets.coverage()), (n, 4, 1.0 - alpha));
    }
    let sets = fit(&ladder(9), 0.1, Nonconformity::Lac);
    let edge = 1.0 / 128.0;
    assert_eq!(sets.set(&[edge, 1.0 - edge, 0.0, 0.0]).expect("a row"), [0, 1], "the edge belongs to the set");
    let below = edge.next_down();
    assert_eq!(sets.set(&[below, 1.0 - edge, 0.0, 0.0]).expect("a row"), [1]);
}

#[test]
fn too_few_items_make_full_sets() {
    for (n, alpha) in [(8, 0.1), (1, 0.4), (18, 0.05), (98, 0.01)] {
        for kind in ALL {
            let sets = fit(&ladder(n), alpha, kind);
            assert_eq!(sets.threshold(), None);
            assert_eq!(sets.set(&[1.0, 0.0, 0.0, 0.0]).expect("a row"), [0, 1, 2, 3], "{n} items at {alpha}");
            assert_eq!(saved(&sets), sets);
        }
    }
}

#[test]
fn adaptive_sets_by_hand() {
    // The true class stands second: mass 0.5 + 0.25 down to it.
    let world = World { classes: 4, posterior: [0.125, 0.5, 0.25, 0.125].repeat(9), labels: vec![2; 9] };
    let sets = fit(&world, 0.1, Nonconformity::Aps);
    assert_eq!(sets.threshold(), Some(0.75));
    for (row, want) in [
        ([0.125, 0.5, 0.25, 0.125], vec![1, 2]),
        ([0.25, 0.25, 0.25, 0.25], vec![0, 1, 2]),
        ([0.75, 0.25, 0.0, 0.0], vec![0]),
        ([0.0, 1.0, 0.0, 0.0], vec![]),
        ([0.0, 0.125, 0.25, 0.625], vec![3]),
    ] {
        assert_eq!(sets.set(&row).expect("a row"), want, "{row:?}");
    }
    // Randomised, the class counts by a share u of its own mass, the same on every machine: u by another implementation.
    for (seed, u) in [(1, 0.876_513_576_634_451_8), (2, 0.597_864_886_548_984)] {
        let randomised = fit(&world, 0.1, Nonconformity::RandomisedAps { seed });
        assert_eq!(randomised.threshold(), Some(0.5 + 0.25 * u), "seed {seed}");
    }
}

#[test]
fn the_coverage_is_the_one_stated() {
    // 200 fits to 200 items, each tried on 200 others: the mean coverage has a standard error of
    // sqrt(.9 .1 (1/200 + 1/200) / 200) = 0.0021 at 0.9.
    let (fits, n) = (200, 200);
    for sharpness in [1.0, 6.0, 0.1] {
        for kind in ALL {
            for (alpha, tolerance) in [(0.1, 0.009), (0.4, 0.014)] {
                let (mut covered, mut size, mut empty) = (0.0, 0.0, 0.0);
                for seed in 0..fits {
                    let world = World::drawn(2 * n, 5, sharpness, 1000 + seed);
                    let quality = fit(&world.part(0, n), alpha, kind).measure(&world.part(n, 2 * n).labelled());
                    let quality = quality.expect("the same classes");
                    covered += quality.coverage / fits as f64;
                    size += quality.mean_size / fits as f64;
                    empty += quality.empty / fits as f64;
                }
                let name = format!("{kind:?} at {alpha}, sharpness {sharpness}: {covered} of mean size {size}");
                assert!(covered > 1.0 - alpha - tolerance, "{name}");
                // The scores are distinct but for rows that are certain, so they cover no more than 1/(n+1) beyond it.
                if kind != Nonconformity::Aps && sharpness <= 1.0 {
                    assert!(covered < 1.0 - alpha + 1.0 / 201.0 + tolerance, "{name}");
                }
                assert!((1.0 - alpha..5.0).contains(&size) && (0.0..alpha + tolerance).contains(&empty), "{name}");
            }
        }
    }
}

#[test]
fn saved_and_refused() {
    for kind in ALL {
        let sets = fit(&World::drawn(200, 3, 2.0, 1), 0.1, kind);
        assert_eq!(saved(&sets), sets);
    }
    let sets = fit(&ladder(9), 0.1, Nonconformity::Lac);
    let cases = [
        ("\"threshold\":0.9921875", "\"threshold\":null", "9 items at alpha = 0.1 do not leave the threshold None"),
        ("\"items\":9", "\"items\":8", "8 items at alpha = 0.1 do not leave the threshold Some(0.9921875)"),
        ("\"threshold\":0.9", "\"threshold\":7.9", "its threshold is 7.9921875, outside [0, 1]"),
        ("\"alpha\":0.1", "\"alpha\":1.5", "alpha = 1.5 fit no sets"),
        ("\"classes\":4", "\"classes\":0", "0 classes, 9 items"),
        ("\"lac\"", "\"raps\"", "unknown variant"),
    ];
    refuses(&sets, &cases);
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn sets_are_nested(world in worlds(), less in 0.01..0.99_f64, more in 0.01..0.99_f64) {
        let (less, more) = (less.min(more), less.max(more));
        for kind in ALL {
            let wide = fit(&world, less, kind).membership(&world.posterior).expect("distributions");
            let narrow = fit(&world, more, kind).membership(&world.posterior).expect("distributions");
            prop_assert!(narrow.iter().zip(&wide).all(|(narrow, wide)| *wide || !narrow), "{:?}", kind);
        }
    }

    #[test]
    fn alone_or_in_a_batch(world in worlds(), alpha in 0.01..0.99_f64) {
        for kind in ALL {
            let sets = fit(&world, alpha, kind);
            let members = sets.membership(&world.posterior).expect("distributions");
            for ((row, _), members) in world.rows().zip(members.chunks(world.classes)) {
                let alone: Vec<u32> = (0..world.classes as u32).filter(|&k| members[k as usize]).collect();
                prop_assert_eq!(sets.set(row).expect("a row"), alone);
            }
        }
    }

    #[test]
    fn likelier_classes_come_first(world in worlds(), alpha in 0.01..0.99_f64) {
        for kind in ALL {
            let members = fit(&world, alpha, kind).membership(&world.posterior).expect("distributions");
            for ((row, _), members) in world.rows().zip(members.chunks(world.classes)) {
                let least = (0..row.len()).filter(|&k| members[k]).map(|k| row[k]).fold(f32::MAX, f32::min);
                prop_assert!((0..row.len()).all(|k| members[k] || row[k] <= least), "{:?}", kind);
            }
        }
    }
}
