//! A network that forecasts is used where it beats the last value, and nowhere else.

use std::f64::consts::TAU;

use consilience::burn::{Autoregression, AutoregressionOptions};
use consilience::orchestration::control::{Forecast, Forecaster, Horizon, Outlook};
use rand_distr::{Distribution, Normal, Poisson};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

const SMALL: AutoregressionOptions =
    AutoregressionOptions { lags: 3, units: 2, steps: 5, rate: 0.01, penalty: 0.0, seed: 1 };

fn network(options: AutoregressionOptions) -> Autoregression {
    Autoregression::new(options).expect("options")
}

/// Requests a second of one minute, that many of them on average.
fn counted(mean: f64, random: &mut SplitMix64) -> f64 {
    Poisson::new(60.0 * mean).expect("a mean").sample(random) / 60.0
}

/// In how many of a hundred minutes the network was used, and the mean error of the predictions over that of the last value.
fn outcome(mut load: impl FnMut(u32, &mut SplitMix64) -> f64) -> (usize, f64) {
    const MINUTES: usize = 300;
    let mut random = SplitMix64::seed_from_u64(7);
    let mut of =
        Forecaster::new(Box::new(network(AutoregressionOptions::default())), Horizon::default()).expect("a horizon");
    let loads: Vec<f64> = (0..MINUTES as u32).map(|minute| load(minute, &mut random)).collect();
    let outlooks: Vec<Outlook> = loads.iter().map(|load| of.observe(*load)).collect();
    let late = MINUTES / 2..MINUTES - 1;
    let used = late.clone().filter(|&minute| outlooks[minute].by_candidate).count();
    let error = |predicted: &dyn Fn(usize) -> f64| -> f64 {
        late.clone().map(|minute| (predicted(minute) - loads[minute + 1]).abs()).sum()
    };
    let ratio = error(&|minute| outlooks[minute].value) / error(&|minute| loads[minute]);
    (100 * used / late.len(), ratio)
}

#[test]
fn where_something_can_be_told_it_is_used_and_better() {
    // Of noise around a mean, the mean of 20 values is better by sqrt((1 + 1 / 20) / 2) = 0.72 at most.
    type Mean = fn(u32) -> f64;
    let cases: [(&str, f64, Mean); 4] = [
        ("as many every minute", 0.9, |_| 10.0),
        ("a day's swing", 0.9, |minute| 20.0 + 15.0 * (TAU * f64::from(minute) / 1440.0).sin()),
        ("an hour's swing", 0.6, |minute| 20.0 + 15.0 * (TAU * f64::from(minute) / 60.0).sin()),
        ("a job every ten minutes", 0.3, |minute| if minute.is_multiple_of(10) { 40.0 } else { 20.0 }),
    ];
    for (name, most, mean) in cases {
        let (used, ratio) = outcome(|minute, random| counted(mean(minute), random));
        eprintln!("{name}: used in {used} % of the minutes, {ratio:.2} of the last value's error");
        assert!(used > 60 && ratio < most, "{name}: used in {used} % of the minutes, {ratio:.2}");
    }
}

#[test]
fn where_nothing_can_be_told_the_last_value_stays() {
    let mut at = 100.0;
    let bell = Normal::new(0.0, 1.0).unwrap();
    let (used, ratio) = outcome(|_, random| {
        at += bell.sample(random);
        at
    });
    eprintln!("a walk: used in {used} % of the minutes, {ratio:.3} of the last value's error");
    assert!(used < 5 && ratio < 1.02, "{used} %, {ratio:.3}");
    assert_eq!(outcome(|_, _| 50.0).0, 0);
}

/// One after the other, as a forecaster does it.
fn learned(options: AutoregressionOptions, values: &[f64]) -> Autoregression {
    let mut of = network(options);
    (1..=values.len()).for_each(|n| of.fit(&values[..n]));
    of
}

#[test]
fn it_begins_with_the_last_value() {
    let values = [4.0, 8.0, 1.0, 7.0, 3.0, 9.0];
    let mut of = network(AutoregressionOptions { rate: 1e-12, ..SMALL });
    of.fit(&values[..5]);
    assert_eq!(of.predict(&values[..5]), None, "twice as many as lags are needed");
    of.fit(&values);
    let predicted = of.predict(&values).unwrap();
    assert!((predicted - 9.0).abs() < 1e-6, "{predicted}");
    assert_eq!(of.predict(&values[..2]), None, "fewer than lags");
}

