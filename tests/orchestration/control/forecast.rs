//! A candidate is used where it beat the last value, and nowhere else.

use consilience::orchestration::control::{Forecast, Forecaster, Horizon, LastValue};

use crate::support::problem::Random;

/// Says what it is told to.
struct Seer<F>(F);

impl<F: Fn(&[f64]) -> Option<f64> + Send> Forecast for Seer<F> {
    fn fit(&mut self, _: &[f64]) {}

    fn predict(&self, past: &[f64]) -> Option<f64> {
        self.0(past)
    }
}

fn forecaster(horizon: Horizon, predict: impl Fn(&[f64]) -> Option<f64> + Send + 'static) -> Forecaster {
    Forecaster::new(Box::new(Seer(predict)), horizon).unwrap()
}

const SHORT: Horizon = Horizon { window: 4, margin: 0.1, past: 100 };

#[test]
fn nothing_beats_the_last_value_of_what_does_not_move() {
    let mut of = forecaster(SHORT, |_| Some(5.0));
    for _ in 0..20 {
        let outlook = of.observe(5.0);
        assert_eq!((outlook.value, outlook.by_candidate), (5.0, false));
    }
}

#[test]
fn a_candidate_must_be_better_by_the_margin() {
    // The series rises by 10; the candidate is wrong by 10 times the factor.
    for (factor, used) in [(0.0, true), (0.875, true), (0.90625, false), (1.0, false), (2.0, false)] {
        let mut of = forecaster(SHORT, move |past| Some(past.last()? + 10.0 * (1.0 - factor)));
        let outlook = (0..12).map(|n| of.observe(10.0 * f64::from(n))).last().unwrap();
        assert_eq!(outlook.by_candidate, used, "{factor}");
        assert_eq!((outlook.error_of_last, outlook.error_of_candidate), (Some(10.0), Some(10.0 * factor)));
    }
}

#[test]
fn a_candidate_that_was_right_once_is_dropped_when_it_is_wrong() {
    let mut of = forecaster(SHORT, |past| Some(past.last()? + 10.0));
    let rising = (0..10).map(|n| of.observe(10.0 * f64::from(n))).last().unwrap();
    assert!(rising.by_candidate);
    let flat: Vec<_> = (0..4).map(|_| of.observe(90.0)).collect();
    // One of four errors is 10 against 0, three are 0 against 10; two of each are even.
    assert_eq!(flat.iter().map(|outlook| outlook.by_candidate).collect::<Vec<_>>(), [true, false, false, false]);
    assert_eq!(flat[3].value, 90.0);
}

#[test]
fn the_candidate_sees_the_past_and_nothing_of_what_comes() {
    struct Spy(Vec<f64>);
    impl Forecast for Spy {
        fn fit(&mut self, past: &[f64]) {
            self.0 = past.to_vec();
        }
        fn predict(&self, past: &[f64]) -> Option<f64> {
            assert_eq!(self.0, past);
            assert!(past.len() <= 3);
            Some(past.iter().sum())
        }
    }
    let mut of = Forecaster::new(Box::new(Spy(Vec::new())), Horizon { window: 2, margin: 0.0, past: 3 }).unwrap();
    let outlooks: Vec<_> = [1.0, 2.0, 4.0, 8.0, 16.0].map(|value| of.observe(value)).to_vec();
    // Sums of up to three: 1 for 2, 3 for 4, 7 for 8, 14 for 16.
    assert_eq!(outlooks[2].error_of_candidate, Some(1.0));
    assert_eq!((outlooks[4].error_of_candidate, outlooks[4].error_of_last), (Some(1.5), Some(6.0)));
    assert_eq!(outlooks[4].value, 28.0);
}

#[test]
fn what_is_no_number_is_neither_learned_nor_predicted() {
    let mut of = forecaster(SHORT, |past| (past.len() % 2 == 0).then_some(f64::NAN));
    assert_eq!(of.observe(f64::NAN).value, 0.0);
    assert_eq!(of.observe(7.0).value, 7.0);
    let outlook = of.observe(f64::INFINITY);
    assert_eq!((outlook.value, outlook.error_of_candidate), (7.0, None));
}

#[test]
fn the_last_value_is_the_best_of_a_walk() {
    let mut random = Random::new(1);
    let mut at = 100.0;
    let mut of = forecaster(Horizon::default(), |past| {
        let [.., before, last] = past else { return None };
        Some(2.0 * last - before)
    });
    let mut used = 0;
    for _ in 0..2_000 {
        at += f64::from(random.unit()) - 0.5;
        used += u32::from(of.observe(at).by_candidate);
    }
    // By luck over half an hour, now and then: its error is a third larger on average.
    assert!(used < 100, "{used} of 2 000");
    assert_eq!(LastValue.predict(&[1.0, 2.0]), Some(2.0));
    assert_eq!(LastValue.predict(&[]), None);
}

#[test]
fn horizons_outside_their_range_are_refused() {
    for (what, horizon) in [
        ("the number of predictions compared is 1", Horizon { window: 1, ..SHORT }),
        ("the margin of the candidate is 1", Horizon { margin: 1.0, ..SHORT }),
        ("the margin of the candidate is NaN", Horizon { margin: f64::NAN, ..SHORT }),
        ("the number of values learned from is 1", Horizon { past: 1, ..SHORT }),
    ] {
        let error = Forecaster::new(Box::new(LastValue), horizon).unwrap_err();
        assert!(error.is_spec() && error.to_string().starts_with(what), "{error} is not {what}");
    }
}
