//! The preset `parallel_fusion`, worked out by hand in fractions.

use consilience::Evidence;
use consilience::learning::{ReliabilityOptions, Weights, WeightsOptions};

fn preset() -> Weights {
    Weights::new(WeightsOptions::parallel_fusion()).expect("the preset is valid")
}

fn close(got: &[f32], want: [f64; 2]) -> bool {
    got.iter().zip(want).all(|(&got, want)| (f64::from(got) - want).abs() < 1e-7)
}

#[test]
fn labelled_step_by_step() {
    // Whether the first and the second source are right; the second is missing on the thirteenth item.
    let right = [
        (true, Some(true)),
        (true, Some(false)),
        (true, Some(true)),
        (false, Some(true)),
        (true, Some(false)),
        (true, Some(true)),
        (true, Some(false)),
        (true, Some(true)),
        (false, Some(true)),
        (true, Some(false)),
        (true, Some(true)),
        (false, Some(true)),
        (true, None),
        (true, Some(false)),
        (true, Some(false)),
    ];
    let mut weights = preset();
    for (step, (first, second)) in right.into_iter().enumerate() {
        let row = |right: bool| if right { [0.7, 0.3] } else { [0.2, 0.8] };
        let (a, b, present) = (row(first), row(second.unwrap_or(true)), [second.is_some()]);
        let evidence = Evidence::probabilities(2, &[&a, &b]).and_then(|e| e.with_presence(1, &present));
        let evidence = evidence.expect("one item");
        // An item without a label is no observation.
        weights.update(&evidence, &[None]).expect("a valid item");
        weights.update(&evidence, &[Some(0)]).expect("a valid item");
        let want = match step + 1 {
            ..10 => [0.6, 0.4],
            10 => [0.597_142_857, 0.402_857_143],
            11 => [0.593_678_571, 0.406_321_429],
            12 => [0.587_251_891, 0.412_748_109],
            13 => [0.582_098_130, 0.417_901_870],
            14 => [0.579_966_749, 0.420_033_251],
            _ => [0.580_303_407, 0.419_696_593],
        };
        assert!(close(&weights.weights(), want), "step {}: {:?} is not {want:?}", step + 1, weights.weights());
        assert_eq!(weights.observations(), step as u64 + 1);
    }
    assert!(close(&weights.reliability().reliabilities(), [12.0 / 15.0, 8.0 / 14.0]));
}

#[test]
fn self_reported_step_by_step() {
    let said = [
        [0.9, 0.6],
        [0.7, 0.61],
        [0.6, 0.8],
        [0.55, 0.9],
        [0.95, 0.3],
        [0.65, 0.5],
        [0.8, 0.7],
        [0.61, 0.2],
        [0.3, 0.95],
        [0.99, 0.6],
        [0.7, 0.7],
        [0.5, 0.8],
        [0.9, 0.9],
    ];
    let mut weights = preset();
    for (step, [a, r]) in said.into_iter().enumerate() {
        let rows = [[a, 1.0 - a], [r, 1.0 - r]];
        let given = [[a], [r]];
        let evidence = Evidence::probabilities(2, &[&rows[0], &rows[1]])
            .and_then(|e| e.with_confidence(0, &given[0]))
            .and_then(|e| e.with_confidence(1, &given[1]));
        weights.update_self_reported(&evidence.expect("one item")).expect("a valid item");
        let want = match step + 1 {
            ..10 => [0.6, 0.4],
            10 => [0.598_333_333, 0.401_666_667],
            11 => [0.595_642_857, 0.404_357_143],
            12 => [0.589_411_905, 0.410_588_095],
            _ => [0.583_411_891, 0.416_588_109],
        };
        assert!(close(&weights.weights(), want), "step {}: {:?} is not {want:?}", step + 1, weights.weights());
    }
}

#[test]
fn where_nobody_is_ever_right_the_weights_stay() {
    let mut weights = preset();
    let (a, b) = ([0.9, 0.1].repeat(20), [0.8, 0.2].repeat(20));
    let evidence = Evidence::probabilities(2, &[&a, &b]).expect("two sources");
    weights.update(&evidence, &[Some(1); 20]).expect("a valid stream");
    assert_eq!(weights.weights(), [0.6, 0.4]);
}

#[test]
fn start_weights_are_normalised() {
    let reliability = ReliabilityOptions::default();
    let options = WeightsOptions { start: vec![3.0, 1.0, 0.0], warm_up: 0, alpha: 0.5, reliability };
    let mut weights = Weights::new(options).expect("valid options");
    assert_eq!(weights.weights(), [0.75, 0.25, 0.0]);
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.4, 0.6], &[0.3, 0.7]]).expect("three sources");
    weights.update(&evidence, &[Some(0)]).expect("a valid item");
    // Reliabilities of 2/3, 1/3 and 1/3 are shares of 1/2, 1/4 and 1/4.
    assert_eq!(weights.weights(), [0.625, 0.25, 0.125]);
}