#[test]
fn a_recurrence_is_learned() {
    // An even swing, of which x_(t+1) - x_t = 2 cos(1) (x_t - x_(t-1)) - (x_(t-1) - x_(t-2)).
    let value = |t: u32| 10.0 + 2.0 * f64::from(t).sin();
    let values: Vec<f64> = (0..120).map(value).collect();
    let of = learned(AutoregressionOptions { steps: 20, ..SMALL }, &values);
    // The last value is wrong by 0.5 to 1.9 there.
    for from in 120..130 {
        let past: Vec<f64> = (from - 3..from).map(value).collect();
        let (expected, predicted) = (value(from), of.predict(&past).unwrap());
        assert!((predicted - expected).abs() < 0.1, "{predicted}, not {expected}");
    }
}

#[test]
fn level_and_unit_make_no_difference() {
    let mut random = SplitMix64::seed_from_u64(3);
    let values: Vec<f64> = (0..40).map(|n| counted(10.0 + f64::from(n % 4), &mut random)).collect();
    let predicted = learned(SMALL, &values).predict(&values).unwrap();
    for (unit, level) in [(1.0, 0.0), (1.0, 1000.0), (60.0, 0.0), (1e-6, 5.0)] {
        let others: Vec<f64> = values.iter().map(|value| unit * value + level).collect();
        let other = learned(SMALL, &others).predict(&others).unwrap();
        let expected = unit * predicted + level;
        assert!((other - expected).abs() < 1e-3 * unit, "{other}, not {expected}");
    }
}

#[test]
fn a_seed_decides() {
    let mut random = SplitMix64::seed_from_u64(4);
    let values: Vec<f64> = (0..20).map(|_| counted(5.0, &mut random)).collect();
    let predicted = |seed| learned(AutoregressionOptions { seed, ..SMALL }, &values).predict(&values).unwrap();
    assert_eq!(predicted(1).to_bits(), predicted(1).to_bits());
    assert_ne!(predicted(1), predicted(2));
}

#[test]
fn what_teaches_nothing_leads_to_no_prediction() {
    for values in [[7.0; 10], [0.0; 10], [f64::MAX, -f64::MAX, f64::MAX, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]] {
        let of = learned(SMALL, &values);
        assert_eq!(of.predict(&values), None, "{values:?}");
    }
    // What was learned before it is there again after it.
    let mut values = vec![1.0, 2.0, 1.0, 2.0, 1.0, 2.0, f64::MAX, -f64::MAX];
    let mut of = learned(SMALL, &values);
    assert_eq!(of.predict(&values), None);
    values.splice(6.., [1.0, 2.0]);
    of.fit(&values);
    let predicted = of.predict(&values).unwrap();
    assert!((0.0..3.0).contains(&predicted), "{predicted}");
}

#[test]
fn options_outside_their_range_are_refused() {
    for (options, says) in [
        (AutoregressionOptions { lags: 1, ..SMALL }, "the number of lags is 1"),
        (AutoregressionOptions { lags: 1_025, ..SMALL }, "the number of lags is 1025"),
        (AutoregressionOptions { units: 0, ..SMALL }, "the number of hidden units is 0"),
        (AutoregressionOptions { steps: 0, ..SMALL }, "the number of steps is 0"),
        (AutoregressionOptions { rate: 0.0, ..SMALL }, "the learning rate is 0"),
        (AutoregressionOptions { rate: f64::NAN, ..SMALL }, "the learning rate is NaN"),
        (AutoregressionOptions { penalty: -1.0, ..SMALL }, "the penalty of weights is -1"),
        (AutoregressionOptions { penalty: f64::INFINITY, ..SMALL }, "the penalty of weights is inf"),
    ] {
        let error = Autoregression::new(options).unwrap_err();
        assert!(error.is_spec() && error.to_string().starts_with(says), "{error} is not {says}");
    }
}
