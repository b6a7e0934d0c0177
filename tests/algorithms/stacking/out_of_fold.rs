//! No item is answered by a model that saw its label.

use consilience::Encoding;
use consilience::stacking::{Folds, Stacking};

use super::Labelled;
use crate::support::engines;

/// By an implementation of its own of SplitMix64 and of the shuffle.
#[test]
fn a_seed_gives_the_same_folds_on_every_machine() {
    let split = |seed| Folds::split(10, 3, seed).expect("three folds");
    assert_eq!(split(7).of_items(), [2, 1, 2, 0, 0, 1, 0, 1, 2, 0]);
    assert_eq!(split(u64::MAX).of_items(), [2, 1, 0, 0, 2, 1, 0, 1, 0, 2]);
    let stratified = Folds::stratified(&[0, 1, 0, 1, 0, 1, 0, 1, 2, 2], 3, 7).expect("three folds");
    assert_eq!(stratified.of_items(), [0, 2, 1, 1, 2, 1, 0, 0, 0, 2]);
}

#[test]
fn a_folds_own_labels_do_not_reach_its_answers() {
    let labelled = Labelled::random(Encoding::Probabilities, 3, 300, 3, 7).with_holes(1);
    let folds = Folds::stratified(&labelled.labels, 3, 5).expect("three folds");
    for (name, engine) in engines::all() {
        let fit = |labels: &[u32]| {
            Stacking::default().out_of_fold(engine, &labelled.evidence(), labels, &folds).expect("labelled")
        };
        let honest = fit(&labelled.labels);
        let mut poisoned = labelled.labels.clone();
        for (label, &fold) in poisoned.iter_mut().zip(folds.of_items()) {
            *label = if fold == 1 { (*label + 1) % 3 } else { *label };
        }
        let other = fit(&poisoned);
        let of = |posterior: &[f32], fold: u32| -> Vec<Vec<f32>> {
            let rows = posterior.chunks(3).zip(folds.of_items());
            rows.filter(|(_, of)| **of == fold).map(|(row, _)| row.to_vec()).collect()
        };
        assert_eq!(of(honest.posterior(), 1), of(other.posterior(), 1), "{name}");
        assert_ne!(of(honest.posterior(), 0), of(other.posterior(), 0), "{name}");
        assert_ne!(of(honest.posterior(), 2), of(other.posterior(), 2), "{name}");
        assert!(other.nll() > honest.nll() + 0.1, "{name}");
    }
}

#[test]
fn a_fold_is_answered_by_the_model_of_the_others() {
    let labelled = Labelled::random(Encoding::Probabilities, 2, 64, 2, 3);
    let of_items: Vec<u32> = (0..64).map(|i| if i < 32 { 9 } else { 4 }).collect();
    let folds = Folds::given(&of_items).expect("two folds");
    assert_eq!(folds.distinct(), [4, 9]);
    for (name, engine) in engines::all() {
        let stacking = Stacking { tolerance: 1e-6, ..Stacking::default() };
        let answers = stacking.out_of_fold(engine, &labelled.evidence(), &labelled.labels, &folds).expect("labelled");
        let late: Vec<usize> = (32..64).collect();
        let model = stacking
            .fit(engine, &labelled.problem.select(&late).evidence(), &labelled.labels[32..])
            .expect("labelled")
            .model;
        let posterior = model.posterior(engine, &labelled.evidence()).expect("valid");
        for (a, b) in answers.posterior()[..64].iter().zip(&posterior) {
            assert!((a - b).abs() < 1e-3, "{name}");
        }
        let p = |i: usize| f64::from(answers.posterior()[2 * i + labelled.labels[i] as usize]);
        let nll = (0..64).map(|i| -p(i).ln()).sum::<f64>() / 64.0;
        assert!((answers.nll() - nll).abs() < 1e-12, "{name}");
        assert_eq!(answers.accuracy(), (0..64).filter(|&i| p(i) > 0.5).count() as f64 / 64.0, "{name}");
        assert_eq!(answers.fold_reports().len(), 2, "{name}");
        assert!(answers.report().converged, "{name}");
        let all = stacking.fit(engine, &labelled.evidence(), &labelled.labels).expect("labelled").model;
        assert_eq!(answers.into_model(), all, "{name}");
    }
}

#[test]
fn equal_posteriors_are_decided_for_the_lowest_class() {
    let plane = [0.5; 8];
    let evidence = consilience::Evidence::probabilities(2, &[&plane]).expect("a plane");
    let folds = Folds::given(&[0, 0, 1, 1]).expect("two folds");
    let (_, engine) = &engines::all()[0];
    let stacking = Stacking { max_iterations: 0, ..Stacking::default() };
    let answers = stacking.out_of_fold(engine, &evidence, &[0, 1, 1, 0], &folds).expect("labelled");
    assert_eq!((answers.accuracy(), answers.posterior()), (0.5, [0.5; 8].as_slice()));
    assert!((answers.nll() - 2.0_f64.ln()).abs() < 1e-7);
}

#[test]
fn folds_are_even_and_repeat() {
    let sizes = |folds: &Folds| {
        let count = |fold: &u32| folds.of_items().iter().filter(|f| *f == fold).count();
        folds.distinct().iter().map(count).collect::<Vec<_>>()
    };
    let split = Folds::split(11, 3, 1).expect("three folds");
    assert_eq!(sizes(&split), [4, 4, 3]);
    assert_eq!(split, Folds::split(11, 3, 1).expect("three folds"));
    assert_ne!(split, Folds::split(11, 3, 2).expect("three folds"));
    let labels: Vec<u32> = (0..60).map(|i| u32::from(i % 6 == 0)).collect();
    let stratified = Folds::stratified(&labels, 5, 1).expect("five folds");
    assert_eq!(sizes(&stratified), [12; 5]);
    for fold in 0..5 {
        let of_fold = stratified.of_items().iter().zip(&labels).filter(|(f, _)| **f == fold);
        assert_eq!(of_fold.map(|(_, &label)| label).sum::<u32>(), 2);
    }
    assert_ne!(stratified, Folds::stratified(&labels, 5, 2).expect("five folds"));
}
