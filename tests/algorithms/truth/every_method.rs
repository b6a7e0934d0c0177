//! What holds of every method.

use consilience::truth::{ABSTAINED, Annotations, Averaged, DawidSkene, Fit, Known, LogOdds, Method, majority};
use consilience::{Engine, Result};
use proptest::prelude::*;

use crate::support::annotated::Annotated;
use crate::support::cases::config;
use crate::support::engines;

/// A distribution of each item, an objective that never falls, a skill of each source.
pub fn check(case: &str, annotations: &Annotations, fit: &Fit) {
    assert_eq!(fit.posterior().len(), annotations.items() * annotations.classes(), "{case}");
    for row in fit.posterior().chunks_exact(annotations.classes()) {
        assert!(row.iter().all(|p| (0.0..=1.0 + 1e-6).contains(p)), "{case}: {row:?}");
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{case}: {row:?}");
    }
    let is_one = !fit.objective().is_empty() && fit.objective().iter().all(|value| value.is_finite());
    assert!(is_one, "{case}: {:?}", fit.objective());
    let falls = |pair: &[f64]| pair[1] < pair[0] - 1e-6 * pair[0].abs().max(1.0);
    assert!(!fit.objective().windows(2).any(falls), "{case}: {:?}", fit.objective());
    assert_eq!(fit.skill().len(), annotations.sources(), "{case}");
    assert!(fit.skill().iter().all(|skill| skill.is_finite()), "{case}: {:?}", fit.skill());
}

#[test]
fn names_are_theirs() {
    assert_eq!(Method::all().map(|method| method.name()).collect::<Vec<_>>(), Method::NAMES);
    let error = "dawid".parse::<Method>().expect_err("no such method").to_string();
    assert!(error.starts_with("there is no method `dawid`; there are majority, wawa, "), "{error}");
}

#[test]
fn the_least_there_can_be() -> Result<()> {
    let lone = Annotations::new(3, &[0], &[0], &[2])?;
    let cases = [
        ("nobody says anything", Annotations::new(2, &[0, 1], &[0, 0], &[ABSTAINED; 2])?),
        ("one class", Annotations::new(1, &[0, 1, 1], &[0, 0, 1], &[0; 3])?),
        ("one annotation", lone.clone()),
        ("one label alone", Annotations::new(4, &[0, 1, 1, 2], &[0, 0, 1, 2], &[3; 4])?),
        ("an item and a source without any", Annotations::new(2, &[0, 0, 2], &[0, 1, 3], &[0, 1, 1])?),
        ("the same said twice", Annotations::new(2, &[0, 0, 0], &[0, 0, 0], &[1, 1, 0])?),
    ];
    for (name, engine) in engines::all() {
        for method in Method::all() {
            for (what, annotations) in &cases {
                let fit = method.fit_with(engine, annotations, &Known::default())?;
                check(&format!("{name}, {method}, {what}"), annotations, &fit);
            }
            let fit = method.fit_with(engine, &lone, &Known::default())?;
            // KOS believes nobody whom nobody else confirms.
            let believed = method.name() == "kos" || fit.decision() == [2];
            assert!(believed, "{name}, {method}: {:?}", fit.posterior());
        }
    }
    Ok(())
}

/// Who is right when most are: all methods agree but on a few items, and believe what they are told.
#[test]
fn good_sources_are_believed() -> Result<()> {
    let mut of = Annotated::random(400, 20, 7, 2, 0.05, 31);
    for i in 0..of.labels.len() {
        if of.labels[i] != ABSTAINED && of.sources[i] < 12 {
            of.labels[i] = of.truth[of.items[i] as usize];
        }
    }
    let annotations = of.annotations();
    let gold: Vec<(u32, u32)> = (0..40).map(|item| (item, 1 - of.truth[item as usize])).collect();
    for (name, engine) in engines::all() {
        for method in Method::all() {
            let fit = method.fit_with(engine, &annotations, &Known::default())?;
            check(&format!("{name}, {method}"), &annotations, &fit);
            let right = fit.decision().iter().zip(&of.truth).filter(|(a, b)| a == b).count();
            assert!(right >= 388, "{name}, {method}: {right} of 400");
            assert_eq!(fit, method.fit_with(engine, &annotations, &Known::default())?, "{name}, {method}: twice");
            let told = method.fit_with(engine, &annotations, &Known { gold: &gold, ..Known::default() })?;
            check(&format!("{name}, {method}, told"), &annotations, &told);
            for &(item, class) in &gold {
                assert!(told.posterior()[item as usize * 2 + class as usize] > 0.999, "{name}, {method}: item {item}");
            }
        }
    }
    Ok(())
}

