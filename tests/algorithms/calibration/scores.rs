//! Scores against literals and naive oracles.

use consilience::calibration::{BrierParts, Scores, accuracy, adaptive_ece, brier, ece, equal_mass_bins, nll};
use proptest::prelude::*;

use super::{World, argmax, refuses, saved, worlds};
use crate::support::cases::config;

/// Confidence and whether it was right, per item.
fn answers(world: &World) -> Vec<(f64, f64)> {
    world.rows().map(|(row, label)| (f64::from(row[argmax(row)]), f64::from(u8::from(argmax(row) == label)))).collect()
}

/// Murphy's three parts of p and outcomes o: bins found by comparing, not by multiplying.
fn murphy(pairs: &[(f64, f64)], bins: usize) -> (f64, f64, f64) {
    let n = pairs.len() as f64;
    let overall = pairs.iter().map(|pair| pair.1).sum::<f64>() / n;
    let (mut reliability, mut resolution) = (0.0, 0.0);
    for bin in 0..bins {
        let (low, high) = (bin as f64, if bin + 1 == bins { f64::MAX } else { bin as f64 + 1.0 });
        let inside: Vec<_> = pairs.iter().filter(|pair| (low..high).contains(&(pair.0 * bins as f64))).collect();
        let m = inside.len() as f64;
        if m > 0.0 {
            let (p, o) = (inside.iter().map(|x| x.0).sum::<f64>() / m, inside.iter().map(|x| x.1).sum::<f64>() / m);
            reliability += m / n * (p - o).powi(2);
            resolution += m / n * (o - overall).powi(2);
        }
    }
    (reliability, resolution, overall * (1.0 - overall))
}

/// Four items of two classes; all numbers are exact in binary.
fn four() -> World {
    World { classes: 2, posterior: vec![0.75, 0.25, 0.75, 0.25, 0.5, 0.5, 0.0, 1.0], labels: vec![0, 1, 1, 1] }
}

#[test]
fn by_hand() {
    let world = four();
    let labelled = world.labelled();
    // The third is a tie, which goes to class 0.
    assert_eq!(accuracy(&labelled), 0.5);
    assert_eq!(brier(&labelled), (0.125 + 1.125 + 0.5) / 4.0);
    assert!((nll(&labelled) - -(0.75_f64.ln() + 0.25_f64.ln() + 0.5_f64.ln()) / 4.0).abs() < 1e-15);
    // Bins of width 1/4: {0.5}, {0.75, 0.75, 1}.
    assert_eq!(ece(&labelled, 4).expect("bins"), (0.5 + 0.5) / 4.0);
    let scores = Scores::of(&labelled, 4).expect("bins");
    let summary = scores.summary().expect("items");
    assert_eq!((summary.items, summary.accuracy.mean, summary.ece), (4, 0.5, 0.25));
    assert_eq!((summary.brier, summary.nll), (brier(&labelled), nll(&labelled)));
    // Wilson's interval of 2 in 4.
    assert!((summary.accuracy.low - 0.150_038_9).abs() < 1e-6 && (summary.accuracy.high - 0.849_961_1).abs() < 1e-6);
    let bins: Vec<_> = scores.bins().iter().map(|b| (b.low, b.high, b.items, b.confidence, b.accuracy)).collect();
    assert_eq!(bins, [(0.5, 0.75, 1, 0.5, 0.0), (0.75, 1.0, 3, 2.5 / 3.0, 2.0 / 3.0)]);
    // Two bins of two items each would part the 0.75 from the 0.75: they stay together.
    let bins = equal_mass_bins(&labelled, 2).expect("bins");
    assert_eq!(bins.iter().map(|b| (b.low, b.high, b.items)).collect::<Vec<_>>(), [(0.5, 0.75, 3), (1.0, 1.0, 1)]);
    assert_eq!(adaptive_ece(&labelled, 2).expect("bins"), 1.0 / 4.0);
    let impossible = World { classes: 2, posterior: vec![1.0, 0.0], labels: vec![1] };
    assert!((nll(&impossible.labelled()) - -f64::from(1e-7_f32).ln()).abs() < 1e-12);
    let certain = World { classes: 1, posterior: vec![1.0; 2], labels: vec![0; 2] };
    let summary = Scores::of(&certain.labelled(), 15).expect("bins").summary().expect("items");
    assert_eq!((summary.nll, summary.brier, summary.ece, summary.accuracy.mean), (0.0, 0.0, 0.0, 1.0));
    assert_eq!(summary.brier_parts, BrierParts::default());
}

