//! The parts of `examples/gpu_bench` that compute.

#[path = "../../examples/gpu_bench/agreement.rs"]
mod agreement;
#[path = "../../examples/gpu_bench/labels.rs"]
mod labels;
#[path = "../../examples/gpu_bench/quoted.rs"]
mod quoted;
#[path = "../../examples/gpu_bench/roof.rs"]
mod roof;
#[path = "../../examples/gpu_bench/sizes.rs"]
mod sizes;
#[path = "../../examples/gpu_bench/statistics.rs"]
mod statistics;

use std::time::Duration;

use agreement::Column;
use roof::Roof;
use sizes::Budget;
use statistics::{Often, Samples};

use crate::support::problem::Random;

fn milliseconds(times: &[u64]) -> Samples {
    Samples::of(times.iter().map(|&time| Duration::from_millis(time)).collect()).expect("at least one")
}

#[test]
fn medians_and_spreads_are_those_of_the_middle() {
    let odd = milliseconds(&[50, 10, 30, 20, 40]);
    assert_eq!((odd.len(), odd.median(), odd.spread()), (5, 0.03, (0.04 - 0.02) / 0.03));
    // Quartiles at 17.5 and 32.5.
    let even = milliseconds(&[10, 20, 30, 40]);
    assert_eq!(even.median(), 0.025);
    assert!((even.spread() - 0.6).abs() < 1e-12, "{}", even.spread());
    // One that was held up moves neither.
    assert_eq!(milliseconds(&[10, 20, 30, 40, 50_000]).median(), 0.03);
    assert_eq!((milliseconds(&[7]).median(), milliseconds(&[7]).spread()), (0.007, 0.0));
    assert_eq!((milliseconds(&[0, 0]).spread(), Samples::of(Vec::new())), (0.0, None));
}

#[test]
fn a_measurement_is_repeated_within_its_time_but_often_enough() {
    let count = |often: Often| {
        let mut calls = 0;
        let times = often.measure(|| -> Result<_, ()> {
            calls += 1;
            Ok(Duration::from_nanos(calls))
        });
        times.expect("nothing fails").len()
    };
    let (none, hours) = (Duration::ZERO, Duration::from_secs(36_000));
    assert_eq!(count(Often { least: 20, most: 100, within: none }), 20);
    assert_eq!(count(Often { least: 20, most: 100, within: hours }), 100);
    let failing = Often { least: 3, most: 3, within: hours }.measure(|| Err("lost"));
    assert_eq!(failing, Err("lost"));
}

#[test]
fn a_size_grows_until_time_or_memory_is_used() {
    let budget = Budget { time: Duration::from_millis(100), bytes: 1 << 20 };
    let next = |took, bytes| budget.next(1000, Duration::from_micros(took), bytes);
    // By 4 in time, by 2 in memory, by 8 at most; a multiple of 16.
    assert_eq!(next(25_000, 1), Some(4000));
    assert_eq!(next(25_000, 1 << 19), Some(2000));
    assert_eq!(next(1, 1), Some(8000));
    assert_eq!(next(33_000, 1), Some(3030 / 16 * 16));
    // Not worth it, and more than allowed.
    assert_eq!((next(70_000, 1), next(1, 900_000), next(200_000, 1 << 21)), (None, None, None));
}

#[test]
fn copies_go_from_a_mebibyte_to_the_largest() {
    assert_eq!(sizes::copies(128 << 20), [1 << 20, 4 << 20, 16 << 20, 64 << 20, 128 << 20]);
    assert_eq!(sizes::copies(64 << 20), [1 << 20, 4 << 20, 16 << 20, 64 << 20]);
    assert_eq!(sizes::copies((1 << 31) - 4).last(), Some(&((1 << 31) - 16)));
    assert_eq!(sizes::copies(1000), [992]);
}

#[test]
fn a_kernel_is_set_beside_a_copy_of_its_size() {
    // 100 bytes at 10 a second, 10,000 at 50.
    let roof = Roof::of([(10_000, 200.0), (100, 10.0), (500, 0.0)]);
    assert_eq!(
        (roof.at(1.0), roof.at(100.0), roof.at(10_000.0), roof.at(1e9)),
        (Some(10.0), Some(10.0), Some(50.0), Some(50.0))
    );
    // Half way between both logarithms.
    assert!((roof.at(1000.0).expect("a roof") - 30.0).abs() < 1e-9);
    assert_eq!((roof.most(), Roof::of([]).at(1.0), Roof::of([]).most()), (Some(50.0), None, None));
}

#[test]
fn answers_agree_within_their_contract_and_no_further() {
    let close = |x: f64| vec![Column::close("p", &[x, 0.5], 1e-6, 1e-6)];
    assert_eq!(agreement::check(&close(1.0), &close(1.0 + 1.9e-6)), Ok(()));
    let error = agreement::check(&close(1.0), &close(1.0 + 2.1e-6)).expect_err("too far");
    assert!(error.starts_with("p at 0 is 1.0000021, not 1, one of 1"), "{error}");
    assert!(agreement::check(&close(1.0), &close(f64::NAN)).is_err());
    assert!(agreement::check(&close(f64::NAN), &close(f64::NAN)).is_err());
    let exact = |x: u32| vec![Column::exact("digit", &[x])];
    assert_eq!(agreement::check(&exact(3), &exact(3)), Ok(()));
    assert!(agreement::check(&exact(3), &exact(4)).is_err());
    // One of four may stand at a border.
    let but_for = |values: [u32; 4]| vec![Column::but_for("place", &values, 0.25)];
    assert_eq!(agreement::check(&but_for([1, 2, 3, 4]), &but_for([1, 2, 3, 5])), Ok(()));
    assert!(agreement::check(&but_for([1, 2, 3, 4]), &but_for([1, 2, 4, 5])).is_err());
    // Nothing to compare is no agreement.
    assert!(agreement::check(&[], &[]).is_err());
    assert!(agreement::check(&exact(3), &[]).is_err());
    let none = vec![Column::exact::<u32>("digit", &[])];
    assert!(agreement::check(&none, &none).is_err());
}

#[test]
fn fields_are_quoted_where_they_must_be() {
    for (text, want) in
        [("1.5", "1.5"), ("a, b", "\"a, b\""), ("an \"x\"", "\"an \"\"x\"\"\""), ("two\nlines", "\"two\nlines\"")]
    {
        assert_eq!(quoted::field(text), want);
    }
}

/// A hundred points, many of them in one another's way.
#[test]
fn no_label_covers_another_or_a_point() {
    let mut random = Random::new(5);
    let mut within = |most: usize| 100 + random.below(most) as i32;
    let points: Vec<(i32, i32)> = (0..100).map(|_| (within(700), within(400))).collect();
    let placed = labels::place(&points, &[20; 100], 12, 4);
    for (i, &label) in placed.iter().enumerate() {
        assert_eq!(label[2..], [20, 12]);
        assert!(placed[..i].iter().all(|&other| !labels::overlap(label, other)), "label {i}");
        assert!(points.iter().all(|&(x, y)| !labels::overlap(label, [x - 4, y - 4, 8, 8])), "label {i}");
    }
    // With room it stands to the right; edges may touch.
    assert_eq!(labels::place(&[(10, 10)], &[20], 12, 4), [[15, 4, 20, 12]]);
    assert!(!labels::overlap([0, 0, 2, 2], [2, 0, 2, 2]) && labels::overlap([0, 0, 3, 3], [2, 2, 1, 1]));
}
