use std::time::Duration;

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::agreement::{Agreement, Buckets, at_most};
use crate::exposition::Exposition;
use crate::generator::Done;
use crate::random;
use crate::tally::{Ending, Tally, Times};

const BOUNDS: [f64; 8] = [1e-4, 1.6e-4, 2.5e-4, 4e-4, 6.3e-4, 1e-3, 1.6e-3, f64::INFINITY];

/// A server that has counted these times, in microseconds.
fn server(times: &[u64]) -> Buckets {
    let mut text = String::new();
    for bound in BOUNDS {
        let up_to = times.iter().filter(|us| **us as f64 * 1e-6 <= bound).count();
        let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
        text += &format!("consilience_http_seconds_bucket{{route=\"process\",le=\"{bound}\"}} {up_to}\n");
    }
    Buckets::of_process(&Exposition::new(text)).unwrap()
}

/// A run whose requests took these times, and those beside it these.
fn done(times: &[u64], outside: &[u64]) -> Done {
    let mut tally = Tally::new().unwrap();
    for us in times {
        tally.count(Duration::ZERO, Duration::ZERO, Duration::from_micros(*us), Ending::Answered(200));
    }
    let mut probes = Times::new().unwrap();
    outside.iter().for_each(|us| probes.record(Duration::from_micros(*us)));
    Done { tally, outside: probes, span: Duration::from_secs(1), cpu: None }
}

/// From 200 us to 499.7 us.
fn times() -> Vec<u64> {
    (0..1000).map(|n| 200 + n * 3 / 10).collect()
}

#[test]
fn what_took_as_long_there_and_a_little_outside_agrees() {
    let there = server(&times());
    let here: Vec<u64> = times().iter().map(|us| us + 30).collect();
    let agreement = Agreement::of(&done(&here, &[30; 1000]), &there).unwrap();
    assert!(agreement.holds(), "{agreement:?}");
    let median = &agreement.quantiles[0];
    assert_eq!((median.q, median.low, median.high), (0.5, 2.5e-4, Some(4e-4)));
    // At the 75th percentile it is 424 us there, so up to 630 in its bucket, and 30 outside.
    assert!((median.most.unwrap() - 6.606_6e-4).abs() < 1e-6, "{median:?}");
    assert!((median.here - 379e-6).abs() < 1e-6, "{median:?}");
}

#[test]
fn longer_there_than_here_does_not_agree() {
    // Everything takes four buckets longer there than here, where it contains it.
    let there = server(&times().iter().map(|us| us * 4).collect::<Vec<_>>());
    let agreement = Agreement::of(&done(&times(), &[30; 1000]), &there).unwrap();
    assert!(!agreement.holds() && agreement.quantiles.iter().all(|quantile| !quantile.agrees), "{agreement:?}");
}

#[test]
fn what_is_neither_there_nor_outside_does_not_agree() {
    let there = server(&times());
    let here: Vec<u64> = times().iter().map(|us| us + 700).collect();
    assert!(!Agreement::of(&done(&here, &[30; 1000]), &there).unwrap().holds());
    assert!(Agreement::of(&done(&here, &[700; 1000]), &there).unwrap().holds());
    // Where only the tail is outside, only the tail may be longer.
    let tail: Vec<u64> = (0..1000).map(|n| if n < 900 { 30 } else { 700 }).collect();
    let agreement = Agreement::of(&done(&here, &tail), &there).unwrap();
    let agrees: Vec<bool> = agreement.quantiles.iter().map(|quantile| quantile.agrees).collect();
    assert_eq!(agrees, [false, true, true]);
}

#[test]
fn requests_that_only_one_side_counted_do_not_agree() {
    let more: Vec<u64> = times().into_iter().chain([300]).collect();
    let agreement = Agreement::of(&done(&times(), &[30; 1000]), &server(&more)).unwrap();
    assert!(!agreement.holds() && agreement.quantiles.iter().all(|quantile| quantile.agrees), "{agreement:?}");
    assert!(!Agreement::of(&done(&more, &[30; 1000]), &server(&times())).unwrap().holds());
    // One that was cut off may have been counted there.
    let mut cut_off = done(&times(), &[30; 1000]);
    cut_off.tally.count(Duration::ZERO, Duration::ZERO, Duration::ZERO, Ending::Broken);
    assert!(Agreement::of(&cut_off, &server(&more)).unwrap().holds());
    assert!(Agreement::of(&cut_off, &server(&times())).unwrap().holds());
}

#[test]
fn only_what_was_added_since_counts() {
    let before = server(&[90; 500]);
    let all: Vec<u64> = [90; 500].into_iter().chain(times()).collect();
    assert_eq!(server(&all).since(&before).unwrap(), server(&times()));
    let error = before.since(&server(&all)).unwrap_err().to_string();
    assert!(error.contains("started anew"), "{error}");
}

#[test]
fn without_a_histogram_or_without_requests_nothing_agrees() {
    let error = Buckets::of_process(&Exposition::new("up 1\n".to_owned())).unwrap_err().to_string();
    assert!(error.contains("consilience_http_seconds"), "{error}");
    for (here, there) in [(vec![], times()), (times(), vec![])] {
        let error = Agreement::of(&done(&here, &[30; 1000]), &server(&there)).unwrap_err().to_string();
        assert_eq!(error, "nothing was answered here, or nothing counted there");
    }
    // 0.995 to the power of 918 is more than 1 %.
    let error = Agreement::of(&done(&times(), &[30; 918]), &server(&times())).unwrap_err().to_string();
    assert!(error.starts_with("918 probes are too few"), "{error}");
    assert!(Agreement::of(&done(&times(), &[30; 919]), &server(&times())).unwrap().holds());
}

/// Of samples of what is even between 0 and 1 s, the bound of a quantile lies above it as often as it says.
#[test]
fn a_quantile_of_a_sample_is_bounded_as_certainly_as_it_says() {
    let mut random = SplitMix64::seed_from_u64(3);
    let mut times = Times::new().unwrap();
    for q in [0.75, 0.95] {
        let mut above = 0;
        for _ in 0..2000 {
            times.clear();
            (0..300).for_each(|_| times.record(Duration::from_secs_f64(random::unit(&mut random))));
            above += usize::from(at_most(&times, q).unwrap() >= Duration::from_secs_f64(q));
        }
        // Five standard errors below 99 %, and no more than an order statistic oversteps it.
        assert!((1957..=1996).contains(&above), "{above} of 2000 at {q}");
    }
}
