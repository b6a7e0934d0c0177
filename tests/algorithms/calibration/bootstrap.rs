//! The paired bootstrap against what the normal distribution says of a mean.

use consilience::calibration::{Interval, Loss, paired_bootstrap};

use super::World;
use crate::support::problem::Random;

/// Losses whose differences have the mean `mean` and a standard deviation of 1/sqrt 12.
fn pairs(items: usize, mean: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut random = Random::new(seed);
    let b: Vec<f64> = (0..items).map(|_| 3.0 * f64::from(random.unit())).collect();
    (b.iter().map(|b| b + mean + f64::from(random.unit()) - 0.5).collect(), b)
}

fn interval(a: &[f64], b: &[f64], seed: u64) -> Interval {
    paired_bootstrap(a, b, 2000, seed, 0.95).expect("finite pairs")
}

#[test]
fn of_many_items_it_is_the_normal_interval() {
    let (a, b) = pairs(2000, 0.1, 1);
    let n = a.len() as f64;
    let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let mean = differences.iter().sum::<f64>() / n;
    let error = (differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n / n).sqrt();
    let got = interval(&a, &b, 7);
    assert!((got.mean - mean).abs() < 1e-12, "{}", got.mean);
    for (got, want) in [(got.low, mean - 1.96 * error), (got.high, mean + 1.96 * error)] {
        assert!((got - want).abs() < 0.15 * error, "{got}, not {want}");
    }
    let narrower = paired_bootstrap(&a, &b, 2000, 7, 0.5).expect("finite pairs");
    assert!((narrower.high - (mean + 0.6745 * error)).abs() < 0.15 * error, "{narrower:?}");
    assert_eq!(interval(&a, &b, 7), got);
    assert_ne!(interval(&a, &b, 8), got);
    let swapped = interval(&b, &a, 7);
    assert!((swapped.mean + got.mean).abs() < 1e-12 && (swapped.low + got.high).abs() < 0.01);
}

/// By an implementation of its own of SplitMix64, the draws and the quantiles.
#[test]
fn a_seed_gives_the_same_on_every_machine() {
    let powers: Vec<f64> = (0..8).map(|i| f64::from(1 << i)).collect();
    for (seed, low, high) in [(7, 13.125, 61.5), (8, 11.875, 61.25)] {
        let interval = paired_bootstrap(&powers, &[0.0; 8], 40, seed, 0.9).expect("finite pairs");
        assert_eq!((interval.low, interval.mean, interval.high), (low, 255.0 / 8.0, high), "seed {seed}");
    }
}

#[test]
fn it_holds_the_truth_as_often_as_stated() {
    let holds = |seed| {
        let (a, b) = pairs(100, 0.1, 50 + seed);
        let got = paired_bootstrap(&a, &b, 400, seed, 0.9).expect("finite pairs");
        (got.low..=got.high).contains(&0.1)
    };
    let share = (0..400).filter(|&seed| holds(seed)).count() as f64 / 400.0;
    assert!((0.85..0.95).contains(&share), "{share}");
}

#[test]
fn two_models_on_the_same_items() {
    let (good, bad) = (World::drawn(2000, 4, 1.0, 3), World::drawn(2000, 4, 4.0, 3));
    assert_eq!(good.labels, bad.labels);
    for loss in [Loss::Nll, Loss::Brier] {
        let less = interval(&loss.per_item(&good.labelled()), &loss.per_item(&bad.labelled()), 1);
        assert!(less.high < 0.0, "{loss:?}: {less:?}");
    }
    // The same decisions: no difference at all.
    let same = interval(&Loss::ZeroOne.per_item(&good.labelled()), &Loss::ZeroOne.per_item(&bad.labelled()), 1);
    assert_eq!(same, Interval { mean: 0.0, low: 0.0, high: 0.0 });
}

#[test]
fn what_no_interval_can_be_made_of() {
    let says = |a: &[f64], b: &[f64], resamples, level, text: &str| {
        let error = paired_bootstrap(a, b, resamples, 1, level).expect_err("this must be refused").to_string();
        assert!(error.contains(text), "{error}");
    };
    says(&[], &[], 100, 0.9, "there are no items");
    says(&[1.0; 2], &[1.0], 100, 0.9, "the second list of losses has 1 entries, 2 are needed");
    says(&[1.0, f64::NAN], &[1.0; 2], 100, 0.9, "the difference of losses of item 1 is NaN");
    says(&[1.0, f64::MAX], &[1.0, f64::MIN], 100, 0.9, "the difference of losses of item 1 is inf");
    says(&[1.0], &[1.0], 100, 1.0, "level is 1, it must be in (0, 1)");
    says(&[1.0], &[1.0], 100, f64::NAN, "level is NaN");
    says(&[1.0], &[1.0], 19, 0.9, "resamples is 19, it must be at least 2 / (1 - level)");
    says(&[1.0], &[1.0], 0, 0.9, "resamples is 0");
    let one = paired_bootstrap(&[3.0], &[1.0], 20, 1, 0.9).expect("20 resamples leave one beyond each end");
    assert_eq!(one, Interval { mean: 2.0, low: 2.0, high: 2.0 });
    let large = paired_bootstrap(&[1e300, -1e300, 0.0], &[0.0; 3], 100, 1, 0.9).expect("within the bounds");
    assert!(large.mean.abs() < 1e285 && large.low >= -1e300 && large.high <= 1e300, "{large:?}");
}
