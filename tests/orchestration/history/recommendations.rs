//! What should be looked into: each where the numbers say so, and not where they do not.

use consilience::orchestration::Dependencies;
use consilience::orchestration::dependency::Options;
use consilience::orchestration::history::{Recommendation, Record};
use consilience::orchestration::selector::Arm;

use super::{estimate, ms, of};

/// Latencies around so many milliseconds, up and down by a fifth, in an order without a trend.
fn around(millis: u64, number: u64) -> u64 {
    millis * (80 + number * 7 % 41) / 100
}

fn recommended(records: &[Record]) -> Vec<Recommendation> {
    of(records).diagnostics(None).recommendations
}

fn sequential(number: u64) -> Record {
    Record::new(0, Arm::Sequential, ms(around(100, number)))
}

#[test]
fn where_all_is_well_nothing_is_recommended() {
    let records: Vec<Record> = (0..200).map(sequential).collect();
    assert_eq!(recommended(&records), []);
}

#[test]
fn a_lifetime_is_too_short_where_most_misses_were_held() {
    let with = |expired: u64| -> Vec<Record> {
        (0..100)
            .map(|number| Record { misses: 1, expired: u32::from(number < expired), ..sequential(number) })
            .collect()
    };
    let [Recommendation::LongerLifetime { class: 0, expired }] = recommended(&with(61))[..] else { panic!() };
    assert_eq!((expired.count, expired.of), (61, 100));
    // The interval of 59 of 100 has a half in it.
    assert_eq!(recommended(&with(59)), []);
    assert_eq!(recommended(&with(61)[..29]), []);
}

#[test]
fn an_arm_is_never_better_where_it_is_slower_in_every_class() {
    let compared = |by: [u64; 2]| -> Vec<Record> {
        let of = |number: u64| {
            let class = number % 2;
            let base = Record { class: class as u32, ..sequential(number / 4) };
            let slower =
                Record { arm: Arm::ParallelCpu, latency: base.latency * by[class as usize] as u32 / 100, ..base };
            if (number / 2).is_multiple_of(2) { base } else { slower }
        };
        (0..400).map(of).collect()
    };
    let [Recommendation::NeverBetter { arm: Arm::ParallelCpu, against }] = recommended(&compared([130, 120]))[..]
    else {
        panic!()
    };
    assert!(
        (against.ratio - 1.56_f64.sqrt()).abs() < 1e-3 && (against.classes, against.quicker) == (2, 0),
        "{against:?}"
    );
    assert_eq!(recommended(&compared([150, 95])), []);
    assert_eq!(recommended(&compared([101, 101])), []);
}

#[test]
fn an_arm_that_fails_is_named() {
    let with = |successes: u64| -> Vec<Record> {
        (0..100).map(|number| Record { success: number < successes, ..sequential(number) }).collect()
    };
    let [Recommendation::Unreliable { arm: Arm::Sequential, success }] = recommended(&with(39))[..] else { panic!() };
    assert_eq!((success.count, success.of), (39, 100));
    assert_eq!(recommended(&with(41)), []);
}

#[test]
fn estimates_are_corrected_in_value_and_width() {
    let with = |median: u64, [low, high]: [u64; 2]| -> Vec<Recommendation> {
        let record = |number| Record {
            estimate: Some(estimate(ms(median), Some([ms(low), ms(high)]))),
            ..Record::new(0, Arm::Sequential, ms(around(100, number)))
        };
        recommended(&(0..205).map(record).collect::<Vec<_>>())
    };
    // The middle of 80 ... 120 has a geometric mean of 99.3.
    let [Recommendation::BiasedEstimates { factor, interval: [low, high] }] = with(50, [82, 118])[..] else { panic!() };
    assert!((factor - 1.986).abs() < 1e-3 && low < factor && factor < high, "{factor}");
    let [Recommendation::BiasedEstimates { factor, .. }] = with(200, [82, 118])[..] else { panic!() };
    assert!((factor - 0.496).abs() < 1e-3, "{factor}");
    assert_eq!(with(95, [82, 118]), []);
    let [Recommendation::WiderIntervals { coverage }] = with(100, [90, 110])[..] else { panic!() };
    assert_eq!((coverage.count, coverage.of), (105, 205));
    let [Recommendation::NarrowerIntervals { coverage }] = with(100, [50, 150])[..] else { panic!() };
    assert_eq!(coverage.share, 1.0);
}

#[test]
fn a_rise_is_named_and_a_fall_is_not() {
    let with = |sign: i64| -> Vec<Recommendation> {
        let millis = |number: u64| around(1_000, number).saturating_add_signed(sign * 2 * number as i64);
        let record = |number| Record::new(0, Arm::Sequential, ms(millis(number)));
        recommended(&(0..100).map(record).collect::<Vec<_>>())
    };
    let [Recommendation::Slower { trend }] = with(1)[..] else { panic!() };
    assert!(trend.p < 0.01 && trend.tau > 0.0, "{trend:?}");
    assert_eq!((with(0), with(-1)), (vec![], vec![]));
}

#[test]
fn sources_that_err_together_are_named() {
    let mut sources = Dependencies::new(Options::default()).unwrap();
    for request in 0..2_000 {
        let wrong = request % 4 == 0;
        sources.learn("class", &[("a", wrong), ("b", wrong), ("c", request % 3 == 0)]).unwrap();
    }
    let found = of(&[]).diagnostics(Some(&sources)).recommendations;
    let [Recommendation::Redundant { pair }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&pair.source[..], &pair.beside[..]), ("a", "b"));
    assert!(pair.correlation.interval[0] > Recommendation::REDUNDANT);
}