#[test]
fn nothing_was_scored_yet() {
    let scores = Scores::new(3).expect("three classes");
    assert_eq!((scores.items(), scores.classes(), scores.summary(), scores.bins()), (0, 3, None, vec![]));
    assert_eq!(saved(&scores), scores);
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut scores = Scores::new(2).expect("two classes");
    scores.add(&[0.5, 0.5], 1).expect("a distribution");
    let before = scores.clone();
    for (row, label, text) in [
        (&[0.5, 0.5][..], 2, "the label of item 1 is 2, which is no class; classes are 0 to 1"),
        (&[0.5], 0, "a row has 1 entries, 2 are needed"),
        (&[0.5, f32::NAN], 0, "item 1, class 1: NaN is no probability; it must be a number in [0, 1]"),
        (&[0.5, 0.75], 0, "item 1: the probabilities sum to 1.25, not to 1 within 0.001; normalise them"),
    ] {
        let error = scores.add(row, label).expect_err("this must be refused");
        assert_eq!((error.is_label(), error.is_calibration()), (label == 2, label != 2), "{error}");
        assert_eq!(error.to_string(), text);
    }
    let other = Scores::with_bins(2, 5).expect("bins");
    let error = scores.merge(&other).expect_err("other bins").to_string();
    assert_eq!(error, "the bins of the scores to merge has 5 entries, 15 are needed");
    assert!(scores.merge(&Scores::new(3).expect("three classes")).expect_err("other classes").is_shape());
    assert_eq!(scores, before);
    for (classes, bins) in [(0, 15), (2, 0), (usize::MAX, 15), (1 << 20, 1 << 20)] {
        assert!(Scores::with_bins(classes, bins).expect_err("no such scores").is_spec());
    }
    let world = four();
    assert!(ece(&world.labelled(), 0).expect_err("no bins").is_spec());
    assert!(ece(&world.labelled(), usize::MAX).expect_err("too many bins").is_spec());
    assert!(adaptive_ece(&world.labelled(), 0).expect_err("no bins").is_spec());
    assert_eq!(adaptive_ece(&world.labelled(), usize::MAX).expect("a bin each"), 0.5 / 4.0 + 0.5 / 4.0);
}

