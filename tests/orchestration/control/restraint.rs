//! What did harm is undone, and not tried again soon.

use consilience::orchestration::Controller;
use consilience::orchestration::control::{Action, Bounds, Kind, Knob, Mode, Options, Reason};

use super::detection::of;
use super::plant::{Plant, normal};
use super::{Reading, Step, controller, run, told};

/// The readings, from 1, at which the knob was set so.
fn when(steps: &[(Reading, Step)], knob: &Knob, kind: Kind) -> Vec<usize> {
    let at = |(n, (_, step)): (usize, &(_, Step))| {
        let is = step.actions.iter().any(|action| action.knob == *knob && action.kind == kind);
        is.then_some(n + 1)
    };
    steps.iter().enumerate().filter_map(at).collect()
}

#[test]
fn a_harmful_action_is_undone_and_waits_twice_as_long_each_time() {
    let mut plant = Plant::quiet(1);
    // More at a time makes everything slower, and there is nothing else that helps.
    plant.capacity = Box::new(|setting| if setting.concurrency > 64 { 4.0 } else { 8.0 });
    let bounds = Bounds { concurrency: 64..=1_024, batch: 64..=64, shed: 0.0, ..Bounds::default() };
    let options = Options { mode: Mode::Act, bounds, ..Options::default() };
    let mut controller = Controller::new(options, normal()).unwrap();
    let steps = run(&mut plant, &mut controller, 360);
    let tried: Vec<_> = steps
        .iter()
        .enumerate()
        .filter(|(_, (_, step))| step.actions.iter().any(|a| a.knob == Knob::Concurrency && a.kind == Kind::Taken))
        .collect();
    let undone = when(&steps, &Knob::Concurrency, Kind::RolledBack);
    assert_eq!(undone[0], tried[0].0 + 1 + 3, "after one reading to settle and two to judge: {:#?}", told(&steps));
    for (step, undone) in tried.iter().zip(&undone) {
        assert!(undone - (step.0 + 1) <= 3);
    }
    let mut wait = 30;
    for (undone, again) in undone.iter().zip(&tried[1..]) {
        assert!(again.0 + 1 >= undone + wait, "{:#?}", told(&steps));
        wait *= 2;
    }
    assert!(tried.len() <= 4, "{:#?}", told(&steps));
}

#[test]
fn an_action_that_raises_the_objective_says_so() {
    let mut plant = Plant::quiet(2);
    plant.capacity = Box::new(|setting| if setting.concurrency > 64 { 1.0 } else { 9.0 });
    let mut controller = controller(Mode::Act);
    let steps = run(&mut plant, &mut controller, 12);
    let told = told(&steps);
    assert_eq!(told[..2], ["taken concurrency 64 -> 96: overload", "rolled_back concurrency 96 -> 64: worse"]);
    assert_eq!(controller.setting().concurrency, 64);
}

#[test]
fn what_makes_no_difference_is_undone_and_the_next_is_tried() {
    let mut controller = controller(Mode::Act);
    let reading = Reading { queued: 50, ..of(&[250, 250, 250]) };
    let steps: Vec<_> = (0..8).map(|_| (reading.clone(), controller.step(&reading))).collect();
    assert_eq!(
        told(&steps),
        [
            "taken concurrency 64 -> 96: overload",
            "rolled_back concurrency 96 -> 64: no_better",
            "taken batch 64 -> 128: overload"
        ]
    );
    assert_eq!(when(&steps, &Knob::Concurrency, Kind::Taken), [2]);
    assert_eq!(when(&steps, &Knob::Concurrency, Kind::RolledBack), [5]);
    assert_eq!(when(&steps, &Knob::Batch, Kind::Taken), [8]);
}