#[test]
fn all_refuse_what_cannot_be_known() -> Result<()> {
    let annotations = Annotations::new(2, &[0, 1], &[0, 0], &[0, 1])?;
    let engine = Engine::cpu()?;
    for method in Method::all() {
        let refused = |known: Known<'_>| match method.fit_with(&engine, &annotations, &known) {
            Ok(fit) => panic!("{method}: {fit:?}"),
            Err(error) => error,
        };
        let contradiction = refused(Known { gold: &[(0, 1), (0, 0)], ..Known::default() });
        assert!(contradiction.to_string().contains("of class 1 and of class 0"), "{method}: {contradiction}");
        assert!(refused(Known { gold: &[(0, 2)], ..Known::default() }).is_label(), "{method}");
        assert!(refused(Known { gold: &[(2, 0)], ..Known::default() }).is_truth(), "{method}");
        if method.name() == "majority" {
            // It knows nothing of sources.
            continue;
        }
        assert!(refused(Known { counts: &[1.0; 3], ..Known::default() }).is_shape(), "{method}");
        assert!(refused(Known { counts: &[1.0, 1.0, f32::NAN, 1.0], ..Known::default() }).is_truth(), "{method}");
    }
    Ok(())
}

#[test]
fn the_average_is_that_of_its_parts() -> Result<()> {
    let of = Annotated::random(300, 15, 4, 3, 0.1, 33);
    let annotations = of.annotations();
    let gold = [(3, 1), (8, 2)];
    let known = Known { gold: &gold, ..Known::default() };
    for (name, engine) in engines::all() {
        let fit = Averaged::default().fit_with(engine, &annotations, &known)?;
        let dawid_skene = DawidSkene::default().fit_with(engine, &annotations, &known)?;
        let log_odds = LogOdds::default().fit_with(&annotations, &known)?;
        let mut shares = majority(&annotations);
        for (item, class) in gold {
            (0..3).for_each(|k| shares[item as usize * 3 + k] = if k == class as usize { 1.0 } else { 0.0 });
        }
        for (place, &got) in fit.posterior().iter().enumerate() {
            let want = (shares[place] + log_odds.posterior()[place] + dawid_skene.posterior()[place]) / 3.0;
            assert!((got - want).abs() < 1e-6, "{name}: {place} is {got}, {want}");
        }
        assert_eq!((fit.skill(), fit.objective()), (dawid_skene.skill(), dawid_skene.objective()), "{name}");
    }
    Ok(())
}

/// Of sources that err together Dawid and Skene's method is too sure; the truth of a few items says how much.
#[test]
fn a_temperature_is_fitted_to_what_is_known() -> Result<()> {
    let mut of = Annotated::random(1000, 12, 6, 2, 0.0, 34);
    // Half of the sources copy one of them.
    for item in 0..1000 {
        let of_item: Vec<usize> = (0..of.items.len()).filter(|&i| of.items[i] == item).collect();
        for &i in &of_item[3..] {
            of.labels[i] = of.labels[of_item[0]];
        }
    }
    let truth: Vec<(u32, u32)> = (0..1000).map(|item| (item, of.truth[item as usize])).collect();
    let engine = Engine::cpu()?;
    let fit = DawidSkene::default().fit(&engine, &of.annotations())?;
    let temperature = fit.temperature(&truth[..500])?;
    assert!(temperature.value() > 1.5, "{temperature:?}");
    let tempered = fit.clone().tempered(&temperature)?;
    assert_eq!(tempered.decision(), fit.decision());
    let nll = |fit: &Fit| -> f64 {
        let of_item =
            |&(item, class): &(u32, u32)| -f64::from(fit.posterior()[item as usize * 2 + class as usize]).ln();
        truth[500..].iter().map(of_item).sum::<f64>() / 500.0
    };
    assert!(nll(&tempered) < 0.8 * nll(&fit), "{} {}", nll(&tempered), nll(&fit));
    assert!(fit.temperature(&[(1000, 0)]).expect_err("no such item").is_truth());
    assert!(fit.temperature(&[(0, 2)]).expect_err("no such class").is_label());
    assert!(fit.temperature(&[]).is_err());
    Ok(())
}

proptest! {
    #![proptest_config(config(40))]

    /// Whatever is said by whom.
    #[test]
    fn any_annotations(
        classes in 1_usize..5,
        triples in prop::collection::vec((0_u32..6, 0_u32..5, 0_u32..9), 1..40),
    ) {
        let column = |of: fn(&(u32, u32, u32)) -> u32| triples.iter().map(of).collect::<Vec<_>>();
        let labels: Vec<u32> =
            triples.iter().map(|t| if t.2 == 8 { ABSTAINED } else { t.2 % classes as u32 }).collect();
        let annotations = Annotations::new(classes, &column(|t| t.0), &column(|t| t.1), &labels).expect("valid annotations");
        let engine = &engines::all()[0].1;
        for method in Method::all() {
            let fit = method.fit_with(engine, &annotations, &Known::default()).expect("a fit");
            check(&format!("{method}: {triples:?}"), &annotations, &fit);
        }
    }
}
