//! How soon what goes wrong is found, and what for.

use std::collections::BTreeMap;
use std::time::Duration;

use consilience::orchestration::Controller;
use consilience::orchestration::control::{
    Bottleneck, Detector, Mode, Options, PageHinkley, Quantiles, Reading, Rise, Setting, Signal, SourceReading, Step,
};

use super::plant::{Plant, normal};
use super::{controller, run};

/// Readings until the signal is an anomaly by the detector, with the first after a change counted as 1.
fn found(steps: &[(Reading, Step)], signal: &Signal, by_threshold: bool) -> Option<usize> {
    let is = |step: &Step| {
        let found = |detector| matches!(detector, Detector::Threshold { .. }) == by_threshold;
        step.anomalies.iter().any(|anomaly| anomaly.signal == *signal && found(anomaly.detector))
    };
    steps.iter().position(|(_, step)| is(step)).map(|reading| reading + 1)
}

#[test]
fn a_source_ten_times_as_slow_is_found_within_three_readings() {
    for seed in 0..100 {
        let mut plant = Plant::quiet(seed);
        let mut controller = controller(Mode::Observe);
        run(&mut plant, &mut controller, 30);
        plant.sources[1].median *= 10.0;
        let steps = run(&mut plant, &mut controller, 3);
        let of_source = found(&steps, &Signal::SourceLatency("b".to_owned()), false);
        assert!(of_source.is_some(), "seed {seed}: {:?}", steps[2].1.anomalies);
        assert!(found(&steps, &Signal::Latency, false).is_some(), "seed {seed}");
        assert_eq!(found(&steps, &Signal::Latency, true), Some(1), "seed {seed}");
        assert_eq!(steps[0].1.bottleneck.name(), "slow_source", "seed {seed}");
        for other in ["a", "c"] {
            assert_eq!(found(&steps, &Signal::SourceLatency(other.to_owned()), false), None, "seed {seed}");
        }
    }
}

#[test]
fn a_burst_of_errors_is_found_within_three_readings() {
    for seed in 0..100 {
        let mut plant = Plant::quiet(seed);
        let mut controller = controller(Mode::Observe);
        run(&mut plant, &mut controller, 30);
        plant.sources[2].failures = 0.2;
        let steps = run(&mut plant, &mut controller, 3);
        let signal = Signal::SourceFailures("c".to_owned());
        assert!(found(&steps, &signal, false).is_some(), "seed {seed}");
        assert!(found(&steps, &signal, true).is_some(), "seed {seed}");
        let last = &steps[2].1.bottleneck;
        assert!(matches!(last, Bottleneck::FailingSource { source, .. } if source == "c"), "seed {seed}: {last}");
    }
}

#[test]
fn an_outlier_does_not_hide_what_comes_after_it() {
    let mut controller = controller(Mode::Observe);
    let (usual, outlier, slow) = (of(&[10, 10]), of(&[10, 100_000]), of(&[10, 100]));
    (0..30).for_each(|_| drop(controller.step(&usual)));
    let step = controller.step(&outlier);
    assert!(!step.anomalies.iter().any(|anomaly| matches!(anomaly.detector, Detector::PageHinkley { .. })));
    (0..5).for_each(|_| drop(controller.step(&usual)));
    let steps = [0, 1, 2].map(|_| (slow.clone(), controller.step(&slow)));
    assert_eq!(found(&steps, &Signal::SourceLatency("1".to_owned()), false), Some(2));
}

#[test]
fn requests_that_fail_without_a_source_are_found_and_left_unexplained() {
    let mut controller = controller(Mode::Act);
    let mut plant = Plant::quiet(1);
    run(&mut plant, &mut controller, 30);
    let mut reading = plant.read(controller.setting());
    reading.errors = reading.ended / 5;
    let steps = [0, 1, 2].map(|_| (reading.clone(), controller.step(&reading)));
    assert!(found(&steps, &Signal::Errors, false).is_some_and(|reading| reading <= 3));
    assert_eq!(found(&steps, &Signal::Errors, true), Some(1));
    assert!(steps.iter().all(|(_, step)| step.bottleneck.name() == "unexplained" && step.actions.is_empty()));
}

/// A test by its definition: the sum of what is above the drift, less the least such sum so far.
fn by_definition(values: &[f64], rise: Rise) -> Vec<bool> {
    let (mut sum, mut least) = (0.0, 0.0_f64);
    let alarm = |&x: &f64| {
        sum += x.min(rise.limit) - rise.drift;
        least = least.min(sum);
        let alarm = sum - least >= rise.alarm;
        if alarm {
            (sum, least) = (0.0, 0.0);
        }
        alarm
    };
    values.iter().map(alarm).collect()
}

#[test]
fn the_test_is_that_of_page_and_hinkley() {
    let rise = Rise { drift: 0.5, alarm: 4.0, limit: 3.0 };
    // Eighths: sums are exact.
    let values: Vec<f64> = (0..400_u32).map(|n| f64::from(n.wrapping_mul(2_654_435_761) >> 26) / 8.0 - 3.5).collect();
    let mut test = PageHinkley::new(rise).unwrap();
    let alarms: Vec<bool> = values.iter().map(|&x| test.observe(x).is_some()).collect();
    assert_eq!(alarms, by_definition(&values, rise));
    let count = alarms.iter().filter(|alarm| **alarm).count();
    assert!((10..200).contains(&count), "{count} alarms are too few or too many to compare");
}

