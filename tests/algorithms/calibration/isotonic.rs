//! Isotonic curves against the min-max formula, and the rows they correct.

use consilience::calibration::{Curve, Isotonic};
use proptest::prelude::*;

use super::{World, refuses, saved, worlds};
use crate::support::cases::config;
use crate::support::problem::Random;

/// For each point the value of the isotonic regression: over the distinct x, max over j <= i of min over k >= i of the
/// weighted mean of y from j to k.
fn min_max(points: &[(f64, f64, f64)]) -> Vec<f64> {
    let mut x: Vec<f64> = points.iter().map(|p| p.0).collect();
    x.sort_by(f64::total_cmp);
    x.dedup();
    let mean = |low: f64, high: f64| {
        let inside = || points.iter().filter(|p| (low..=high).contains(&p.0));
        inside().map(|p| p.1 * p.2).sum::<f64>() / inside().map(|p| p.2).sum::<f64>()
    };
    let value = |at: f64| {
        let least = |low: f64| x.iter().filter(|&&k| k >= at).map(|&k| mean(low, k)).fold(f64::MAX, f64::min);
        x.iter().filter(|&&j| j <= at).map(|&j| least(j)).fold(f64::MIN, f64::max)
    };
    points.iter().map(|p| value(p.0)).collect()
}

#[test]
fn the_formula_itself() {
    let points = [(1.0, 1.0, 1.0), (2.0, 3.0, 1.0), (3.0, 2.0, 3.0), (3.0, 2.0, 1.0), (5.0, 9.0, 1.0)];
    assert_eq!(min_max(&points), [1.0, 2.2, 2.2, 2.2, 9.0]);
}

#[test]
fn a_curve_by_hand() {
    // The two at 3 are pooled first; they and the one at 2 then share the mean 11/5.
    let curve = Curve::fit(&[3.0, 1.0, 5.0, 2.0, 3.0], &[2.0, 1.0, 9.0, 3.0, 2.0], &[3.0, 1.0, 1.0, 1.0, 1.0]);
    let curve = curve.expect("points");
    let knots: Vec<(f64, f64)> = curve.knots().collect();
    assert_eq!(knots.iter().map(|k| k.0).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 5.0]);
    for ((_, y), want) in knots.iter().zip([1.0, 2.2, 2.2, 9.0]) {
        assert!((y - want).abs() < 1e-15, "{y}, not {want}");
    }
    assert!((curve.at(4.0) - 5.6).abs() < 1e-14 && (curve.at(1.5) - 1.6).abs() < 1e-15);
    assert_eq!([f64::NEG_INFINITY, 0.0, 6.0, f64::INFINITY, f64::NAN].map(|x| curve.at(x)), [1.0, 1.0, 9.0, 9.0, 1.0]);
    let level = Curve::fit(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], &[1.0; 3]).expect("points");
    assert_eq!(level.knots().collect::<Vec<_>>(), [(1.0, 2.0), (3.0, 2.0)]);
}

#[test]
fn points_that_are_none() {
    let says = |x: &[f64], y: &[f64], weights: &[f64], text: &str| {
        let error = Curve::fit(x, y, weights).expect_err("this must be refused").to_string();
        assert!(error.contains(text), "{error}");
    };
    says(&[], &[], &[], "there are no items");
    says(&[1.0], &[], &[1.0], "the list of y has 0 entries, 1 are needed");
    says(&[1.0], &[1.0], &[1.0; 2], "the list of weights has 2 entries, 1 are needed");
    says(&[1.0, f64::NAN], &[1.0; 2], &[1.0; 2], "the x of point 1 is NaN");
    says(&[1.0; 2], &[f64::INFINITY, 1.0], &[1.0; 2], "the y of point 0 is inf");
    says(&[1.0; 2], &[1.0; 2], &[1.0, 0.0], "the weight of point 1 is 0");
}

