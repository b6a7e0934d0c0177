//! What every method on the host promises, whatever the annotations.

use consilience::Result;
use consilience::truth::{ABSTAINED, Annotations, AnnotationsOptions, Fit, Known, Method, Wawa};

use super::Told;
use super::every_method::check;
use crate::support::annotated::Annotated;
use crate::support::engines;

/// The methods that need no engine.
const ON_THE_HOST: [&str; 8] = ["majority", "wawa", "zero_based_skill", "log_odds", "mace", "glad", "triplets", "kos"];

/// A method by its name, fitted.
fn fit(name: &str, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
    let engine = &engines::all()[0].1;
    name.parse::<Method>()?.fit_with(engine, annotations, known)
}

/// With nothing known.
fn fits(annotations: &Annotations) -> impl Iterator<Item = (&'static str, Fit)> {
    ON_THE_HOST.iter().map(|name| (*name, fit(name, annotations, &Known::default()).expect("a fit")))
}

/// Fails unless it is what every method promises, and posteriors are distributions to the last bit.
fn sound(name: &str, annotations: &Annotations, fit: &Fit) {
    check(name, annotations, fit);
    assert!(fit.posterior().iter().all(|p| (0.0..=1.0).contains(p)), "{name}: {fit:?}");
}

/// Fails if two posteriors differ by more than rounding.
fn same(name: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{name}");
    for (place, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= 1e-6, "{name}: {a} and {b} in place {place}");
    }
}

#[test]
fn the_order_of_annotations_is_irrelevant() {
    let crowd = Annotated::crowd(600, 12, 4, 3);
    for ((name, a), (_, b)) in fits(&crowd.annotations()).zip(fits(&crowd.shuffled(9).annotations())) {
        assert_eq!(a, b, "{name}");
        sound(name, &crowd.annotations(), &a);
    }
}

#[test]
fn other_names_of_classes_are_other_names_in_the_answer() {
    let crowd = Annotated::crowd(600, 12, 3, 4);
    for ((name, a), (_, b)) in fits(&crowd.annotations()).zip(fits(&crowd.relabelled().annotations())) {
        let renamed: Vec<f32> = a.posterior().chunks(3).flat_map(|row| [row[2], row[0], row[1]]).collect();
        same(name, &renamed, b.posterior());
    }
}

#[test]
fn the_objective_never_falls() {
    for (seed, classes) in [(1, 2), (2, 4), (3, 7)] {
        let crowd = Annotated::crowd(500, 15, classes, seed);
        for told in [Told::default(), Told::of(&crowd)] {
            for name in ON_THE_HOST {
                let fit = fit(name, &crowd.annotations(), &told.known()).expect("a fit");
                for pair in fit.objective().windows(2) {
                    assert!(pair[1] >= pair[0] - 1e-12 * pair[0].abs(), "{name} fell from {} to {}", pair[0], pair[1]);
                }
            }
        }
    }
}

#[test]
fn a_known_class_is_certain_and_teaches_whom_to_trust() {
    // Two sources and two others that contradict them; of two items the class is known, and the second pair knows it.
    let sources: Vec<u32> = (0..8).flat_map(|_| 0..4).collect();
    let items: Vec<u32> = (0..8).flat_map(|item| [item; 4]).collect();
    let labels: Vec<u32> = (0..8).flat_map(|item| [item % 2, item % 2, (item + 1) % 2, (item + 1) % 2]).collect();
    let annotations = Annotations::new(2, &items, &sources, &labels).expect("fine");
    let gold = [(0, 1), (1, 0)];
    for name in ON_THE_HOST {
        let fit = fit(name, &annotations, &Known { gold: &gold, ..Known::default() }).expect("a fit");
        assert_eq!(fit.posterior()[..4], [0.0, 1.0, 1.0, 0.0], "{name}");
        assert!(fit.skill()[2] > fit.skill()[0], "{name}: {:?}", fit.skill());
        if name != "majority" {
            assert_eq!(fit.decision(), [1, 0].repeat(4), "{name}");
        }
        sound(name, &annotations, &fit);
    }
}

#[test]
fn what_cannot_be_known_is_named() {
    let annotations = Annotated::crowd(100, 6, 3, 5).annotations();
    let earlier = Wawa.fit(&Annotated::crowd(100, 7, 3, 5).annotations()).expect("a fit");
    for name in ON_THE_HOST {
        let error = |known: Known<'_>| fit(name, &annotations, &known).expect_err("what cannot be known");
        assert!(error(Known { gold: &[(0, 3)], ..Known::default() }).is_label(), "{name}");
        assert!(error(Known { gold: &[(0, 1), (0, 2)], ..Known::default() }).is_truth(), "{name}");
        assert!(error(Known { gold: &[(20, 1)], ..Known::default() }).is_truth(), "{name}");
        if name != "majority" {
            assert!(error(Known { counts: &[1.0; 71], ..Known::default() }).is_shape(), "{name}");
            assert!(error(Known { counts: &[-1.0; 72], ..Known::default() }).is_truth(), "{name}");
        }
        if !["majority", "triplets"].contains(&name) {
            assert!(error(Known { warm: Some(&earlier), ..Known::default() }).is_shape(), "{name}");
        }
    }
}