#[test]
fn one_value_is_no_alarm_whatever_it_is_and_no_number_is_none() {
    let mut test = PageHinkley::new(Rise::default()).unwrap();
    assert_eq!([f64::INFINITY, f64::NAN, 0.0, f64::NEG_INFINITY].map(|x| test.observe(x)), [None; 4]);
    assert_eq!(test.sum(), 0.0);
}

/// A reading of sources with these 95th percentiles in milliseconds; requests take as long as the slowest.
pub fn of(millis: &[u64]) -> Reading {
    let all = |millis| {
        let latency = Duration::from_millis(millis);
        Some(Quantiles { p50: latency, p95: latency, p99: latency })
    };
    let source = |(n, &millis): (usize, &u64)| SourceReading {
        name: format!("{n}"),
        calls: 100,
        latency: all(millis),
        ..Default::default()
    };
    Reading {
        length: Duration::from_secs(10),
        arrivals: 100,
        ended: 100,
        latency: all(*millis.iter().max().unwrap()),
        sources: millis.iter().enumerate().map(source).collect(),
        ..Reading::default()
    }
}

#[test]
fn a_source_is_slow_where_it_stands_out() {
    for (millis, expected) in [
        (&[10, 10, 150][..], "none"),
        (&[10, 10, 250], "slow_source"),
        (&[250], "slow_source"),
        (&[10, 250], "slow_source"),
        // Half of them and one more still stand out, more do not.
        (&[10, 10, 250, 250], "slow_source"),
        (&[10, 250, 250], "slow_source"),
        (&[10, 250, 250, 250], "overload"),
        (&[100, 100, 250], "overload"),
        (&[80, 80, 250], "slow_source"),
    ] {
        let step = controller(Mode::Observe).step(&of(millis));
        assert_eq!(step.bottleneck.name(), expected, "{millis:?}");
    }
}

#[test]
fn what_is_not_a_source_is_the_device_or_the_load() {
    let slow = of(&[100, 100, 250]);
    for (device_share, expected) in
        [(None, "overload"), (Some(0.79), "overload"), (Some(0.8), "device"), (Some(f64::NAN), "overload")]
    {
        let reading = Reading { device_share, ..slow.clone() };
        assert_eq!(controller(Mode::Observe).step(&reading).bottleneck.name(), expected, "{device_share:?}");
    }
    let refused = Reading { arrivals: 200, refused: 100, ..of(&[10, 10]) };
    assert_eq!(controller(Mode::Observe).step(&refused).bottleneck.name(), "overload");
}

#[test]
fn where_nothing_ends_requests_are_slow() {
    let stalled = Reading { ended: 0, latency: None, under_way: 64, queued: 100, ..of(&[10, 10]) };
    let step = controller(Mode::Observe).step(&stalled);
    assert_eq!((step.bottleneck.name(), step.objective.latency), ("overload", 50.0_f64.ln()));
    let idle = Reading { under_way: 0, queued: 0, arrivals: 0, ..stalled };
    assert_eq!(controller(Mode::Observe).step(&idle).bottleneck.name(), "none");
}

#[test]
fn the_objective_is_the_sum_of_what_is_not_as_wanted() {
    let mut reading = of(&[10, 400]);
    (reading.arrivals, reading.refused, reading.errors) = (200, 50, 10);
    reading.sources[0].failures = 20;
    let objective = controller(Mode::Observe).step(&reading).objective;
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    near(objective.latency, 2.0_f64.ln());
    near(objective.errors, 2.0_f64.ln());
    near(objective.lost, 0.5);
    near(objective.failing, 4.0_f64.ln());
    near(objective.total(), 16.0_f64.ln() + 0.5);
    assert_eq!(objective.price, 0.0);
    // A source asked in half of the requests fails half as much.
    let half = Setting { trust: BTreeMap::from([("0".to_owned(), 0.5)]), ..normal() };
    let objective = Controller::new(Options::default(), half).unwrap().step(&reading).objective;
    near(objective.failing, 2.0_f64.ln());
}

#[test]
fn few_failures_are_not_too_many() {
    // Wilson's lower bounds at 95 %: 0.0440 of 10 in 125, 0.0552 of 10 in 100.
    for (failures, calls, expected) in [
        (1, 10, "none"),
        (2, 2, "none"),
        (3, 3, "failing_source"),
        (10, 125, "none"),
        (10, 100, "failing_source"),
        (0, 0, "none"),
    ] {
        let mut reading = of(&[10, 10]);
        (reading.sources[1].failures, reading.sources[1].calls) = (failures, calls);
        let step = controller(Mode::Observe).step(&reading);
        assert_eq!(step.bottleneck.name(), expected, "{failures} of {calls}");
    }
}
