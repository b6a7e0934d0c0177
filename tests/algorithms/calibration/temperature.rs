//! The fitted temperature against a golden-section search, and at its limits.

use consilience::Evidence;
use consilience::calibration::{Ending, Temperature, nll, temperatures_of_sources};
use proptest::prelude::*;

use super::{World, argmax, refuses, saved, worlds};
use crate::support::cases::config;

/// Mean of -ln softmax(ln max(p, 1e-7) / T)_y.
fn objective(world: &World, temperature: f64) -> f64 {
    let of_item = |(row, label): (&[f32], usize)| {
        let logits: Vec<f64> = row.iter().map(|&p| f64::from(p.clamp(1e-7, 1.0)).ln() / temperature).collect();
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + logits.iter().map(|z| (z - most).exp()).sum::<f64>().ln() - logits[label]
    };
    world.rows().map(of_item).sum::<f64>() / world.labels.len() as f64
}

/// The least objective over ln T by golden sections.
fn golden(world: &World) -> f64 {
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (Temperature::LEAST.ln(), Temperature::MOST.ln());
    for _ in 0..80 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if objective(world, a.exp()) < objective(world, b.exp()) { high = b } else { low = a }
    }
    f64::midpoint(low, high).exp()
}

#[test]
fn golden_sections_find_the_same() {
    for (classes, sharpness, seed) in [(2, 1.0, 1), (2, 4.0, 2), (3, 0.3, 3), (10, 2.0, 4), (50, 1.5, 5), (5, 12.0, 6)]
    {
        let world = World::drawn(500, classes, sharpness, seed);
        let fitted = Temperature::fit(&world.labelled());
        let (got, want) = (f64::from(fitted.value()), golden(&world));
        assert!((got / want - 1.0).abs() < 1e-6, "{classes} classes, {sharpness}: {got}, not {want}");
        assert!((fitted.nll_after() - objective(&world, want)).abs() < 1e-12);
        assert!((fitted.nll_before() - objective(&world, 1.0)).abs() < 1e-12);
        assert_eq!((fitted.ending(), fitted.items()), (Ending::Converged, 500));
        assert!(fitted.iterations() <= 20, "{} iterations", fitted.iterations());
    }
}

#[test]
fn what_was_sharpened_is_found() {
    for sharpness in [0.5, 1.0, 2.5] {
        let world = World::drawn(40_000, 4, sharpness, 9);
        let fitted = f64::from(Temperature::fit(&world.labelled()).value());
        assert!((fitted / sharpness - 1.0).abs() < 0.05, "{fitted} of {sharpness}");
    }
}

/// The fit to a few rows of two classes, all the same.
fn of_rows(row: [f32; 2], labels: &[u32]) -> Temperature {
    let world = World { classes: 2, posterior: row.repeat(labels.len()), labels: labels.to_vec() };
    Temperature::fit(&world.labelled())
}

#[test]
fn at_the_limits() {
    let right = of_rows([0.75, 0.25], &[0; 8]);
    assert_eq!((right.value(), right.ending()), (0.05, Ending::AtLeast));
    assert!(right.nll_after() < 1e-9 && right.is_of_few_items());
    let wrong = of_rows([0.75, 0.25], &[1; 8]);
    assert_eq!((wrong.value(), wrong.ending()), (100.0, Ending::AtMost));
    assert!((wrong.nll_after() - 2_f64.ln()).abs() < 0.01);
    let impossible = of_rows([1.0, 0.0], &[1; 3]);
    assert_eq!((impossible.value(), impossible.ending()), (100.0, Ending::AtMost));
    let flat = of_rows([0.5, 0.5], &[0, 1, 1]);
    assert_eq!((flat.value(), flat.ending(), flat.nll_before()), (1.0, Ending::Flat, 2_f64.ln()));
    let one_class = World { classes: 1, posterior: vec![1.0; 3], labels: vec![0; 3] };
    let one_class = Temperature::fit(&one_class.labelled());
    assert_eq!((one_class.value(), one_class.ending(), one_class.nll_after()), (1.0, Ending::Flat, 0.0));
    let exact = of_rows([0.75, 0.25], &[0, 0, 0, 1]);
    assert_eq!((exact.value(), exact.ending()), (1.0, Ending::Converged));
    let hundred = World::drawn(100, 3, 1.0, 1);
    assert!(!Temperature::fit(&hundred.labelled()).is_of_few_items());
    assert!(Temperature::fit(&hundred.part(0, 99).labelled()).is_of_few_items());
}

