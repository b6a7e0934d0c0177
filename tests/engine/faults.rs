//! Each fault, put in at each place of a job: the job ends right on the CPU, or with an error that says what failed.

use std::thread;
use std::time::Duration;

use consilience::fault::{Fault, Faults};
use consilience::kernel::Kernel;
use consilience::stacking::{LabelledLoss, Stacked};
use consilience::vortex::{Anchors, Cycles, Direction, Path};
use consilience::{
    DeviceError, Encoding, Engine, EngineOptions, Error, Fused, Fusion, Happening, Job, OnDeviceFailure, Output, Rule,
};

use super::{cpu, faulty};
use crate::support::compare::bits;
use crate::support::problem::{Problem, Random};

const FAULTS: [Fault; 5] =
    [Fault::Lost, Fault::OutOfMemory, Fault::TimedOut, Fault::CallbackPanics, Fault::ExecutorPanics];

/// Memory in which the problem below takes several chunks.
const LITTLE: u64 = 16 << 10;

fn problem() -> Problem {
    Problem::random(Encoding::Probabilities, 3, 500, 5, 41).with_holes(41)
}

fn fusion() -> Fusion {
    Fusion::default().outputs(&Output::ALL)
}

/// Whether the error is what comes of the fault.
fn is_of(fault: Fault, error: &DeviceError) -> bool {
    match fault {
        Fault::Lost => matches!(error, DeviceError::Lost { message } if message.contains("Destroyed")),
        Fault::OutOfMemory => matches!(error, DeviceError::OutOfMemory { bytes, .. } if *bytes > 0),
        Fault::TimedOut => matches!(error, DeviceError::TimedOut { seconds: 120 }),
        _ => matches!(error, DeviceError::Panicked { message } if message.contains("a fault was put in")),
    }
}

/// Whether the device goes on after the fault.
fn is_mild(fault: Fault) -> bool {
    fault == Fault::OutOfMemory
}

/// How many submissions the job takes.
fn submissions(faults: &Faults, job: impl FnOnce()) -> u64 {
    let before = faults.submissions();
    job();
    faults.submissions() - before
}

/// What the last failure of a job was, and what was done.
fn last(engine: &Engine) -> (Job, DeviceError, bool) {
    let events = engine.events();
    let failure = events.iter().rev().find_map(|event| match &event.what {
        Happening::DoneOnCpu { job, error } => Some((*job, error.clone(), true)),
        Happening::Failed { job, error } => Some((*job, error.clone(), false)),
        _ => None,
    });
    failure.unwrap_or_else(|| panic!("nothing failed: {events:?}"))
}

fn device_error(error: &Error) -> &DeviceError {
    error.device().unwrap_or_else(|| panic!("{error}"))
}

#[test]
fn a_fusion_ends_on_the_cpu_wherever_the_fault_comes() {
    let Some((engine, faults)) = faulty(EngineOptions { memory_bytes: Some(LITTLE), ..Default::default() }) else {
        return;
    };
    let (problem, fusion, mut fused) = (problem(), fusion(), Fused::default());
    let evidence = problem.evidence();
    let want = bits(&cpu().fuse(&fusion, &evidence).expect("valid evidence"));
    let all = submissions(&faults, || {
        assert!(engine.fuse_into(&fusion, &evidence, &mut fused).expect("valid evidence").chunks > 2);
    });
    assert_ne!(bits(&fused), want, "the GPU rounds as the CPU does: the test cannot tell them apart");
    let on_gpu = bits(&fused);
    for fault in FAULTS {
        for at in [0, 1, all / 2, all - 1] {
            let before = engine.health();
            faults.plan(at, fault);
            engine.fuse_into(&fusion, &evidence, &mut fused).expect("the CPU's answer");
            assert_eq!(bits(&fused), want, "{fault:?} at {at} of {all}");
            let (job, error, is_done_on_cpu) = last(&engine);
            assert!(is_of(fault, &error) && is_done_on_cpu, "{fault:?} at {at} of {all}: {error}");
            assert_eq!(job, Job::Run(Kernel::Pool));
            let now = engine.health();
            assert_eq!((now.done_on_cpu, now.failures), (before.done_on_cpu + 1, before.failures + 1));
            assert_eq!(now.given_up, before.given_up + u64::from(!is_mild(fault)), "{fault:?} at {at}");
            assert_eq!(now.device_in_use, is_mild(fault), "{fault:?} at {at}");

            // The next job is the device's again, opened anew where it was given up.
            engine.fuse_into(&fusion, &evidence, &mut fused).expect("valid evidence");
            assert_eq!(bits(&fused), on_gpu, "{fault:?} at {at} of {all}");
            assert_eq!(engine.health().reopened, now.reopened + u64::from(!is_mild(fault)), "{fault:?} at {at}");
        }
    }
    // A device that timed out is let go by the thread that waits for it.
    let is_freed = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        faults.devices() == 1
    });
    assert!(is_freed, "{} devices are open", faults.devices());
}

