//! What a controller sees, does, undoes and leaves alone, on a simulated service.

mod detection;
mod false_alarms;
mod forecast;
mod governed;
mod options;
mod plant;
mod relief;
mod restraint;
mod stability;

use consilience::orchestration::Controller;
use consilience::orchestration::control::{Action, Mode, Options, Reading, Step};

use self::plant::{Plant, normal};

fn controller(mode: Mode) -> Controller {
    Controller::new(Options { mode, ..Options::default() }, normal()).unwrap()
}

/// So many readings, each under the setting that the one before led to.
fn run(plant: &mut Plant, controller: &mut Controller, readings: usize) -> Vec<(Reading, Step)> {
    let one = |_| {
        let reading = plant.read(controller.setting());
        let step = controller.step(&reading);
        (reading, step)
    };
    (0..readings).map(one).collect()
}

/// What was done, in words.
fn told(steps: &[(Reading, Step)]) -> Vec<String> {
    let of = |action: &Action| {
        let (knob, from, to) = (action.knob.name(), action.from, action.to);
        format!("{} {knob} {from} -> {to}: {}", action.kind.name(), action.reason.name())
    };
    steps.iter().flat_map(|(_, step)| &step.actions).map(of).collect()
}
