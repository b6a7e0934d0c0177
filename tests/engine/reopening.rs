//! A device that was lost: left alone for a while, then opened again.

use std::time::Duration;

use consilience::fault::{Fault, Faults};
use consilience::kernel::Kernel;
use consilience::{Device, DeviceError, Encoding, EngineOptions, Evidence, Fusion, Happening, OnDeviceFailure, vortex};

use super::{cpu, faulty};
use crate::support::compare::bits;
use crate::support::engines;
use crate::support::problem::Problem;

#[test]
fn while_it_is_given_up_jobs_are_the_cpus() {
    let (faults, retry_after) = (Faults::new(), Some(Duration::from_secs(3600)));
    let options = EngineOptions { device: Device::Gpu, retry_after, ..Default::default() };
    let Some(engine) = engines::open(&options, Some(faults.clone())) else { return };
    let (problem, fusion) = (Problem::random(Encoding::Probabilities, 3, 200, 4, 3), Fusion::default());
    let want = bits(&cpu().fuse(&fusion, &problem.evidence()).expect("valid evidence"));
    assert!(engine.is_gpu() && engine.health().device_in_use && !engine.describe().contains("given up"));
    faults.plan(0, Fault::Lost);
    for _ in 0..3 {
        assert_eq!(bits(&engine.fuse(&fusion, &problem.evidence()).expect("the CPU")), want);
    }
    assert_eq!(vortex::digital_roots(&engine, &[38_u32]).expect("the CPU"), [2]);
    let resident = engine.upload(&problem.evidence()).expect("the host's memory");
    assert_eq!(bits(&engine.fuse(&fusion, &resident).expect("the CPU")), want);
    let health = engine.health();
    assert_eq!((health.failures, health.while_given_up, health.given_up, health.reopened), (1, 4, 1, 0));
    assert!(engine.is_gpu() && !health.device_in_use);
    assert_eq!(faults.devices(), 0, "the device is still open");
    let said = engine.describe();
    assert!(said.contains("given up 0 s ago for 3600s: the device was lost"), "{said}");
    let events = engine.events();
    assert_eq!(events.len(), 2);
    let retries =
        |what: &Happening| matches!(what, Happening::GivenUp { retry_after, .. } if retry_after.as_secs() == 3600);
    assert!(retries(&events[1].what), "{events:?}");
    assert!(events[1].at.elapsed().is_ok_and(|ago| ago.as_secs() < 600), "{events:?}");
}

#[test]
fn where_the_caller_wants_errors_it_gets_them_until_the_device_is_back() {
    let (faults, on_device_failure) = (Faults::new(), OnDeviceFailure::Error);
    let retry_after = Some(Duration::from_secs(3600));
    let options = EngineOptions { device: Device::Gpu, on_device_failure, retry_after, ..Default::default() };
    let Some(engine) = engines::open(&options, Some(faults.clone())) else { return };
    let evidence = Evidence::probabilities(2, &[&[0.25, 0.75]]).expect("one item");
    faults.plan(0, Fault::Lost);
    for _ in 0..2 {
        let error = engine.fuse(&Fusion::default(), &evidence).expect_err("given up");
        assert!(matches!(error.device(), Some(DeviceError::Lost { .. })), "{error}");
    }
    assert_eq!((engine.health().failures, engine.health().while_given_up, engine.health().done_on_cpu), (1, 1, 0));
}

#[test]
fn each_failure_in_a_row_doubles_the_wait() {
    let (faults, retry_after) = (Faults::new(), Some(Duration::from_nanos(1)));
    let options = EngineOptions { device: Device::Gpu, retry_after, ..Default::default() };
    let Some(engine) = engines::open(&options, Some(faults.clone())) else { return };
    let evidence = Evidence::probabilities(2, &[&[0.25, 0.75]]).expect("one item");
    let fuse = || assert_eq!(engine.fuse(&Fusion::default(), &evidence).expect("an answer").decision(), [1]);
    let waits = || -> Vec<u128> {
        let events = engine.events();
        let waits = events.iter().filter_map(|event| match event.what {
            Happening::GivenUp { retry_after, .. } => Some(retry_after.as_nanos()),
            _ => None,
        });
        waits.collect()
    };
    faults.plan(0, Fault::Lost);
    faults.refuse_openings(3);
    (0..4).for_each(|_| fuse());
    assert_eq!(waits(), [1, 2, 4, 8]);
    let last = engine.events().pop().map(|event| event.what);
    let refused = DeviceError::Unavailable { adapter: "any".to_owned(), message: "a fault was put in".to_owned() };
    assert_eq!(last, Some(Happening::GivenUp { error: refused, retry_after: Duration::from_nanos(8) }));
    // A job that is done makes the next wait a first one.
    fuse();
    assert_eq!(engine.events().pop().map(|event| event.what), Some(Happening::Reopened));
    faults.plan(0, Fault::Lost);
    fuse();
    assert_eq!(waits(), [1, 2, 4, 8, 1]);
}

#[test]
fn a_device_that_comes_back_wrong_stays_given_up() {
    let Some((engine, faults)) = faulty(EngineOptions::default()) else { return };
    let values: Vec<u32> = (0..500).collect();
    let want = vortex::digital_roots(&cpu(), &values).expect("the CPU");
    faults.poison(Kernel::DigitalRoot, "29127u", "28127u");
    faults.plan(0, Fault::Lost);
    for _ in 0..3 {
        assert_eq!(vortex::digital_roots(&engine, &values).expect("the CPU"), want);
    }
    assert!(!engine.health().device_in_use && engine.health().given_up == 3, "{:?}", engine.health());
    assert!(engine.describe().contains("computes vortex/digital_root wrongly"), "{}", engine.describe());
    assert_eq!(faults.devices(), 0);
    faults.cure();
    assert_eq!(vortex::digital_roots(&engine, &values).expect("the GPU"), want);
    assert!(engine.health().device_in_use);
}
