//! Learners that learn from evidence that an engine holds.

use consilience::learning::{
    Confusion, ConfusionOptions, Feedback, Hedge, HedgeOptions, Loss, Rate, Reliability, ReliabilityOptions, Weights,
    WeightsOptions,
};
use consilience::{Encoding, Engine, ErrorKind, Evidence, EvidenceError, LabelError, Result, StateError};

use super::{own, tight};
use crate::support::engines;
use crate::support::problem::{FORMS, Problem};

const SOURCES: usize = 8;
const CLASSES: usize = 5;

/// Evidence of all forms in which sources sleep and abstain.
fn problem(items: usize) -> Problem {
    Problem::of(&FORMS[..SOURCES], items, CLASSES, 3).with_holes(3)
}

fn labels(items: usize) -> Vec<Option<u32>> {
    (0..items as u32).map(|item| (item % 4 != 1).then_some(item * 7 % CLASSES as u32)).collect()
}

fn reliability(loss: Loss) -> ReliabilityOptions {
    ReliabilityOptions { discount: 0.99, loss, ..Default::default() }
}

fn close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (source, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= tolerance, "{what}, source {source}: {got}, not {want}");
    }
}

fn wide(values: Vec<f32>) -> Vec<f64> {
    values.into_iter().map(f64::from).collect()
}

#[test]
fn learners_of_votes_learn_the_same_to_the_bit() -> Result<()> {
    for items in [0, 1, 900] {
        let (problem, labels) = (problem(items), labels(items));
        let evidence = problem.evidence();
        for (name, engine) in engines::all() {
            let held = engine.upload(&evidence)?;
            let options = reliability(Loss::ZeroOne);
            let (mut got, mut want) = (Reliability::new(SOURCES, options)?, Reliability::new(SOURCES, options)?);
            got.update_resident(engine, &held, &labels)?;
            want.update(&evidence, &labels)?;
            assert!(got == want, "{name}, {items}: reliabilities differ");

            let options =
                WeightsOptions { start: vec![1.0; SOURCES], reliability: options, ..WeightsOptions::parallel_fusion() };
            let (mut got, mut want) = (Weights::new(options.clone())?, Weights::new(options)?);
            got.update_resident(engine, &held, &labels)?;
            want.update(&evidence, &labels)?;
            assert!(got == want, "{name}, {items}: weights differ");

            let options = ConfusionOptions { discount: 0.9, ..Default::default() };
            let (mut got, mut want) =
                (Confusion::new(SOURCES, CLASSES, options)?, Confusion::new(SOURCES, CLASSES, options)?);
            got.update_resident(engine, &held, &labels)?;
            want.update(&evidence, &labels)?;
            assert!(got == want, "{name}, {items}: confusions differ");

            let options = HedgeOptions { feedback: Feedback::Loss(Loss::ZeroOne), share: 0.05, ..Default::default() };
            let (mut got, mut want) = (Hedge::new(SOURCES, options)?, Hedge::new(SOURCES, options)?);
            got.update_resident(engine, &held, &labels)?;
            want.update(&evidence, &labels)?;
            assert!(got == want, "{name}, {items}: hedges differ");
        }
    }
    Ok(())
}

#[test]
fn learners_of_losses_learn_the_same_within_roundings() -> Result<()> {
    let items = 700;
    let (problem, labels) = (problem(items), labels(items));
    let evidence = problem.evidence();
    for (name, engine) in engines::all() {
        let held = engine.upload(&evidence)?;
        for loss in [Loss::Brier, Loss::LOG, Loss::Log { floor: 0.1 }] {
            let options = reliability(loss);
            let (mut got, mut want) = (Reliability::new(SOURCES, options)?, Reliability::new(SOURCES, options)?);
            got.update_resident(engine, &held, &labels)?;
            want.update(&evidence, &labels)?;
            assert_eq!(got.observations(), want.observations(), "{name}, {loss:?}");
            close(name, &wide(got.reliabilities()), &wide(want.reliabilities()), 2e-6);

            let start = vec![1.0; SOURCES];
            let options = WeightsOptions { start, reliability: options, ..WeightsOptions::parallel_fusion() };
            let (mut got, mut want) = (Weights::new(options.clone())?, Weights::new(options)?);
            got.update_resident(engine, &held, &labels)?;
            want.update(&evidence, &labels)?;
            assert_eq!(got.observations(), want.observations(), "{name}, {loss:?}");
            close(name, &wide(got.weights()), &wide(want.weights()), 2e-6);
        }
        for (feedback, share) in [
            (Feedback::Loss(Loss::Brier), 0.0),
            (Feedback::Loss(Loss::Brier), 0.02),
            (Feedback::Gradient, 0.0),
            (Feedback::Gradient, 0.02),
            (Feedback::Loss(Loss::LOG), 0.0),
            (Feedback::Loss(Loss::Log { floor: 0.05 }), 0.02),
        ] {
            let options = HedgeOptions { rate: Rate::Fixed(0.3), feedback, share };
            let (mut got, mut want) = (Hedge::new(SOURCES, options)?, Hedge::new(SOURCES, options)?);
            got.update_resident(engine, &held, &labels)?;
            want.update(&evidence, &labels)?;
            let what = format!("{name}, {options:?}");
            assert_eq!(got.rounds(), want.rounds(), "{what}");
            let rounds = want.rounds() as f64;
            close(&what, &got.source_losses(), &want.source_losses(), 2e-6 * rounds);
            close(&what, &got.regrets(), &want.regrets(), 4e-6 * rounds);
            close(&what, &[got.loss()], &[want.loss()], 2e-6 * rounds);
            close(&what, &wide(got.weights()), &wide(want.weights()), 1e-4);
        }
    }
    Ok(())
}

