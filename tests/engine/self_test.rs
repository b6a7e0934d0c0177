//! A driver that computes wrongly is found when the device is opened.

use consilience::fault::Faults;
use consilience::kernel::Kernel;
use consilience::{Device, DeviceError, Engine, EngineOptions, Fusion, Rule, vortex};

use crate::support::engines;

/// A wrong program for each kernel that is tested: one of three sources counts a thousandth less, a constant off by one,
/// only the last of the terms of a sum.
const WRONG: [(Kernel, &str, &str); 3] = [
    (Kernel::Pool, "(*pools).linear += dot(w, p);", "(*pools).linear += dot(w, p * vec4(1.0, 1.0, 0.999, 1.0));"),
    (Kernel::DigitalRoot, "29127u", "28127u"),
    (Kernel::BeamMoments, "sum += items[which", "sum = items[which"),
];

#[test]
fn a_wrong_kernel_is_named() {
    let options = EngineOptions { device: Device::Gpu, ..Default::default() };
    // Where there is none, there is nothing to test.
    if engines::open(&options, None).is_none() {
        return;
    }
    for (kernel, part, other) in WRONG {
        assert!(kernel.contract().source.contains(part), "{kernel} is not poisoned");
        let faults = Faults::new();
        faults.poison(kernel, part, other);
        let error = Engine::open_with(&options, Some(faults.clone())).expect_err("it computes wrongly");
        let Some(DeviceError::WrongResult { kernel: named, got, wanted, .. }) = error.device() else {
            panic!("{error}")
        };
        assert_eq!(*named, kernel.name());
        assert_ne!(got, wanted);
        assert!(error.to_string().contains(&format!("computes {kernel} wrongly")), "{error}");
        assert_eq!(faults.devices(), 0, "the device is still open");
    }
}

/// A driver that adds up the halves of its subgroups, takes the wrong largest, or loses the classes.
#[test]
fn a_device_that_sums_wrongly_over_its_subgroups_sums_by_trees() {
    let options = EngineOptions { device: Device::Gpu, subgroups: Some(true), ..Default::default() };
    let Some(engine) = engines::open(&options, None) else { return };
    assert!(engine.describe().contains("sums by subgroups"), "{}", engine.describe());
    for (part, other) in [
        (
            "rows.sum = subgroupAdd(part.sum);",
            "rows.sum = subgroupAdd(select(vec4(0.0), part.sum, vec4(member < 4u)));",
        ),
        ("rows.largest = subgroupMax(own.largest);", "rows.largest = subgroupMin(own.largest);"),
        ("part.decision = subgroupMin(", "part.decision = subgroupMax("),
        ("part = Trio(subgroupAdd(own.a), subgroupAdd(own.b)", "part = Trio(subgroupAdd(own.a), subgroupMax(own.b)"),
    ] {
        assert!(
            Kernel::PoolWide.contract().by_subgroups.is_some_and(|text| text.contains(part)),
            "`{part}` is not there"
        );
        let faults = Faults::new();
        faults.poison(Kernel::PoolWide, part, other);
        let engine = Engine::open_with(&options, Some(faults)).expect("trees are right");
        assert!(engine.describe().contains("sums by trees"), "{part}: {}", engine.describe());
        let events: Vec<String> = engine.events().into_iter().map(|event| event.what.to_string()).collect();
        let [event] = &events[..] else { panic!("{part}: {events:?}") };
        assert!(event.contains("sums by trees") && event.contains("computes fusion/pool_wide wrongly"), "{event}");
        // Two halves of the classes, of which one holds everything.
        let row: Vec<f32> = (0..512).map(|class| if class < 256 { 0.0 } else { 1.0 / 256.0 }).collect();
        let evidence = consilience::Evidence::probabilities(512, &[&row]).expect("one item");
        assert_eq!(engine.fuse(&Fusion::new(Rule::Linear), &evidence).expect("the GPU").posterior(), row);
        assert!(engine.health().device_in_use);
    }
}

/// As asked for, and where nothing is asked for, as the device's subgroups are large.
#[test]
fn a_device_sums_as_it_is_best_at_or_as_asked() {
    let options = EngineOptions { device: Device::Gpu, skip_self_test: true, ..Default::default() };
    let Some(engine) = engines::open(&options, None) else { return };
    let adapter = engine.adapter().expect("a GPU has one");
    let is_best = adapter.subgroups && adapter.subgroup_lanes[1] >= 16;
    for (asked, by_subgroups) in [(None, is_best), (Some(true), adapter.subgroups), (Some(false), false)] {
        let engine = engines::open(&EngineOptions { subgroups: asked, ..options.clone() }, None).expect("again");
        assert_eq!(engine.describe().contains("sums by subgroups"), by_subgroups, "{asked:?}: {}", engine.describe());
        assert_eq!(engine.describe().contains("sums by trees"), !by_subgroups, "{asked:?}: {}", engine.describe());
        assert!(engine.events().is_empty());
    }
}

#[test]
fn the_self_test_can_be_left_out() {
    let options = EngineOptions { device: Device::Gpu, skip_self_test: true, ..Default::default() };
    let faults = Faults::new();
    faults.poison(Kernel::DigitalRoot, "29127u", "28127u");
    let Some(engine) = engines::open(&options, Some(faults)) else { return };
    // That it is wrong shows that the poison works.
    assert_ne!(vortex::digital_roots(&engine, &[u32::MAX]).expect("the GPU"), [3]);
    let evidence = consilience::Evidence::probabilities(2, &[&[0.25, 0.75], &[0.5, 0.5]]).expect("one item");
    assert_eq!(engine.fuse(&Fusion::new(Rule::Linear), &evidence).expect("the GPU").posterior(), [0.375, 0.625]);
}

/// A budget in which not one item has room is no reason to call the device wrong.
#[test]
fn what_has_no_room_in_the_budget_is_not_tested() {
    let options = EngineOptions { device: Device::Gpu, memory_bytes: Some(1), ..Default::default() };
    let Some(engine) = engines::open(&options, None) else { return };
    assert_eq!(vortex::digital_roots(&engine, &[38_u32]).expect("the CPU"), [2]);
    assert_eq!((engine.health().done_on_cpu, engine.health().device_in_use), (1, true));
}
