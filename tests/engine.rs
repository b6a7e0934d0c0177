//! The engine: which executor does a job, and what becomes of jobs on devices that fail.

mod choice;
mod faults;
mod reopening;
mod self_test;

use std::time::Duration;

use consilience::fault::Faults;
use consilience::{Device, Engine, EngineOptions};

use crate::support::engines;

/// An engine on a GPU that faults are put into; lost, it is opened again by the next job.
fn faulty(options: EngineOptions) -> Option<(Engine, Faults)> {
    let faults = Faults::new();
    let options = EngineOptions { device: Device::Gpu, retry_after: Some(Duration::ZERO), ..options };
    Some((engines::open(&options, Some(faults.clone()))?, faults))
}

/// The CPU executor that stands in for a device where the options say nothing of threads and SIMD.
fn cpu() -> Engine {
    Engine::cpu().expect("a CPU engine")
}