#[test]
fn arrays_updated_in_place_are_updated_once() {
    let Some((engine, faults)) = faulty(EngineOptions { memory_bytes: Some(LITTLE), ..Default::default() }) else {
        return;
    };
    let (items, mut random) = (3000, Random::new(5));
    let places = (0..items).map(|_| random.below(6) as u32).collect();
    let velocities = (0..items).map(|_| 3.0 * random.unit()).collect();
    let start = Cycles::new(Path::flow(), places, vec![Direction::Forward; items], velocities).expect("objects");
    let mut want = start.clone();
    want.tick(&cpu(), 0.25, 9).expect("the CPU");
    let mut cycles = start.clone();
    let all = submissions(&faults, || {
        assert!(cycles.tick(&engine, 0.25, 9).expect("the GPU").chunks > 2);
    });
    for fault in FAULTS {
        for at in [0, all / 2, all - 1] {
            let mut cycles = start.clone();
            faults.plan(at, fault);
            cycles.tick(&engine, 0.25, 9).expect("the CPU");
            assert_eq!(cycles, want, "{fault:?} at {at} of {all}");
            let (job, error, _) = last(&engine);
            assert!(
                job == Job::Run(Kernel::Cycle) && is_of(fault, &error),
                "{fault:?} at {at} of {all}: {job} {error}"
            );
            // Opens the device again.
            cycles.tick(&engine, 0.25, 9).expect("the GPU");
        }
    }
}

#[test]
fn where_the_caller_wants_the_error_arrays_are_as_they_were() {
    let options =
        EngineOptions { memory_bytes: Some(LITTLE), on_device_failure: OnDeviceFailure::Error, ..Default::default() };
    let Some((engine, faults)) = faulty(options) else { return };
    let mut random = Random::new(6);
    let positions: Vec<u32> = (0..3000).map(|_| random.below(10) as u32).collect();
    let before = random.list(3 * positions.len(), -1.0, 1.0);
    let relax = |payload: &mut Vec<f32>| Anchors::default().relax(&engine, &positions, payload, 0.5, 2);
    let all = submissions(&faults, || assert!(relax(&mut before.clone()).expect("the GPU").chunks > 2));
    for fault in FAULTS {
        let mut payload = before.clone();
        faults.plan(all - 1, fault);
        let error = relax(&mut payload).expect_err("the fault");
        assert!(is_of(fault, device_error(&error)), "{fault:?}: {error}");
        assert!(payload == before, "{fault:?}: the payload is half done");
        assert!(!last(&engine).2);
        assert_eq!(engine.health().done_on_cpu, 0);
        relax(&mut payload).expect("the GPU, opened again");
    }
}

#[test]
fn a_fit_goes_on_on_the_cpu() {
    let Some((engine, faults)) = faulty(EngineOptions::default()) else { return };
    let problem = Problem::random(Encoding::Probabilities, 2, 300, 3, 7);
    let labels: Vec<Option<u32>> = (0..300).map(|item| (item % 4 < 3).then_some(item % 3)).collect();
    let (evidence, mut random) = (problem.evidence(), Random::new(8));
    let model = Stacked::new(2, 3, random.list(18, -0.5, 0.5), random.list(3, -0.5, 0.5)).expect("a model");
    let cpu = cpu();
    let want = LabelledLoss::new(&cpu, &evidence, &labels).expect("valid").at(&model).expect("valid");
    for fault in FAULTS {
        // Opens the device again.
        engine.fuse(&fusion(), &evidence).expect("the GPU");
        // While the features are uploaded, and later.
        faults.plan(0, fault);
        let mut loss = LabelledLoss::new(&engine, &evidence, &labels).expect("valid");
        assert_eq!(loss.at(&model).expect("valid"), want, "{fault:?}");
        let mut loss = LabelledLoss::new(&engine, &evidence, &labels).expect("valid");
        let on_gpu = loss.at(&model).expect("valid");
        assert_ne!(on_gpu, want, "the GPU rounds as the CPU does: the test cannot tell them apart");
        assert!((on_gpu.value - want.value).abs() < 1e-3, "{} {}", on_gpu.value, want.value);
        faults.plan(1, fault);
        for _ in 0..2 {
            assert_eq!(loss.at(&model).expect("valid"), want, "{fault:?}");
        }
        let (job, error, is_done_on_cpu) = last(&engine);
        assert!(job == Job::Run(Kernel::SoftmaxRegression) && is_done_on_cpu && is_of(fault, &error), "{job} {error}");
    }
    assert_eq!(engine.health().done_on_cpu, 2 * FAULTS.len() as u64);
}

