//! What every method on the host promises, whatever the annotations.

use consilience::Result;
use consilience::truth::{
    ABSTAINED, Annotations, AnnotationsOptions, Fit, LogOdds, Mace, Majority, Wawa, ZeroBasedSkill,
};

use crate::support::crowd::Crowd;

type Method = (&'static str, fn(&Annotations) -> Result<Fit>);

/// Every one that takes any number of classes.
const METHODS: &[Method] = &[
    ("majority", |a| Majority::default().fit(a)),
    ("wawa", |a| Wawa.fit(a)),
    ("zero-based skill", |a| ZeroBasedSkill::default().fit(a)),
    ("log-odds", |a| LogOdds::default().fit(a)),
    ("mace", |a| Mace::default().fit(a)),
];

/// Fails if two posteriors differ by more than rounding.
fn same(name: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{name}");
    for (place, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= 1e-6, "{name}: {a} and {b} in place {place}");
    }
}

#[test]
fn the_order_of_annotations_is_irrelevant() {
    let crowd = Crowd::random(600, 12, 4, 3);
    for (name, fit) in METHODS {
        let (a, b) = (fit(&crowd.annotations()), fit(&crowd.shuffled(9).annotations()));
        assert_eq!(a.expect("a fit"), b.expect("a fit"), "{name}");
    }
}

#[test]
fn other_names_of_classes_are_other_names_in_the_answer() {
    let crowd = Crowd::random(600, 12, 3, 4);
    for (name, fit) in METHODS {
        let (a, b) =
            (fit(&crowd.annotations()).expect("a fit"), fit(&crowd.relabelled().annotations()).expect("a fit"));
        let renamed: Vec<f32> = a.posterior().chunks(3).flat_map(|row| [row[2], row[0], row[1]]).collect();
        same(name, &renamed, b.posterior());
    }
}

#[test]
fn the_objective_never_falls() {
    for (seed, classes) in [(1, 2), (2, 4), (3, 7)] {
        let annotations = Crowd::random(500, 15, classes, seed).annotations();
        for (name, fit) in METHODS {
            let fit = fit(&annotations).expect("a fit");
            for pair in fit.objective().windows(2) {
                assert!(pair[1] >= pair[0] - 1e-12 * pair[0].abs(), "{name} fell from {} to {}", pair[0], pair[1]);
            }
        }
    }
}

#[test]
fn an_item_without_votes_is_of_any_class() {
    let options = AnnotationsOptions { items: Some(4), sources: Some(5), ..AnnotationsOptions::default() };
    let annotations =
        Annotations::with(3, &[0, 0, 1, 2], &[0, 1, 0, 3], &[2, 2, 2, ABSTAINED], &options).expect("fine");
    for (name, fit) in METHODS {
        let fit = fit(&annotations).expect("a fit");
        assert_eq!(fit.posterior()[6..], [1.0_f32 / 3.0; 6], "{name}");
        assert_eq!(fit.decision()[..2], [2, 2], "{name}");
        assert_eq!(fit.skill().len(), 5, "{name}");
        assert!(fit.skill().iter().chain(fit.objective()).all(|x| x.is_finite()), "{name}: {fit:?}");
    }
}

#[test]
fn a_tie_is_even() {
    let annotations = Annotations::new(2, &[0, 0], &[0, 1], &[0, 1]).expect("fine");
    for (name, fit) in METHODS {
        // Drawn beginnings tell two sources apart, by less each iteration.
        let posterior = fit(&annotations).expect("a fit").posterior().to_vec();
        assert!(posterior.iter().all(|p| (p - 0.5).abs() <= 1e-5), "{name}: {posterior:?}");
    }
}

#[test]
fn of_one_class_all_is_certain() {
    let annotations = Annotations::new(1, &[0, 0, 1, 2], &[0, 1, 0, 1], &[0, 0, 0, ABSTAINED]).expect("fine");
    for (name, fit) in METHODS {
        let fit = fit(&annotations).expect("a fit");
        assert_eq!(fit.posterior(), [1.0; 3], "{name}");
        assert!(fit.skill().iter().chain(fit.objective()).all(|x| x.is_finite()), "{name}: {fit:?}");
    }
}

#[test]
fn many_votes_that_agree_stay_finite() {
    let sources: Vec<u32> = (0..3000).collect();
    let (items, labels) = (vec![0; 3000], vec![1; 3000]);
    let annotations = Annotations::new(2, &items, &sources, &labels).expect("fine");
    for (name, fit) in METHODS {
        let fit = fit(&annotations).expect("a fit");
        assert!(fit.posterior()[1] > 0.99, "{name}: {:?}", fit.posterior());
        assert!(fit.skill().iter().chain(fit.objective()).all(|x| x.is_finite()), "{name}");
    }
}