#[test]
fn a_rounding_apart_is_still_decided_alike() {
    let higher = 0.5_f32.next_up();
    let hot = of_rows([0.75, 0.25], &[1; 8]);
    let mut rows = [0.5, higher, higher, 0.5, 0.5, 0.5, 1.0, 0.0];
    hot.apply(2, &mut rows).expect("distributions");
    let decisions: Vec<usize> = rows.chunks(2).map(argmax).collect();
    assert_eq!(decisions, [1, 0, 0, 0]);
    assert!(rows[7] > 0.4, "{rows:?}");
}

#[test]
fn each_source_by_what_it_said() {
    let worlds = [World::drawn(300, 3, 2.0, 1), World::drawn(300, 3, 0.5, 2)];
    let labels = &worlds[0].labels;
    let present: Vec<bool> = (0..300).map(|item| item % 3 != 0).collect();
    let mut holed = worlds[1].posterior.clone();
    holed.chunks_mut(3).zip(&present).filter(|(_, present)| !**present).for_each(|(row, _)| row.fill(f32::NAN));
    let nobody = [false; 300];
    let evidence = Evidence::probabilities(3, &[&worlds[0].posterior, &holed, &holed])
        .and_then(|e| e.with_presence(1, &present)?.with_presence(2, &nobody))
        .expect("300 items");
    let fitted = temperatures_of_sources(&evidence, labels).expect("valid evidence");
    assert_eq!(fitted[0], Temperature::fit(&worlds[0].labelled()));
    let mut subset = World { classes: 3, posterior: Vec::new(), labels: Vec::new() };
    for item in (0..300).filter(|item| item % 3 != 0) {
        subset.posterior.extend(&worlds[1].posterior[item * 3..][..3]);
        subset.labels.push(labels[item]);
    }
    assert_eq!(fitted[1], Temperature::fit(&subset.labelled()));
    assert_eq!((fitted[1].items(), fitted[2].items(), fitted[2].value()), (200, 0, 1.0));
    assert_eq!((fitted[2].ending(), fitted[2].is_of_few_items()), (Ending::Flat, true));

    let short = temperatures_of_sources(&evidence, &labels[1..]).expect_err("a label is missing");
    assert!(short.is_shape() && short.to_string() == "labels has 299 entries, 300 are needed", "{short}");
    let mut beyond = labels.clone();
    beyond[7] = 3;
    let beyond = temperatures_of_sources(&evidence, &beyond).expect_err("a label is out of range").to_string();
    assert_eq!(beyond, "the label of item 7 is 3, which is no class; classes are 0 to 2");
    let evidence = Evidence::probabilities(3, &[&worlds[0].posterior, &holed]).expect("300 items");
    let invalid = temperatures_of_sources(&evidence, labels).expect_err("an opinion is invalid");
    assert_eq!(invalid.invalid_opinion().map(|o| (o.source, o.item, o.class)), Some((1, 0, Some(0))));
}

#[test]
fn saved_and_refused() {
    let fitted = Temperature::fit(&World::drawn(200, 3, 2.0, 1).labelled());
    assert_eq!(saved(&fitted), fitted);
    let cases = [
        ("\"value\":", "\"value\":1000", "outside [0.05, 100]"),
        ("\"nll_after\":", "\"nll_after\":9", "negative log-likelihood went from"),
        ("\"converged\"", "\"done\"", "unknown variant"),
    ];
    refuses(&fitted, &cases);
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn no_decision_changes_and_no_likelihood_is_lost(world in worlds()) {
        let fitted = Temperature::fit(&world.labelled());
        prop_assert!(fitted.nll_after() <= fitted.nll_before());
        prop_assert!((fitted.nll_after() - objective(&world, f64::from(fitted.value()))).abs() < 1e-6);
        let mut tempered = world.clone();
        fitted.apply(world.classes, &mut tempered.posterior).expect("distributions");
        prop_assert!(nll(&tempered.labelled()) <= nll(&world.labelled()) + 1e-5);
        for ((before, _), (after, _)) in world.rows().zip(tempered.rows()) {
            prop_assert_eq!(argmax(before), argmax(after));
            prop_assert!((after.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