#[test]
fn the_last_step_back_is_the_first_to_be_undone() {
    let bounds = Bounds { concurrency: 64..=64, batch: 64..=64, ..Bounds::default() };
    let options = Options { mode: Mode::Act, bounds, ..Options::default() };
    let mut controller = Controller::new(options, normal()).unwrap();
    let (slow, quick) = (Reading { queued: 50, ..of(&[250, 250, 250]) }, of(&[10, 10, 10]));
    let mut read = |reading: &Reading, count: usize| {
        let steps: Vec<_> = (0..count).map(|_| (reading.clone(), controller.step(reading))).collect();
        told(&steps)
    };
    assert_eq!(read(&slow, 2), ["taken shed 0.00 -> 0.15: overload"]);
    assert_eq!(read(&quick, 6), ["taken shed 0.15 -> 0.05: calm"]);
    // That stands when it is judged, and is regretted later.
    assert_eq!(read(&quick, 5), [""; 0]);
    assert_eq!(read(&slow, 2), ["rolled_back shed 0.05 -> 0.15: too_soon"]);
    // Five minutes after which it is tried again, and ten.
    assert_eq!(read(&quick, 29), [""; 0]);
    assert_eq!(read(&quick, 1), ["taken shed 0.15 -> 0.05: calm"]);
    assert_eq!(read(&slow, 3), ["rolled_back shed 0.05 -> 0.15: too_soon"]);
    assert_eq!(read(&quick, 59), [""; 0]);
    assert_eq!(read(&quick, 1), ["taken shed 0.15 -> 0.05: calm"]);
}

#[test]
fn where_the_load_changes_only_what_is_sure_to_help_stands() {
    let mut plant = Plant::quiet(3);
    plant.capacity = Box::new(|setting| 0.125 * setting.concurrency as f64);
    let mut controller = controller(Mode::Act);
    while controller.log().len() == 0 {
        run(&mut plant, &mut controller, 1);
    }
    assert_eq!(controller.setting().concurrency, 96);
    plant.load *= 3.0;
    let steps = run(&mut plant, &mut controller, 3);
    assert_eq!(told(&steps), ["rolled_back concurrency 96 -> 64: unclear"]);
}

#[test]
fn a_source_that_fails_again_waits_for_twice_as_many_probes() {
    let mut plant = Plant::quiet(4);
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    let returned = |steps: &[(Reading, Step)]| {
        let of = |action: &Action| match action.reason {
            Reason::Recovered { probes } => Some(probes),
            _ => None,
        };
        steps.iter().flat_map(|(_, step)| &step.actions).find_map(of)
    };
    let mut needed = Vec::new();
    for _ in 0..3 {
        plant.sources[0].failures = 0.5;
        run(&mut plant, &mut controller, 8);
        assert_eq!(controller.setting().trust("a"), 0.0);
        plant.sources[0].failures = 0.0;
        let mut readings = 0;
        while controller.setting().trust("a") == 0.0 {
            let steps = run(&mut plant, &mut controller, 1);
            needed.extend(returned(&steps));
            readings += 1;
            assert!(readings < 300);
        }
    }
    // Five probes a reading: for six calm readings at first, then for about the waits of five minutes and of ten.
    assert!(needed[0] >= 10 && needed[1] >= 100 && needed[2] >= 200, "{needed:?}");
}

/// A step back of one source that was on trial when another began to fail.
#[test]
fn nobody_is_blamed_for_what_another_source_does() {
    let mut plant = Plant::quiet(3);
    let mut controller = controller(Mode::Act);
    run(&mut plant, &mut controller, 30);
    plant.sources[1].median *= 10.0;
    run(&mut plant, &mut controller, 12);
    plant.sources[1].median /= 10.0;
    while controller.setting().trust("b") < 0.5 {
        run(&mut plant, &mut controller, 1);
    }
    plant.sources[0].failures = 0.4;
    let steps = run(&mut plant, &mut controller, 6);
    assert_eq!(told(&steps), ["taken trust 1.00 -> 0.00: failing_source"]);
    assert_eq!(["a", "b"].map(|name| controller.setting().trust(name)), [0.0, 0.5]);
}
