//! Options and settings that cannot be, and what a dashboard reads.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use consilience::orchestration::Controller;
use consilience::orchestration::control::{
    Action, Bottleneck, Bounds, Detection, Governed, Kind, Knob, Mode, Options, PageHinkley, Reading, Reason, Rise,
    Setting, Value,
};

use super::plant::{Plant, normal};
use super::{controller, run};
use crate::orchestration::scripted::{Act, source};

#[test]
fn options_outside_their_range_are_refused() {
    let (o, b, d) = (Options::default, Bounds::default, Detection::default());
    let of = |bounds| Options { bounds, ..o() };
    let by = |detection| Options { detection, ..o() };
    let rise = |rise| by(Detection { rise, ..d });
    for (what, wrong) in [
        ("the latency is 0", Options { latency: Duration::ZERO, ..o() }),
        ("the share of errors is 0", Options { errors: 0.0, ..o() }),
        ("the share of errors is NaN", Options { errors: f64::NAN, ..o() }),
        ("the least number of requests at a time is 0", of(Bounds { concurrency: 0..=1, ..b() })),
        ("the largest number of items in a batch is 2", of(Bounds { batch: RangeInclusive::new(3, 2), ..b() })),
        ("the most that is shed is 1", of(Bounds { shed: 1.0, ..b() })),
        ("the number of sources awake is 0", of(Bounds { awake: 0, ..b() })),
        ("the drift is -1", rise(Rise { drift: -1.0, ..d.rise })),
        ("the alarm is 0", rise(Rise { alarm: 0.0, ..d.rise })),
        ("the limit is 1", rise(Rise { limit: 1.0, ..d.rise })),
        ("the warm-up is 1", by(Detection { warm_up: 1, ..d })),
        ("the memory is 11", by(Detection { memory: 11, ..d })),
        ("the least scale is 0", by(Detection { least_scale: 0.0, ..d })),
        ("the least share is 0.6", by(Detection { least_share: 0.6, ..d })),
        ("the least number of calls is 0", by(Detection { least_calls: 0, ..d })),
        ("the factor of a slow source is 0.5", Options { stands_out: 0.5, ..o() }),
        ("the accelerator's share is 2", Options { device_share: 2.0, ..o() }),
        ("the readings that find a cause is 0", Options { persist: 0, ..o() }),
        ("the readings that judge is 0", Options { judge: 0, ..o() }),
        ("the cool-down in readings is 0", Options { cool_down: 0, ..o() }),
        ("the calm in readings is 0", Options { calm: 0, ..o() }),
        ("the number of good probes is 0", Options { probes: 0, ..o() }),
        ("the margin is -1", Options { margin: -1.0, ..o() }),
        ("what lost requests are worth is inf", Options { lost: f64::INFINITY, ..o() }),
        ("the price is NaN", Options { price: f64::NAN, ..o() }),
        ("the change of a steady load is 0", Options { steady: 0.0, ..o() }),
    ] {
        let error = Controller::new(wrong, normal()).unwrap_err();
        assert!(error.is_spec() && error.to_string().starts_with(what), "{error} is not {what}");
    }
    assert!(PageHinkley::new(Rise { limit: 0.5, ..d.rise }).unwrap_err().is_spec());
    assert!(Governed::new(source("a", Act::Fail), Duration::ZERO).unwrap_err().is_spec());
}

#[test]
fn a_setting_outside_of_the_bounds_is_refused() {
    for (what, wrong) in [
        ("the number of requests at a time is 3; it must be in [4, 1024]", Setting { concurrency: 3, ..normal() }),
        ("the size of a batch is 4097; it must be in [1, 4096]", Setting { batch: 4_097, ..normal() }),
        ("the share that is shed is 0.6, it must be in [0, the most that may be]", Setting { shed: 0.6, ..normal() }),
        (
            "the trust in `a` is NaN, it must be in [0, 1]",
            Setting { trust: BTreeMap::from([("a".to_owned(), f64::NAN)]), ..normal() },
        ),
    ] {
        assert_eq!(Controller::new(Options::default(), wrong).unwrap_err().to_string(), what);
    }
}

#[test]
fn readings_that_contradict_themselves_harm_nothing() {
    let most = u64::MAX;
    let mut reading = Plant::quiet(1).read(&normal());
    (reading.errors, reading.refused, reading.under_way, reading.queued) = (most, most, most, most);
    (reading.length, reading.device_share, reading.expected) = (Duration::ZERO, Some(f64::NAN), Some(f64::NAN));
    for source in &mut reading.sources {
        (source.failures, source.cancelled) = (most, most);
    }
    let empty = Reading { sources: Vec::new(), latency: None, ended: 0, arrivals: 0, ..reading.clone() };
    let mut controller = controller(Mode::Act);
    for n in 0..200 {
        let step = controller.step(if n % 7 < 4 { &reading } else { &empty });
        assert!(step.objective.total().is_finite());
    }
}

#[test]
fn the_log_is_bounded_and_keeps_the_newest() {
    let mut controller = Controller::new(Options { mode: Mode::Act, log: 2, ..Options::default() }, normal()).unwrap();
    let mut plant = Plant::quiet(2);
    plant.capacity = Box::new(|_| 5.0);
    let steps = run(&mut plant, &mut controller, 60);
    let actions: Vec<_> = steps.iter().flat_map(|(_, step)| &step.actions).collect();
    assert!(actions.len() > 2);
    assert_eq!(controller.log().collect::<Vec<_>>(), actions[actions.len() - 2..]);
}

#[test]
fn what_is_done_is_told_in_plain_words_and_in_json() {
    let action = Action {
        at: Duration::from_secs(20),
        knob: Knob::Shed,
        from: Value::Share(0.0),
        to: Value::Share(0.25),
        reason: Reason::Against(Bottleneck::Overload { queued: 12, load: 30.0, done: 20.0 }),
        kind: Kind::Advised,
    };
    assert_eq!(
        action.to_string(),
        "the share that is shed should go from 0.00 to 0.25: 30.0 requests a second come, 20.0 are done and 12 wait"
    );
    let json = serde_json::to_string(&action).unwrap();
    assert_eq!(
        json,
        r#"{"at":{"secs":20,"nanos":0},"knob":"shed","from":0.0,"to":0.25,"reason":{"against":{"overload":{"queued":12,"load":30.0,"done":20.0}}},"kind":"advised"}"#
    );
    assert_eq!(serde_json::from_str::<Action>(&json).unwrap(), action);
}

#[test]
fn what_is_written_is_read_again() {
    let mut plant = Plant::quiet(3);
    plant.sources[0].failures = 0.5;
    let mut controller = controller(Mode::Act);
    let (reading, step) = run(&mut plant, &mut controller, 3).pop().unwrap();
    assert_eq!(serde_json::from_str::<Reading>(&serde_json::to_string(&reading).unwrap()).unwrap(), reading);
    let setting: Setting = serde_json::from_str(&serde_json::to_string(&step.setting).unwrap()).unwrap();
    assert_eq!(setting, step.setting);
    assert_eq!(setting.trust("a"), 0.0);
    let options: Options = serde_json::from_str(&serde_json::to_string(&Options::default()).unwrap()).unwrap();
    assert_eq!(options, Options::default());
    let json = serde_json::to_value(&step).unwrap();
    assert_eq!(json["bottleneck"].as_str().or(json["bottleneck"]["failing_source"]["source"].as_str()), Some("none"));
    assert_eq!(json["setting"]["trust"]["a"], 0.0);
}
