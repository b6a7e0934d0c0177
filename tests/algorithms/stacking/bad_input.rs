//! What cannot be fitted says why.

use consilience::stacking::{Folds, LinearWeights, LogWeights, Selection, Stacked, Stacking};
use consilience::{Encoding, Error, Evidence, Result};

use super::Labelled;
use super::oracle::Oracle;
use crate::support::engines;

/// Every fit there is.
fn fits(evidence: &Evidence<'_>, labels: &[u32]) -> Vec<Result<()>> {
    let (_, engine) = &engines::all()[0];
    let folds = Folds::split(evidence.items().max(2), 2, 1).expect("two folds");
    vec![
        Stacking::default().fit(engine, evidence, labels).map(drop),
        Stacking::default().out_of_fold(engine, evidence, labels, &folds).map(drop),
        LinearWeights::default().fit(evidence, labels).map(drop),
        LogWeights::default().fit(evidence, labels).map(drop),
        Selection::default().fit(evidence, labels).map(drop),
    ]
}

fn refused(results: Vec<Result<()>>, is: fn(&Error) -> bool, why: &str) {
    for result in results {
        let error = result.expect_err(why);
        assert!(is(&error) && error.to_string().contains(why), "{error}");
    }
}

#[test]
fn labels_are_asked_for_counted_and_checked() {
    let labelled = Labelled::random(Encoding::Probabilities, 2, 20, 3, 1);
    let evidence = labelled.evidence();
    refused(fits(&evidence, &[]), Error::is_fit, "no labelled items");
    refused(
        fits(&evidence, &labelled.labels[1..]),
        Error::is_shape,
        "the list of labels has 19 entries where the evidence needs 20",
    );
    let mut labels = labelled.labels.clone();
    labels[5] = 3;
    let why = "the label of item 5 is 3, which is no class; classes are 0 to 2";
    refused(fits(&evidence, &labels), Error::is_label, why);
    let none = Evidence::probabilities(3, &[&[]]).expect("no items");
    refused(fits(&none, &[]), Error::is_fit, "no labelled items");
}

#[test]
fn an_invalid_opinion_is_named() {
    let mut labelled = Labelled::random(Encoding::Probabilities, 2, 40, 3, 1);
    labelled.problem.planes[1].f32s_mut()[33 * 3 + 2] = f32::NAN;
    refused(fits(&labelled.evidence(), &labelled.labels), Error::is_invalid_evidence, "source 1, item 33, class 2");
    let (_, engine) = &engines::all()[0];
    let model = Stacked::new(2, 3, vec![0.0; 18], vec![0.0; 3]).expect("a model");
    let error = model.posterior(engine, &labelled.evidence()).expect_err("an invalid opinion");
    assert_eq!(error.invalid_opinion().map(|o| (o.source, o.item, o.class)), Some((1, 33, Some(2))));
}

#[test]
fn every_class_needs_an_example() {
    let labelled = Labelled::random(Encoding::Probabilities, 2, 20, 3, 1);
    let (_, engine) = &engines::all()[0];
    let labels: Vec<u32> = labelled.labels.iter().map(|&label| label.min(1)).collect();
    let stacking = Stacking { l2: 0.01, tolerance: 1e-6, ..Stacking::default() };
    let refusal = stacking.fit(engine, &labelled.evidence(), &labels).map(drop);
    refused(vec![refusal], Error::is_fit, "no item is labelled 2");
    let mut labels = labels;
    labels[4] = 2;
    // One example is enough for the one minimum that there is.
    let model = stacking.fit(engine, &labelled.evidence(), &labels).expect("every class has an example").model;
    let posterior = model.posterior(engine, &labelled.evidence()).expect("valid");
    let oracle = Oracle::new(&labelled.evidence(), &labels, 0.01);
    let minimum = oracle.minimum();
    for (item, row) in posterior.chunks(3).enumerate() {
        for (got, want) in row.iter().zip(oracle.posterior(&minimum, item)) {
            assert!((f64::from(*got) - want).abs() < 1e-3, "item {item}: {got}, not {want}");
        }
    }
    let folds = Folds::given(&(0..20).map(|i| u32::from(i == 4 || i > 9) + 6).collect::<Vec<_>>()).expect("two folds");
    let result = Stacking::default().out_of_fold(engine, &labelled.evidence(), &labels, &folds).map(drop);
    refused(vec![result], Error::is_fit, "no item outside fold 7 is labelled 2");
    // Pools have no parameter per class.
    let fit = LinearWeights { tolerance: 1e-12, ..LinearWeights::default() }.fit(&labelled.evidence(), &[0; 20]);
    let says = |source: usize, item: usize| f64::from(labelled.problem.planes[source].f32s()[3 * item]);
    let nll = |w: f64| (0..20).map(|item| -(w * says(0, item) + (1.0 - w) * says(1, item)).ln()).sum::<f64>() / 20.0;
    let least = (0..=10_000).map(|i| f64::from(i) / 1e4).min_by(|&a, &b| nll(a).total_cmp(&nll(b))).expect("a grid");
    let fit = fit.expect("a pool");
    assert!((f64::from(fit.weights[0]) - least).abs() < 1e-3, "{:?}, not {least}", fit.weights);
    assert!((fit.nll[fit.nll.len() - 1] - nll(least)).abs() < 1e-6, "{:?}", fit.nll.last());
}

