use crate::Failure;
use crate::knee::search;

/// The rate that is found where every rate up to `knee` holds, and how many rates were tried.
fn found(first: f64, knee: f64) -> (Option<f64>, usize) {
    let mut tried = 0;
    let rate = search(first, |rate, _| {
        tried += 1;
        Ok(rate <= knee)
    });
    (rate.unwrap(), tried)
}

#[test]
fn the_highest_rate_that_holds_is_found_from_below_and_from_above() {
    for first in [100.0, 5000.0, 80_000.0] {
        for knee in [90.0, 1234.0, 5000.0, 51_000.0] {
            let (rate, tried) = found(first, knee);
            let rate = rate.unwrap();
            assert!(rate <= knee && rate * 1.05 >= knee, "{rate} of {knee} from {first}");
            assert!(tried < 60, "{tried}");
        }
    }
}

#[test]
fn where_nothing_holds_there_is_no_knee() {
    assert_eq!(found(1000.0, 0.5).0, None);
}

#[test]
fn a_rate_that_held_once_and_is_not_confirmed_is_not_stated() {
    let mut confirmations = Vec::new();
    let rate = search(100.0, |rate, confirm| {
        if confirm {
            confirmations.push(rate);
        }
        Ok(rate <= if confirm { 700.0 } else { 1000.0 })
    });
    let rate = rate.unwrap().unwrap();
    assert!((700.0 / 1.05..=700.0).contains(&rate), "{rate}");
    // Each that failed was asked about twice.
    assert!(confirmations.len() > 2 && confirmations[0] == confirmations[1], "{confirmations:?}");
}

#[test]
fn one_failure_alone_does_not_end_the_search() {
    let mut calls = 0;
    let rate = search(100.0, |rate, _| {
        calls += 1;
        Ok(calls != 2 && rate <= 1000.0)
    });
    assert!(rate.unwrap().unwrap() > 950.0);
}

#[test]
fn an_error_ends_the_search() {
    let result = search(100.0, |_, _| Err::<bool, Failure>("gone".into()));
    assert_eq!(result.unwrap_err().to_string(), "gone");
}