/// Never right and never wrong, always right, always wrong; and sources that say nothing.
#[test]
fn extreme_counts_stay_finite() {
    let crowd = Annotated::crowd(200, 8, 2, 6);
    let annotations = crowd.annotations();
    let of = |right: f32, wrong: f32| [right, wrong, 0.0, wrong, right, 0.0].repeat(8);
    for (right, wrong) in [(0.0, 0.0), (1e6, 0.0), (0.0, 1e6), (1e30, 1e30)] {
        let counts = of(right, wrong);
        for name in ON_THE_HOST {
            let fit = fit(name, &annotations, &Known { counts: &counts, ..Known::default() }).expect("a fit");
            sound(name, &annotations, &fit);
        }
    }
}

#[test]
fn an_item_without_votes_is_of_any_class() {
    let options = AnnotationsOptions { items: Some(4), sources: Some(5), ..AnnotationsOptions::default() };
    let annotations =
        Annotations::with(3, &[0, 0, 1, 2], &[0, 1, 0, 3], &[2, 2, 2, ABSTAINED], &options).expect("fine");
    for (name, fit) in fits(&annotations) {
        sound(name, &annotations, &fit);
        assert_eq!(fit.posterior()[6..9], fit.posterior()[9..], "{name}");
        if PRIOR.contains(&name) {
            assert!(fit.posterior()[8] > fit.posterior()[6] && fit.posterior()[6] == fit.posterior()[7], "{name}");
        } else {
            assert_eq!(fit.posterior()[6..], [1.0_f32 / 3.0; 6], "{name}");
        }
        assert!(name == ALONE || fit.decision()[..2] == [2, 2], "{name}");
    }
}

/// To whom a source says nothing that nobody confirms elsewhere.
const ALONE: &str = "kos";

/// Those that find how frequent the classes are.
const PRIOR: [&str; 1] = ["mace"];

#[test]
fn a_tie_is_even() {
    let annotations = Annotations::new(2, &[0, 0], &[0, 1], &[0, 1]).expect("fine");
    for (name, fit) in fits(&annotations) {
        // Drawn beginnings tell two sources apart, by less each iteration.
        assert!(fit.posterior().iter().all(|p| (p - 0.5).abs() <= 1e-4), "{name}: {:?}", fit.posterior());
    }
}

#[test]
fn the_least_there_can_be() {
    let silent = Annotations::new(2, &[0, 1], &[0, 1], &[ABSTAINED; 2]).expect("fine");
    let mute = Annotations::new(1, &[0], &[0], &[ABSTAINED]).expect("fine");
    let lone = Annotations::new(3, &[0], &[0], &[2]).expect("fine");
    let one_label = Annotations::new(4, &[0, 0, 1, 1, 2], &[0, 1, 0, 1, 0], &[1; 5]).expect("fine");
    for annotations in [&silent, &mute, &lone, &one_label] {
        for (name, fit) in fits(annotations) {
            sound(name, annotations, &fit);
        }
    }
    for (name, fit) in fits(&one_label) {
        assert_eq!(fit.decision()[..2], [1; 2], "{name}: {:?}", fit.posterior());
    }
}

#[test]
fn of_one_class_all_is_certain() {
    let annotations = Annotations::new(1, &[0, 0, 1, 2], &[0, 1, 0, 1], &[0, 0, 0, ABSTAINED]).expect("fine");
    for (name, fit) in fits(&annotations) {
        assert_eq!(fit.posterior(), [1.0; 3], "{name}");
        sound(name, &annotations, &fit);
    }
}

#[test]
fn ten_thousand_votes_on_an_item_stay_finite() {
    let sources: Vec<u32> = (0..10_000).collect();
    let items = vec![0; 10_000];
    let labels: Vec<u32> = (0..10_000).map(|source| u32::from(source % 4 > 0)).collect();
    for labels in [labels, vec![1; 10_000]] {
        let annotations = Annotations::new(2, &items, &sources, &labels).expect("fine");
        for (name, fit) in fits(&annotations) {
            assert!(name == ALONE || fit.decision() == [1], "{name}: {:?}", fit.posterior());
            sound(name, &annotations, &fit);
        }
    }
}
