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
