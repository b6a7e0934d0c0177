//! What is told of records: against sums over them, published values and all pairs.

use std::time::Duration;

use consilience::orchestration::history::{Record, Share};
use consilience::orchestration::selector::Arm;
use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

use super::{estimate, ms, of, record};

fn ln(latency: Duration) -> f64 {
    latency.max(Duration::from_nanos(1)).as_secs_f64().ln()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sum of squares around the mean.
fn scatter(values: &[f64]) -> f64 {
    values.iter().map(|value| (value - mean(values)).powi(2)).sum()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

fn latencies_of(latencies: &[Duration]) -> Vec<Record> {
    latencies.iter().map(|&latency| Record::new(0, Arm::Sequential, latency)).collect()
}

#[test]
fn shares_have_the_published_intervals() {
    // Newcombe (1998), Statistics in Medicine 17, table I, method 3: score without continuity correction.
    for (count, of_all, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let record = |number| Record { success: number < count, ..Record::new(0, Arm::Sequential, ms(1)) };
        let found = of(&(0..of_all).map(record).collect::<Vec<_>>()).diagnostics(None);
        let Share { interval, .. } = found.arms[0].success;
        assert_eq!(interval.map(|end| (end * 1e4).round() / 1e4), [low, high], "{count} of {of_all}");
    }
}

#[test]
fn a_steady_rise_and_fall_have_the_score_of_all_pairs() {
    let rising: Vec<Duration> = (1..=10).map(ms).collect();
    let trend = of(&latencies_of(&rising)).diagnostics(None).trend.unwrap();
    // 45 pairs, variance 10 x 9 x 25 / 18 = 125.
    assert!(close(trend.tau, 1.0) && close(trend.z, 44.0 / 125_f64.sqrt()), "{trend:?}");
    assert!((trend.p - 8.303_070_332e-5).abs() < 1e-10, "{trend:?}");
    let falling: Vec<Duration> = rising.into_iter().rev().collect();
    let trend = of(&latencies_of(&falling)).diagnostics(None).trend.unwrap();
    assert!(close(trend.tau, -1.0) && close(trend.z, -44.0 / 125_f64.sqrt()), "{trend:?}");
    assert_eq!(of(&latencies_of(&falling[1..])).diagnostics(None).trend, None);
    assert_eq!(of(&latencies_of(&[ms(5); 50])).diagnostics(None).trend, None);
}

#[test]
fn another_mixture_of_classes_is_no_trend() {
    // First mostly quick requests, then mostly slow ones; each class by itself goes up and down.
    let record = |number: u64| {
        let slow = number % 10 < number / 10;
        Record::new(u32::from(slow), Arm::Sequential, ms(if slow { 500 } else { 10 } + number * 7 % 5))
    };
    let records: Vec<Record> = (0..100).map(record).collect();
    let trend = of(&records).diagnostics(None).trend.unwrap();
    assert!(trend.p > 0.1, "{trend:?}");
    let mixed: Vec<Record> = records.iter().map(|record| Record { class: 0, ..*record }).collect();
    let trend = of(&mixed).diagnostics(None).trend.unwrap();
    assert!(trend.p < 1e-6 && trend.tau > 0.3, "{trend:?}");
}

/// Score, its variance, and the largest score with these ties, from all pairs.
fn kendall(latencies: &[Duration]) -> (f64, f64, f64) {
    let (mut score, mut pairs, mut tied) = (0.0, 0.0, 0.0);
    for (i, a) in latencies.iter().enumerate() {
        for b in &latencies[i + 1..] {
            score += f64::from(b.cmp(a) as i8);
            pairs += 1.0;
            tied += f64::from(u8::from(a == b));
        }
    }
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut variance = term(latencies.len() as f64);
    for (i, latency) in latencies.iter().enumerate() {
        // Each group of ties once, at its first.
        if !latencies[..i].contains(latency) {
            variance -= term(latencies.iter().filter(|other| *other == latency).count() as f64);
        }
    }
    (score, variance / 18.0, ((pairs - tied) * pairs).sqrt())
}

proptest! {
    #[test]
    fn trends_are_those_of_all_pairs(records in prop::collection::vec(record(), 0..60)) {
        let found = of(&records).diagnostics(None);
        let of_class = |class: u32| -> Vec<Duration> {
            records.iter().filter(|record| record.class == class).map(|record| record.latency).collect()
        };
        let check = |found: Option<consilience::orchestration::history::Trend>, classes: &[u32]| {
            let series: Vec<Vec<Duration>> = classes.iter().map(|&class| of_class(class)).collect();
            let number: usize = series.iter().map(Vec::len).sum();
            let tests: Vec<(f64, f64, f64)> = series.iter().map(|latencies| kendall(latencies)).collect();
            let sum = |of: fn(&(f64, f64, f64)) -> f64| tests.iter().map(of).sum::<f64>();
            let (score, variance, most) = (sum(|test| test.0), sum(|test| test.1), sum(|test| test.2));
            prop_assert_eq!(found.is_some(), number >= 10 && variance > 1e-9);
            if let Some(found) = found {
                let z = (score - if score == 0.0 { 0.0 } else { score.signum() }) / variance.sqrt();
                let p = 2.0 * Normal::new(0.0, 1.0).unwrap().cdf(-z.abs());
                prop_assert_eq!(found.records, number as u64);
                prop_assert!(close(found.z, z) && close(found.tau, score / most), "{:?} for {} {}", found, z, score / most);
                prop_assert!((found.p - p).abs() < 1e-9, "{:?} for {}", found, p);
            }
            Ok(())
        };
        check(found.trend, &[0, 1, 2])?;
        for insight in &found.classes {
            check(insight.trend, &[insight.class])?;
        }
    }

    #[test]
    fn qualities_are_those_of_all_records(records in prop::collection::vec(record(), 0..60)) {
        let found = of(&records).diagnostics(None).quality;
        let estimated: Vec<&Record> = records.iter().filter(|record| record.success && record.estimate.is_some()).collect();
        let errors: Vec<f64> =
            estimated.iter().map(|record| ln(record.latency) - ln(record.estimate.unwrap().median)).collect();
        prop_assert_eq!(found.is_some(), !errors.is_empty());
        if let Some(found) = found {
            prop_assert_eq!(found.records, errors.len() as u64);
            prop_assert!(close(found.bias, mean(&errors)));
            if errors.len() > 1 {
                let spread = (scatter(&errors) / (errors.len() as f64 - 1.0)).sqrt();
                let half = 1.959_963_985 * spread / (errors.len() as f64).sqrt();
                let [low, high] = found.interval.unwrap();
                prop_assert!(close(found.spread.unwrap(), spread));
                prop_assert!((low - found.bias + half).abs() < 1e-6 && (high - found.bias - half).abs() < 1e-6);
            }
            let with = estimated.iter().filter(|record| record.estimate.unwrap().interval.is_some());
            let inside = with.clone().filter(|record| {
                let [low, high] = record.estimate.unwrap().interval.unwrap();
                low <= record.latency && record.latency <= high
            });
            let counted = found.coverage.map(|coverage| (coverage.count, coverage.of));
            let of_all = with.count() as u64;
            prop_assert_eq!(counted, (of_all > 0).then_some((inside.count() as u64, of_all)));
        }
    }

    #[test]
    fn effects_and_insights_are_those_of_all_records(records in prop::collection::vec(record(), 0..60)) {
        let found = of(&records).diagnostics(None);
        let known = |values: Vec<Option<f32>>| {
            let values: Vec<f64> = values.into_iter().flatten().map(f64::from).collect();
            (!values.is_empty()).then(|| mean(&values))
        };
        for arm in Arm::ALL {
            let its: Vec<&Record> = records.iter().filter(|record| record.arm == arm).collect();
            let effect = found.arms.iter().find(|effect| effect.arm == arm);
            prop_assert_eq!(effect.is_some(), !its.is_empty());
            let Some(effect) = effect else { continue };
            let seconds: Vec<f64> = its.iter().map(|record| record.latency.as_secs_f64()).collect();
            prop_assert!((effect.latency.as_secs_f64() - mean(&seconds)).abs() < 2e-9);
            prop_assert_eq!(effect.success.count, its.iter().filter(|record| record.success).count() as u64);
            prop_assert_eq!(effect.success.of, its.len() as u64);
            prop_assert_eq!(effect.cost.micros, its.iter().map(|record| record.cost.micros).sum::<u64>());
            prop_assert_eq!(effect.agreement, known(its.iter().map(|record| record.agreement).collect()));
            prop_assert_eq!(effect.correctness, known(its.iter().map(|record| record.correctness).collect()));
            // The regression of the logarithms on the arm and the class, by least squares: the arm's effect is what is left
            // of the arm after the classes' means are taken away, against what is left of the logarithms.
            let both = |class: u32, arm: Arm| records.iter().any(|record| record.class == class && record.arm == arm);
            let compared: Vec<u32> = (0..3).filter(|&class| both(class, arm) && both(class, Arm::Sequential)).collect();
            let rows: Vec<&Record> = records
                .iter()
                .filter(|record| compared.contains(&record.class) && [arm, Arm::Sequential].contains(&record.arm))
                .collect();
            let groups = 2 * compared.len();
            let expected = arm != Arm::Sequential && rows.len() >= groups + 10;
            prop_assert_eq!(effect.against.is_some(), expected);
            if let Some(against) = effect.against {
                let of = |class: u32, value: &dyn Fn(&Record) -> f64| -> f64 {
                    mean(&rows.iter().filter(|row| row.class == class).map(|row| value(row)).collect::<Vec<_>>())
                };
                let taken = |row: &Record| f64::from(u8::from(row.arm == arm));
                let left = |row: &Record, value: &dyn Fn(&Record) -> f64| value(row) - of(row.class, value);
                let log = |row: &Record| ln(row.latency);
                let own = rows.iter().map(|row| left(row, &taken).powi(2)).sum::<f64>();
                let longer = rows.iter().map(|row| left(row, &taken) * left(row, &log)).sum::<f64>() / own;
                prop_assert!(close(against.ratio.ln(), longer), "{against:?} for {longer}");
                let inside: f64 = compared
                    .iter()
                    .flat_map(|&class| [(class, arm), (class, Arm::Sequential)])
                    .map(|cell| {
                        let of_cell = rows.iter().filter(|row| (row.class, row.arm) == cell);
                        scatter(&of_cell.map(|row| log(row)).collect::<Vec<_>>())
                    })
                    .sum();
                let half = 1.959_963_985 * (inside / (rows.len() - groups) as f64 / own).sqrt();
                prop_assert!((against.interval[1].ln() - longer - half).abs() < 1e-6 * half.max(1.0));
                prop_assert!((against.interval[0].ln() - longer + half).abs() < 1e-6 * half.max(1.0));
                prop_assert_eq!(against.classes, compared.len() as u64);
            }
        }
        for class in 0..3 {
            let its: Vec<&Record> = records.iter().filter(|record| record.class == class).collect();
            let insight = found.classes.iter().find(|insight| insight.class == class);
            prop_assert_eq!(insight.is_some(), !its.is_empty());
            let Some(insight) = insight else { continue };
            let sum = |of: fn(&Record) -> u32| its.iter().map(|record| u64::from(of(record))).sum::<u64>();
            let (hits, misses, expired) = (sum(|r| r.hits), sum(|r| r.misses), sum(|r| r.expired));
            let counted = |share: Option<Share>| share.map(|share| (share.count, share.of));
            prop_assert_eq!(counted(insight.hits), (hits + misses > 0).then_some((hits, hits + misses)));
            prop_assert_eq!(counted(insight.expired), (misses > 0).then_some((expired, misses)));
            let mut best: Option<(f64, Arm)> = None;
            for arm in [Arm::Sequential, Arm::ParallelCpu, Arm::ParallelGpu, Arm::Distributed] {
                let logs: Vec<f64> =
                    its.iter().filter(|record| record.arm == arm).map(|record| ln(record.latency)).collect();
                if logs.len() >= 5 && best.is_none_or(|(least, _)| mean(&logs) < least) {
                    best = Some((mean(&logs), arm));
                }
            }
            prop_assert_eq!(insight.quickest, best.map(|(_, arm)| arm));
        }
    }
}

#[test]
fn a_latency_of_no_time_and_the_longest_are_told_of() {
    let told = |latency: Duration| {
        let record =
            Record { estimate: Some(estimate(latency, Some([latency, latency]))), ..latencies_of(&[latency])[0] };
        of(&[record; 40]).diagnostics(None)
    };
    for latency in [Duration::ZERO, Duration::MAX] {
        let found = told(latency);
        assert_eq!(found.arms[0].latency, latency);
        assert_eq!(found.quality.map(|quality| (quality.bias, quality.spread)), Some((0.0, Some(0.0))));
    }
}