#[test]
fn all_sources_are_found_in_one_hand_over() -> Result<()> {
    let Some((_, engine)) = engines::all().iter().find(|(_, engine)| engine.is_gpu()) else { return Ok(()) };
    let engine = own(engine).expect("a GPU");
    let (problem, labels) = (problem(300), labels(300));
    let held = engine.upload(&problem.evidence())?;
    let before = engine.submissions();
    engine.votes(&held)?;
    // The chain, and what is read of it.
    assert_eq!(engine.submissions() - before, 2);
    let options = HedgeOptions::default();
    let mut learner = Hedge::new(SOURCES, options)?;
    let before = engine.submissions();
    learner.update_resident(&engine, &held, &labels)?;
    // The labels, the chain, and three things read: who slept, whether anything was refused, and the products.
    assert_eq!(engine.submissions() - before, 5);
    Ok(())
}

#[test]
fn where_there_is_room_for_few_sources_at_a_time_they_are_as_many_waves() -> Result<()> {
    let problem = Problem::random(Encoding::Probabilities, 6, 1000, 4, 5);
    let evidence = problem.evidence();
    for (name, engine) in engines::all() {
        // Six planes of 16 kB, and room for two more with what is found of them, 8 kB each.
        let own = tight(engine, 6 * 16_000 + 2 * 24_000 + 200);
        let held = own.upload(&evidence)?;
        let votes = own.votes(&held)?;
        let votes = votes.evidence()?;
        for source in 0..6 {
            for item in 0..1000 {
                let mut row = [0.0; 4];
                evidence.opinion(source, item, &mut row)?;
                let top = (0..4).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
                assert_eq!(votes.vote(source, item), top, "{name}, {source}, {item}");
            }
        }
        assert_eq!(own.resident().handles, 1, "{name}");
        let narrow = tight(engine, 6 * 16_000 + 20_000);
        let held = narrow.upload(&evidence)?;
        let error = narrow.votes(&held).expect_err("no room for one");
        assert!(error.to_string().contains("resident_bytes"), "{name}: {error}");
        let (mut learner, fresh) = (Hedge::new(6, HedgeOptions::default())?, Hedge::new(6, HedgeOptions::default())?);
        learner.update_resident(&narrow, &held, &[Some(0); 1000]).expect_err("no room for rows");
        assert!(learner == fresh, "{name}: it learned of nothing");
    }
    Ok(())
}

#[test]
fn what_does_not_fit_a_learner_is_refused_and_nothing_is_learned() -> Result<()> {
    let (problem, labels) = (problem(400), labels(400));
    for (name, engine) in engines::all() {
        let held = engine.upload(&problem.evidence())?;
        let mut learner = Hedge::new(SOURCES, HedgeOptions::default())?;
        let fresh = learner.clone();
        let mut wrong = labels.clone();
        wrong[333] = Some(CLASSES as u32);
        let error = learner.update_resident(engine, &held, &wrong).expect_err("no such class");
        let ErrorKind::Label(LabelError { item: 333, .. }) = error.kind() else { panic!("{name}: {error}") };
        let error = learner.update_resident(engine, &held, &labels[1..]).expect_err("a label less");
        assert!(matches!(error.kind(), ErrorKind::Evidence(EvidenceError::ShapeMismatch { .. })), "{name}: {error}");
        let few = engine.select(&held, &[0, 1])?;
        for error in [
            learner.update_resident(engine, &few, &labels).expect_err("two sources"),
            Reliability::new(SOURCES, reliability(Loss::ZeroOne))?
                .update_resident(engine, &few, &labels)
                .expect_err("two sources"),
            Confusion::new(SOURCES, CLASSES + 1, ConfusionOptions::default())?
                .update_resident(engine, &held, &labels)
                .expect_err("five classes"),
        ] {
            assert!(matches!(error.kind(), ErrorKind::State(StateError::Shape { .. })), "{name}: {error}");
        }

        let mut rows = vec![0.5; 2 * 400];
        rows[2 * 399] = -0.25;
        let planes: [&[f32]; 2] = [&[0.5; 2 * 400], &rows];
        let invalid = engine.upload(&Evidence::probabilities(2, &planes)?)?;
        let zero_one = HedgeOptions { feedback: Feedback::Loss(Loss::ZeroOne), ..Default::default() };
        for options in [HedgeOptions::default(), zero_one] {
            let mut learner = Hedge::new(2, options)?;
            let fresh = learner.clone();
            let error = learner.update_resident(engine, &invalid, &[Some(1); 400]).expect_err("an invalid opinion");
            let invalid = error.invalid_opinion().unwrap_or_else(|| panic!("{name}: {error}"));
            assert_eq!((invalid.source, invalid.item, invalid.class), (1, 399, Some(0)), "{name}");
            assert!(learner == fresh, "{name}: it learned of nothing");
        }
        let other: &Engine = &tight(engine, 1 << 30);
        assert!(learner.update_resident(other, &held, &labels).expect_err("another engine's").is_device(), "{name}");
        assert!(learner == fresh, "{name}: it learned of nothing");
    }
    Ok(())
}
