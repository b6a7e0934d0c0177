//! How long an arm takes: against sums over all latencies and Student's distribution of another crate.

use std::time::Duration;

use consilience::orchestration::Selector;
use consilience::orchestration::selector::{Arm, Estimate, Learning, Mode, Options, Outcome, Situation};
use proptest::prelude::*;
use rand_distr::{Distribution, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{answered, ms};

/// A selector that forgets by this factor and saw these latencies of one arm.
fn seen(discount: f64, latencies: &[Duration]) -> Selector {
    let learning = Learning { discount, ..Learning::default() };
    let mut selector = Selector::new(Options { learning, ..Options::default() }).unwrap();
    for &latency in latencies {
        let choice = selector.choose(&Situation::new(2, 0), 0).unwrap();
        selector.update(&choice, &answered(latency)).unwrap();
    }
    selector
}

fn estimated(selector: &Selector) -> Option<Estimate> {
    selector.choose(&Situation::new(2, 0), 0).unwrap().estimate
}

/// The same from all latencies at once: logarithms weighted by their ages.
fn naive(discount: f64, latencies: &[Duration]) -> (f64, f64, f64) {
    let ages = (0..latencies.len()).rev();
    let weights: Vec<f64> = ages.map(|age| discount.powi(age as i32)).collect();
    let logs: Vec<f64> = latencies.iter().map(|latency| latency.as_secs_f64().ln()).collect();
    let sum: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
    let mean = weights.iter().zip(&logs).map(|(weight, log)| weight * log).sum::<f64>() / sum;
    let scatter: f64 = weights.iter().zip(&logs).map(|(weight, log)| weight * (log - mean).powi(2)).sum();
    (mean, scatter / (sum - squares / sum), sum * sum / squares)
}

fn close(found: Duration, expected: f64, relative: f64) -> bool {
    (found.as_secs_f64() - expected).abs() <= relative * expected + 2e-9
}

#[test]
fn before_anything_was_seen_the_estimate_is_what_was_said() {
    let selector = Selector::new(Options::default()).unwrap();
    assert_eq!(selector.choose(&Situation::new(3, 0), 0).unwrap().estimate, None);
    let said = |benefit| Situation { work: Some(ms(300)), benefit, ..Situation::new(3, 0) };
    let of = |situation| selector.choose(&situation, 0).unwrap().estimate.unwrap();
    let stated = |latency| Estimate { median: latency, mean: latency, interval: None, latencies: 0.0 };
    assert_eq!(of(said(Some(2.0))), stated(ms(150)));
    assert_eq!(of(said(Some(1.2))), stated(ms(300)));
    assert_eq!(selector.choose(&Situation { held: 3, ..said(Some(2.0)) }, 0).unwrap().estimate, None);
    let context = selector.choose(&said(None), 0).unwrap().context;
    assert_eq!(selector.estimate(context, Arm::Sequential), None);
}

#[test]
fn one_latency_has_no_interval_and_two_have_a_wide_one() {
    let one = estimated(&seen(1.0, &[ms(100)])).unwrap();
    assert!(close(one.median, 0.1, 1e-9) && close(one.mean, 0.1, 1e-9), "{one:?}");
    assert_eq!((one.interval, one.latencies), (None, 1.0));
    let two = estimated(&seen(1.0, &[ms(100), ms(200)])).unwrap();
    // Of ln 0.1 and ln 0.2 the variance is (ln 2)^2 / 2; t of one degree of freedom is tan(0.45 pi).
    let half = (0.45 * std::f64::consts::PI).tan() * (0.5 * 2_f64.ln().powi(2) * 1.5).sqrt();
    let [low, high] = two.interval.unwrap();
    assert!(close(two.median, 0.02_f64.sqrt(), 1e-9), "{two:?}");
    assert!(close(two.mean, (0.02_f64.ln() / 2.0 + 2_f64.ln().powi(2) / 4.0).exp(), 1e-9), "{two:?}");
    let median = 0.02_f64.sqrt();
    assert!(close(low, median / half.exp(), 1e-5) && close(high, median * half.exp(), 1e-5), "{two:?}");
}

#[test]
fn extreme_latencies_are_estimated() {
    for latencies in [[Duration::ZERO; 3], [Duration::MAX; 3]] {
        let [low, high] = estimated(&seen(0.99, &latencies)).unwrap().interval.unwrap();
        assert!(close(low, latencies[0].as_secs_f64(), 1e-9) && close(high, latencies[0].as_secs_f64(), 1e-9));
    }
    let estimate = estimated(&seen(0.99, &[Duration::ZERO, Duration::MAX])).unwrap();
    assert_eq!(estimate.interval.unwrap(), [Duration::ZERO, Duration::MAX]);
}

#[test]
fn nothing_is_learned_of_how_long_a_failure_took() {
    let mut selector = Selector::new(Options { mode: Mode::Fixed, ..Options::default() }).unwrap();
    let choice = selector.choose(&Situation::new(2, 0), 0).unwrap();
    selector.update(&choice, &Outcome { success: false, ..answered(ms(10)) }).unwrap();
    assert_eq!(estimated(&selector), None);
    assert_eq!(selector.rewards(choice.context, Arm::Sequential), 1.0);
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(11);
    let latency = LogNormal::new(-2.0, 0.7).unwrap();
    let mut next = || Duration::from_secs_f64(latency.sample(&mut random));
    for seen_before in [2, 5, 40] {
        let mut inside = 0_u32;
        for _ in 0..2_000 {
            let latencies: Vec<Duration> = (0..seen_before).map(|_| next()).collect();
            let [low, high] = estimated(&seen(1.0, &latencies)).unwrap().interval.unwrap();
            inside += u32::from((low..=high).contains(&next()));
        }
        let share = f64::from(inside) / 2_000.0;
        // Four standard errors.
        assert!((share - Estimate::COVERAGE).abs() < 0.027, "{share} after {seen_before}");
    }
}

proptest! {
    #[test]
    fn estimates_are_those_of_all_latencies(
        nanos in prop::collection::vec((5.0..25.0_f64).prop_map(|x| x.exp() as u64), 2..60),
        discount in prop_oneof![Just(1.0), 0.8..1.0_f64],
    ) {
        let latencies: Vec<Duration> = nanos.into_iter().map(Duration::from_nanos).collect();
        let found = estimated(&seen(discount, &latencies)).unwrap();
        let (mean, variance, number) = naive(discount, &latencies);
        prop_assert!((found.latencies - number).abs() < 1e-9 * number);
        prop_assert!(close(found.median, mean.exp(), 1e-7));
        let longest = Duration::MAX.as_secs_f64();
        prop_assert!(close(found.mean, (mean + variance / 2.0).exp().min(longest), 1e-6));
        let freedom = (number - 1.0).max(1.0);
        let t = StudentsT::new(0.0, 1.0, freedom).unwrap().inverse_cdf(0.95);
        let spread = (variance * (1.0 + 1.0 / number)).sqrt();
        let high = found.interval.unwrap()[1];
        let half = high.as_secs_f64().ln() - mean;
        // Between the degrees of freedom kept it may be wider, never narrower: by a ninth at most, between one and two.
        let widest = if freedom.fract() < 1e-9 && freedom <= 30.0 { 0.0 } else if freedom < 2.0 { 0.12 } else { 0.01 };
        // Times are whole nanoseconds.
        let rounding = 1e-9 / high.as_secs_f64() + 1e-5 * t * spread;
        let may_be = t * spread - rounding..=t * spread * (1.0 + widest) + rounding;
        prop_assert!(may_be.contains(&half) || high == Duration::MAX, "{half}, {may_be:?}");
    }
}