#[test]
fn uploaded_evidence_is_lost_with_its_device_and_nothing_else_is() {
    let Some((engine, faults)) = faulty(EngineOptions { resident_bytes: Some(40_000), ..Default::default() }) else {
        return;
    };
    let (problem, fusion) = (problem(), fusion());
    let evidence = problem.evidence();
    let lost = engine.upload(&evidence).expect("room");
    let want = bits(&engine.fuse(&fusion, &lost).expect("the GPU"));
    assert!(engine.upload(&evidence).is_err_and(|error| error.to_string().contains("resident_bytes")), "room for one");
    let bytes = lost.bytes();

    faults.plan(1, Fault::Lost);
    let error = engine.fuse(&fusion, &lost).expect_err("lost");
    assert!(is_of(Fault::Lost, device_error(&error)), "{error}");
    assert!(!last(&engine).2, "nothing of the evidence is on the host");
    for _ in 0..2 {
        let error = engine.fuse(&fusion, &lost).expect_err("lost");
        assert_eq!(*device_error(&error), DeviceError::HeldLost);
        assert!(error.to_string().contains("upload it again"), "{error}");
    }
    // The handle counts until it is dropped.
    assert_eq!((engine.resident().handles, engine.resident().bytes), (1, bytes));
    drop(lost);
    assert_eq!((engine.resident().handles, engine.resident().bytes), (0, 0));
    let again = engine.upload(&evidence).expect("room");
    assert_eq!(bits(&engine.fuse(&fusion, &again).expect("the device, opened again")), want);
    assert_eq!(engine.resident().handles, 1);
    assert_eq!(faults.devices(), 1, "the device that was lost is still held");
}

#[test]
fn an_upload_that_fails_is_kept_by_the_cpu() {
    let Some((engine, faults)) = faulty(EngineOptions::default()) else { return };
    let (problem, fusion) = (problem(), fusion());
    let evidence = problem.evidence();
    let want = bits(&cpu().fuse(&fusion, &evidence).expect("valid evidence"));
    // The others show where the device is waited for, which a small upload is not.
    for fault in [Fault::Lost, Fault::OutOfMemory, Fault::ExecutorPanics] {
        // Opens the device again.
        engine.fuse(&fusion, &evidence).expect("the GPU");
        faults.plan(0, fault);
        let resident = engine.upload(&evidence).expect("the host's memory");
        let (job, error, is_done_on_cpu) = last(&engine);
        assert!(job == Job::Upload && is_done_on_cpu && is_of(fault, &error), "{fault:?}: {job} {error}");
        assert_eq!(bits(&engine.fuse(&fusion, &resident).expect("the CPU")), want, "{fault:?}");
        assert_eq!(engine.resident().handles, 1);
    }
    assert_eq!(engine.resident().handles, 0);
}

#[test]
fn a_budget_of_a_mebibyte_is_kept_or_the_job_is_the_cpus() {
    let Some((engine, _)) = faulty(EngineOptions { memory_bytes: Some(1 << 20), ..Default::default() }) else { return };
    let fusion = Fusion::new(Rule::Linear);
    // 1.2 MB of evidence, in chunks; 2 MB in one item.
    let many = Problem::random(Encoding::Probabilities, 4, 15_000, 5, 9);
    let mut fused = Fused::default();
    let timing = engine.fuse_into(&fusion, &many.evidence(), &mut fused).expect("chunks");
    assert!(timing.chunks > 1, "{timing:?}");
    assert!(engine.events().is_empty(), "{:?}", engine.events());
    let wide = Problem::random(Encoding::Probabilities, 2, 1, 250_000, 9);
    let want = bits(&cpu().fuse(&fusion, &wide.evidence()).expect("valid evidence"));
    assert_eq!(bits(&engine.fuse(&fusion, &wide.evidence()).expect("the CPU")), want);
    let (job, error, is_done_on_cpu) = last(&engine);
    assert!(matches!(error, DeviceError::ItemTooLarge { needed: 2_000_000.., allowed: 1_048_576 }), "{error}");
    assert_eq!((job, is_done_on_cpu), (Job::Run(Kernel::PoolWide), true));
    assert!(engine.health().device_in_use, "a device is not given up for a job that it has no room for");
}

#[test]
fn the_callers_own_faults_are_no_device_failures() {
    let Some((engine, _)) = faulty(EngineOptions::default()) else { return };
    let mut problem = problem();
    let item = problem.presence[0].as_ref().and_then(|present| present.iter().position(|&present| present));
    problem.planes[0].f32s_mut()[5 * item.expect("someone was asked")] = f32::NAN;
    let error = engine.fuse(&fusion(), &problem.evidence()).expect_err("not a number");
    assert_eq!(error.invalid_opinion().map(|opinion| opinion.item), item);
    assert!(engine.events().is_empty() && engine.health().device_in_use);
}

#[test]
fn jobs_of_many_threads_survive_one_loss() {
    let Some((engine, faults)) = faulty(EngineOptions::default()) else { return };
    let problem = problem();
    let (evidence, fusion) = (problem.evidence(), fusion());
    let on_gpu = bits(&engine.fuse(&fusion, &evidence).expect("the GPU"));
    let on_cpu = bits(&cpu().fuse(&fusion, &evidence).expect("the CPU"));
    faults.plan(9, Fault::Lost);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..4 {
                    let got = bits(&engine.fuse(&fusion, &evidence).expect("either"));
                    assert!(got == on_gpu || got == on_cpu);
                }
            });
        }
    });
    let health = engine.health();
    assert_eq!((health.given_up, health.reopened, health.device_in_use), (1, 1, true), "{:?}", engine.events());
    assert!(health.done_on_cpu >= 1);
}