#[test]
fn rows_are_corrected_and_renormalised() {
    let mut world = World { classes: 3, posterior: [0.5, 0.25, 0.25].repeat(4), labels: vec![0, 0, 0, 1] };
    let isotonic = Isotonic::fit(&world.labelled());
    assert_eq!((isotonic.classes(), isotonic.items(), isotonic.is_of_few_items()), (3, 4, true));
    isotonic.apply(&mut world.posterior).expect("distributions");
    assert_eq!(world.posterior, [0.75, 0.25, 0.0].repeat(4));
    // The first class is right above 0.5 only, the second never: both curves say zero to the second row.
    let world = World { classes: 2, posterior: vec![1.0, 0.0, 0.5, 0.5, 0.5, 0.5], labels: vec![0, 1, 1] };
    let mut rows = vec![1.0, 0.0, 0.75, 0.25, 0.0, 1.0];
    Isotonic::fit(&world.labelled()).apply(&mut rows).expect("distributions");
    assert_eq!(rows, [1.0, 0.0, 0.5, 0.5, 0.0, 1.0]);
    let nothing = World { classes: 3, posterior: vec![0.0, 0.5, 0.5, 0.5, 0.0, 0.5], labels: vec![0, 1] };
    let mut rows = vec![0.25, 0.25, 0.5, 0.5, 0.5, 0.0];
    Isotonic::fit(&nothing.labelled()).apply(&mut rows).expect("distributions");
    assert!(rows.iter().all(|p| p.is_finite()) && (rows[..3].iter().sum::<f32>() - 1.0).abs() < 1e-6, "{rows:?}");
    let one_class = World { classes: 1, posterior: vec![1.0; 2], labels: vec![0; 2] };
    let mut rows = vec![1.0; 5];
    Isotonic::fit(&one_class.labelled()).apply(&mut rows).expect("distributions");
    assert_eq!(rows, [1.0; 5]);
}

#[test]
fn a_row_to_which_every_curve_says_zero_stays() {
    let zeros = "{\"x\":[0.0,1.0],\"y\":[0.0,0.0]}";
    let json = format!("{{\"items\":2,\"curves\":[{zeros},{zeros}]}}");
    let silent: Isotonic = serde_json::from_str(&json).expect("curves of zeros");
    let mut rows = vec![0.75, 0.25];
    silent.apply(&mut rows).expect("a distribution");
    assert_eq!(rows, [0.75, 0.25]);
}

#[test]
fn too_sure_becomes_calibrated() {
    let world = World::drawn(20_000, 3, 3.0, 1);
    let (fit, mut test) = (world.part(0, 10_000), world.part(10_000, 20_000));
    let before = consilience::calibration::ece(&test.labelled(), 15).expect("bins");
    let isotonic = Isotonic::fit(&fit.labelled());
    assert!(!isotonic.is_of_few_items());
    isotonic.apply(&mut test.posterior).expect("distributions");
    let after = consilience::calibration::ece(&test.labelled(), 15).expect("bins");
    assert!(before > 0.08 && after < 0.03, "{before} became {after}");
}

#[test]
fn saved_and_refused() {
    let fitted = Isotonic::fit(&World::drawn(200, 3, 2.0, 1).labelled());
    assert_eq!(saved(&fitted), fitted);
    let curve = Curve::fit(&[1.0, 2.0], &[0.0, 0.5], &[1.0; 2]).expect("points");
    let cases = [
        ("[0.0,0.5]", "[0.5,0.0]", "its knots do not rise"),
        ("[1.0,2.0]", "[1.0,1.0]", "its knots do not rise"),
        ("[1.0,2.0]", "[1.0]", "it has 1 x and 2 y"),
        ("[1.0,2.0]", "[1.0,1e200]", "knot 1 is not within"),
    ];
    refuses(&curve, &cases);
    let one = Isotonic::fit(&World { classes: 1, posterior: vec![1.0], labels: vec![0] }.labelled());
    let cases = [
        ("\"y\":[1.0]", "\"y\":[2.0]", "the curve of class 0 leaves [0, 1]"),
        ("[{\"x\":[1.0],\"y\":[1.0]}]", "[]", "it has no classes"),
    ];
    refuses(&one, &cases);
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn the_min_max_formula_says_the_same(n in 1..40_usize, distinct in 1..40_usize, seed: u64) {
        let mut random = Random::new(seed);
        let mut point = || {
            let x = random.below(distinct) as f64;
            (x, f64::from(random.unit()) + 0.02 * x, f64::from(random.unit()) + 0.01)
        };
        let points: Vec<_> = (0..n).map(|_| point()).collect();
        let column = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(of).collect::<Vec<_>>();
        let curve = Curve::fit(&column(|p| p.0), &column(|p| p.1), &column(|p| p.2)).expect("points");
        for (point, want) in points.iter().zip(min_max(&points)) {
            prop_assert!((curve.at(point.0) - want).abs() < 1e-12, "{} is {}, not {}", point.0, curve.at(point.0), want);
        }
    }

    #[test]
    fn curves_rise_and_rows_are_distributions(world in worlds()) {
        let isotonic = Isotonic::fit(&world.labelled());
        for curve in isotonic.curves() {
            let values: Vec<f64> = (-10..=110).map(|x| curve.at(f64::from(x) / 100.0)).collect();
            prop_assert!(values.is_sorted() && values.iter().all(|y| (0.0..=1.0).contains(y)), "{:?}", values);
        }
        let mut posterior = world.posterior.clone();
        isotonic.apply(&mut posterior).expect("distributions");
        for row in posterior.chunks(world.classes) {
            prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row.iter().all(|&p| p >= 0.0), "{:?}", row);
        }
    }
}