#[test]
fn saved_and_refused() {
    let scores = Scores::of(&World::drawn(50, 1, 1.0, 1).labelled(), 2).expect("bins");
    assert_eq!(saved(&scores), scores);
    let cases = [
        ("\"right\":50", "\"right\":51", "it counts more items than there can be"),
        ("\"nll\":0.0", "\"nll\":1e9", "a sum is not what any items add up to"),
        ("\"nll\":0.0", "\"nll\":-1.0", "a sum is not what any items add up to"),
        ("\"sum\":50.0", "\"sum\":-50.0", "a sum is not what any items add up to"),
        ("\"hits\":50", "\"hits\":51", "a sum is not what any items add up to"),
        ("\"classes\":1", "\"classes\":2", "its bins do not fit its classes"),
        ("\"items\":50", "\"items\":60", "its bins count different numbers of items"),
        ("\"items\":50", "\"items\":18446744073709551615", "it counts more items than there can be"),
    ];
    refuses(&scores, &cases);
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn the_parts_add_up(world in worlds(), bins in 1..30_usize) {
        let summary = Scores::of(&world.labelled(), bins).expect("bins").summary().expect("items");
        let naive: f64 = world.rows().map(|(row, label)| {
            (0..row.len()).map(|k| (f64::from(row[k]) - if k == label { 1.0 } else { 0.0 }).powi(2)).sum::<f64>()
        }).sum::<f64>() / world.labels.len() as f64;
        prop_assert!((summary.brier - naive).abs() < 1e-12);
        prop_assert!((summary.brier_parts.brier() - naive).abs() < 1e-12);
        let (mut reliability, mut resolution, mut uncertainty) = (0.0, 0.0, 0.0);
        for class in 0..world.classes {
            let pair = |(row, label): (&[f32], usize)| (f64::from(row[class]), f64::from(u8::from(label == class)));
            let (rel, res, unc) = murphy(&world.rows().map(pair).collect::<Vec<_>>(), bins);
            reliability += rel;
            resolution += res;
            uncertainty += unc;
        }
        let parts = summary.brier_parts;
        prop_assert!((parts.reliability - reliability).abs() < 1e-12, "{} {}", parts.reliability, reliability);
        prop_assert!((parts.resolution - resolution).abs() < 1e-12, "{} {}", parts.resolution, resolution);
        prop_assert!((parts.uncertainty - uncertainty).abs() < 1e-12, "{} {}", parts.uncertainty, uncertainty);
    }

    #[test]
    fn calibration_errors_are_those_of_the_definition(world in worlds(), bins in 1..30_usize) {
        let answers = answers(&world);
        let n = answers.len() as f64;
        let mut want = 0.0;
        for bin in 0..bins {
            let inside = answers.iter().filter(|(c, _)| ((c * bins as f64).floor() as usize).min(bins - 1) == bin);
            want += inside.map(|(c, right)| c - right).sum::<f64>().abs() / n;
        }
        let labelled = world.labelled();
        let got = ece(&labelled, bins).expect("bins");
        prop_assert!((got - want).abs() < 1e-12 && (0.0..=1.0).contains(&got), "{} {}", got, want);
        prop_assert_eq!(Scores::of(&labelled, bins).expect("bins").summary().expect("items").ece, got);
        let adaptive = adaptive_ece(&labelled, bins).expect("bins");
        prop_assert!((0.0..=1.0).contains(&adaptive));
        let of_bins = equal_mass_bins(&labelled, bins).expect("bins");
        prop_assert_eq!(of_bins.iter().map(|b| b.items).sum::<u64>(), world.labels.len() as u64);
        prop_assert!(of_bins.len() <= bins && of_bins.is_sorted_by(|a, b| a.high < b.low));
        let gaps: f64 = of_bins.iter().map(|b| b.items as f64 * (b.confidence - b.accuracy).abs()).sum();
        prop_assert!((gaps / n - adaptive).abs() < 1e-12);
        for bin in &of_bins {
            let inside: Vec<_> = answers.iter().filter(|(c, _)| (bin.low..=bin.high).contains(c)).collect();
            prop_assert_eq!(inside.len() as u64, bin.items);
            let right = inside.iter().map(|(_, right)| right).sum::<f64>() / inside.len() as f64;
            prop_assert!((right - bin.accuracy).abs() < 1e-12);
        }
    }

    #[test]
    fn bins_of_equal_mass_are_even_without_ties(items in 1..200_usize, bins in 1..30_usize) {
        let posterior: Vec<f32> = (0..items).flat_map(|i| [0.75 + i as f32 / 1024.0, 0.25 - i as f32 / 1024.0]).collect();
        let mut world = World { classes: 2, posterior, labels: (0..items).map(|i| u32::from(i % 3 == 0)).collect() };
        let of_bins = equal_mass_bins(&world.labelled(), bins).expect("bins");
        prop_assert_eq!(of_bins.len(), bins.min(items));
        prop_assert!(of_bins.iter().all(|b| b.items as usize == items / bins || b.items as usize == items.div_ceil(bins)));
        world.labels.reverse();
        let rows: Vec<f32> = world.posterior.chunks(2).rev().flatten().copied().collect();
        world.posterior = rows;
        prop_assert_eq!(equal_mass_bins(&world.labelled(), bins).expect("bins"), of_bins);
    }

    #[test]
    fn parts_merge_to_the_whole(world in worlds(), cut in 0..200_usize) {
        let cut = cut.min(world.labels.len());
        let mut parts = [Scores::new(world.classes).expect("classes"), Scores::new(world.classes).expect("classes")];
        for (item, (row, label)) in world.rows().enumerate() {
            parts[usize::from(item >= cut)].add(row, label as u32).expect("a distribution");
        }
        let [mut merged, rest] = parts;
        merged.merge(&saved(&rest)).expect("the same classes");
        let (got, want) = (merged.summary().expect("items"), Scores::of(&world.labelled(), 15).expect("bins").summary().expect("items"));
        prop_assert_eq!((got.items, got.accuracy), (want.items, want.accuracy));
        for (got, want) in [(got.nll, want.nll), (got.brier, want.brier), (got.ece, want.ece)] {
            prop_assert!((got - want).abs() < 1e-12);
        }
        prop_assert!((got.brier_parts.reliability - want.brier_parts.reliability).abs() < 1e-12);
    }
}