#[test]
fn somebody_has_to_say_something() {
    let plane = [f32::NAN; 6];
    let evidence = Evidence::probabilities(2, &[&plane]).and_then(|e| e.with_presence(0, &[false; 3])).expect("planes");
    let labels = [0, 1, 0];
    refused(vec![LinearWeights::default().fit(&evidence, &labels).map(drop)], Error::is_fit, "no source says anything");
    refused(vec![LogWeights::default().fit(&evidence, &labels).map(drop)], Error::is_fit, "no source says anything");
    refused(vec![Selection::default().fit(&evidence, &labels).map(drop)], Error::is_fit, "no source says anything");
    // A stacked model still has its bias: the share of each class.
    for (name, engine) in engines::all() {
        let model = Stacking::default().fit(engine, &evidence, &labels).expect("labelled").model;
        let posterior = model.posterior(engine, &evidence).expect("valid");
        assert!((posterior[0] - 2.0 / 3.0).abs() < 1e-4, "{name}: {posterior:?}");
    }
}

#[test]
fn folds_are_at_least_two_and_fit_the_items() {
    for result in [Folds::given(&[3, 3, 3]), Folds::split(1, 2, 0), Folds::split(9, 1, 0), Folds::stratified(&[], 2, 0)]
    {
        refused(vec![result.map(drop)], Error::is_fit, "need at least 2 folds that hold items");
    }
    let labelled = Labelled::random(Encoding::Probabilities, 2, 20, 3, 1);
    let (_, engine) = &engines::all()[0];
    let folds = Folds::split(19, 2, 0).expect("two folds");
    let result = Stacking::default().out_of_fold(engine, &labelled.evidence(), &labelled.labels, &folds).map(drop);
    refused(vec![result], Error::is_shape, "the list of folds has 19 entries where the evidence needs 20");
}

#[test]
fn options_stay_in_their_ranges() {
    let labelled = Labelled::random(Encoding::Probabilities, 2, 20, 3, 1);
    let (evidence, labels) = (labelled.evidence(), &labelled.labels);
    let (_, engine) = &engines::all()[0];
    for l2 in [-1.0, f64::NAN, f64::INFINITY] {
        let result = Stacking { l2, ..Stacking::default() }.fit(engine, &evidence, labels).map(drop);
        refused(vec![result], Error::is_spec, "it must be finite and not negative");
    }
    for tolerance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let result = Stacking { tolerance, ..Stacking::default() }.fit(engine, &evidence, labels).map(drop);
        refused(vec![result], Error::is_spec, "it must be finite and above zero");
        let result = LogWeights { tolerance, ..LogWeights::default() }.fit(&evidence, labels).map(drop);
        refused(vec![result], Error::is_spec, "it must be finite and above zero");
    }
    let result = LinearWeights { tolerance: f64::NAN, ..LinearWeights::default() }.fit(&evidence, labels).map(drop);
    refused(vec![result], Error::is_spec, "it must be finite and not negative");
    for selection in [Selection { rounds: 0, ..Selection::default() }, Selection { bags: 0, ..Selection::default() }] {
        refused(vec![selection.fit(&evidence, labels).map(drop)], Error::is_spec, "it must be at least 1");
    }
}

#[test]
fn too_many_parameters_are_refused_before_memory_is_taken() {
    let plane = vec![1.0 / 3000.0; 3000];
    let evidence = Evidence::probabilities(3000, &[&plane]).expect("a plane");
    let (_, engine) = &engines::all()[0];
    let result = Stacking::default().fit(engine, &evidence, &[0]).map(drop);
    refused(vec![result], Error::is_fit, "1 sources x 3000 x 3000 weights are more than the 4194304 a fit takes on");
}

#[test]
fn a_fit_that_the_device_cannot_hold_is_refused_and_does_not_move_to_another() {
    let labelled = Labelled::random(Encoding::Probabilities, 2, 40, 3, 1);
    let (evidence, labels) = (labelled.evidence(), &labelled.labels);
    let Some(engine) = engines::gpu(Some(1)) else { return };
    let model = Stacked::new(2, 3, vec![0.0; 18], vec![0.0; 3]).expect("a model");
    let folds = Folds::split(40, 2, 1).expect("two folds");
    let stacking = Stacking::default();
    let results = vec![
        stacking.fit(&engine, &evidence, labels).map(drop),
        stacking.out_of_fold(&engine, &evidence, labels, &folds).map(drop),
        stacking.objective(&engine, &evidence, labels, &model).map(drop),
    ];
    refused(results, Error::is_device, "raise the engine's memory budget or use `Engine::cpu()`");
}

#[test]
fn a_model_of_another_shape_is_refused() {
    let labelled = Labelled::random(Encoding::Probabilities, 2, 20, 3, 1);
    let (_, engine) = &engines::all()[0];
    for (sources, classes, why) in [(3, 3, "the list of sources"), (2, 2, "the list of classes")] {
        let model = Stacked::new(sources, classes, vec![0.0; sources * classes * classes], vec![0.0; classes]);
        let model = model.expect("a model");
        refused(vec![model.posterior(engine, &labelled.evidence()).map(drop)], Error::is_shape, why);
        let result = Stacking::default().objective(engine, &labelled.evidence(), &labelled.labels, &model).map(drop);
        refused(vec![result], Error::is_shape, why);
    }
}
