//! What is done against what was found, and how soon that helps.

use std::collections::BTreeMap;

use consilience::orchestration::Controller;
use consilience::orchestration::control::{Bounds, Executor, Kind, Mode, Options, Setting};

use super::plant::{Plant, normal};
use super::{controller, run, told};

#[test]
fn a_slow_source_rests_within_three_readings_and_requests_are_quick_again() {
    for seed in 0..50 {
        let mut plant = Plant::quiet(seed);
        let mut controller = controller(Mode::Act);
        run(&mut plant, &mut controller, 30);
        plant.sources[1].median *= 10.0;
        let steps = run(&mut plant, &mut controller, 30);
        assert_eq!(told(&steps[..3]), ["taken trust 1.00 -> 0.00: slow_source"], "seed {seed}");
        assert_eq!(told(&steps[3..]), [""; 0], "seed {seed}");
        for (_, step) in &steps[3..] {
            assert_eq!(step.objective.latency, 0.0, "seed {seed}");
            assert!(step.objective.total() <= 0.05, "seed {seed}: {:?}", step.objective);
        }
    }
}

#[test]
fn a_failing_source_rests_within_three_readings() {
    for seed in 0..50 {
        let mut plant = Plant::quiet(seed);
        let mut controller = controller(Mode::Act);
        run(&mut plant, &mut controller, 30);
        plant.sources[0].failures = 0.2;
        let steps = run(&mut plant, &mut controller, 30);
        let before: f64 = steps[..2].iter().map(|(_, step)| step.objective.total()).sum::<f64>() / 2.0;
        assert!(before > 0.5, "seed {seed}: {before}");
        let rested = steps.iter().position(|(_, step)| step.setting.trust("a") == 0.0);
        assert!(rested.is_some_and(|reading| reading < 4), "seed {seed}: {rested:?}");
        assert!(steps[4..8].iter().all(|(_, step)| step.objective.total() <= 0.05), "seed {seed}");
    }
}

#[test]
fn several_sources_rest_at_once_but_one_stays() {
    let mut plant = Plant::quiet(5);
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    plant.sources.iter_mut().for_each(|source| source.failures = 0.6);
    let steps = run(&mut plant, &mut controller, 3);
    let resting = ["a", "b", "c"].map(|name| controller.setting().trust(name) == 0.0);
    assert_eq!(resting, [true, true, false]);
    assert_eq!(steps[1].1.actions.len(), 2);
}

#[test]
fn a_source_that_has_recovered_is_asked_again_step_by_step() {
    let mut plant = Plant::quiet(3);
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    plant.sources[1].median *= 10.0;
    run(&mut plant, &mut controller, 12);
    assert_eq!(controller.setting().trust("b"), 0.0);
    plant.sources[1].median /= 10.0;
    let steps = run(&mut plant, &mut controller, 30);
    assert_eq!(
        told(&steps),
        ["taken trust 0.00 -> 0.25: recovered", "taken trust 0.25 -> 0.50: calm", "taken trust 0.50 -> 1.00: calm"]
    );
    assert_eq!(controller.log().len(), 4);
    assert_eq!(controller.setting().trust("b"), 1.0);
}

#[test]
fn a_source_that_stays_slow_rests_however_long() {
    let mut plant = Plant::quiet(4);
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    plant.sources[1].median *= 10.0;
    let steps = run(&mut plant, &mut controller, 720);
    assert_eq!(told(&steps), ["taken trust 1.00 -> 0.00: slow_source"]);
}

#[test]
fn what_is_too_much_is_shed_and_taken_again_when_less_comes() {
    let mut plant = Plant::quiet(6);
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    plant.load = 28.0;
    let steps = run(&mut plant, &mut controller, 120);
    // Neither more at a time nor larger batches help here, so both are undone.
    let told = told(&steps);
    for knob in ["concurrency", "batch"] {
        let count = |kind: &str| told.iter().filter(|line| line.starts_with(&format!("{kind} {knob}"))).count();
        // The last may be on trial still.
        assert!(count("taken") >= 1 && count("rolled_back") + 1 >= count("taken"), "{told:#?}");
    }
    let shed: Vec<_> = told.iter().filter(|line| line.contains("shed")).collect();
    assert!(shed[0].starts_with("taken shed 0.00 -> 0.") && shed[0].ends_with("overload"), "{told:#?}");
    // Twenty minutes, with a few tries whether it is still needed.
    let over = steps[15..].iter().filter(|(_, step)| step.objective.latency > 0.0).count();
    assert!(over <= 30, "{over}: {told:#?}");
    plant.load = 10.0;
    run(&mut plant, &mut controller, 60);
    assert_eq!(controller.setting().shed, 0.0);
}

#[test]
fn more_at_a_time_where_that_is_what_is_missing() {
    let mut plant = Plant::quiet(7);
    plant.capacity = Box::new(|setting| 0.25 * setting.concurrency as f64);
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    plant.load = 20.0;
    let steps = run(&mut plant, &mut controller, 120);
    let told = told(&steps);
    assert_eq!(told[0], "taken concurrency 64 -> 96: overload");
    assert!(told.iter().all(|line| line.contains("concurrency")), "{told:#?}");
    let over = steps[10..].iter().filter(|(_, step)| step.objective.latency > 0.0).count();
    assert!(over <= 30, "{over}: {told:#?}");
}

#[test]
fn the_cpu_where_the_accelerator_is_what_is_slow() {
    let mut plant = Plant::quiet(8);
    plant.device_share = 0.95;
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    plant.capacity = Box::new(|setting| if setting.executor == Executor::Cpu { 20.0 } else { 5.0 });
    let steps = run(&mut plant, &mut controller, 20);
    let told = told(&steps);
    assert_eq!(told[..2], ["taken batch 64 -> 128: device", "rolled_back batch 128 -> 64: worse"]);
    assert!(told[2..].contains(&"taken executor auto -> cpu: device".to_owned()), "{told:#?}");
    assert_eq!(controller.setting().executor, Executor::Cpu, "{told:#?}");
}

#[test]
fn only_in_act_is_anything_set() {
    for mode in [Mode::Observe, Mode::Advise] {
        let mut plant = Plant::quiet(9);
        let mut controller = controller(mode);
        run(&mut plant, &mut controller, 30);
        plant.sources[1].median *= 10.0;
        let steps = run(&mut plant, &mut controller, 70);
        assert!(steps.iter().all(|(_, step)| step.setting == normal()), "{mode:?}");
        let advised = steps.iter().flat_map(|(_, step)| &step.actions);
        assert!(advised.clone().all(|action| action.kind == Kind::Advised));
        // At once, and again after each five minutes.
        assert_eq!(advised.count(), if mode == Mode::Advise { 3 } else { 0 }, "{mode:?}");
    }
}

#[test]
fn knobs_stay_within_bounds() {
    let bounds = Bounds { concurrency: 64..=80, batch: 64..=64, shed: 0.1, awake: 3, executor: false };
    let mut plant = Plant::quiet(10);
    plant.capacity = Box::new(|setting| if setting.executor == Executor::Auto { 2.0 } else { 50.0 });
    plant.device_share = 0.9;
    plant.sources[0].failures = 0.5;
    let options = Options { mode: Mode::Act, bounds, ..Options::default() };
    let mut controller = Controller::new(options, normal()).unwrap();
    for (_, step) in run(&mut plant, &mut controller, 200) {
        let Setting { concurrency, batch, executor, shed, trust } = step.setting;
        assert!((64..=80).contains(&concurrency) && batch == 64 && shed <= 0.1);
        assert_eq!((executor, trust), (Executor::Auto, BTreeMap::new()));
    }
}

#[test]
fn a_forecast_of_more_puts_off_the_way_back() {
    let mut plant = Plant::quiet(11);
    let mut controller = controller(Mode::Act);
    plant.load = 28.0;
    run(&mut plant, &mut controller, 40);
    assert!(controller.setting().shed > 0.0);
    plant.load = 10.0;
    for _ in 0..60 {
        let mut reading = plant.read(controller.setting());
        reading.expected = Some(28.0);
        let shed = controller.setting().shed;
        assert!(controller.step(&reading).setting.shed >= shed);
    }
    run(&mut plant, &mut controller, 60);
    assert_eq!(controller.setting().shed, 0.0);
}
