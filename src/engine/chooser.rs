//! Which executor does a job: the model of what it takes on each, measured when it is needed and kept.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytemuck::bytes_of;

use crate::backend::cpu::Cpu;
use crate::backend::gpu::Gpu;
use crate::backend::{Backend, Timing};
use crate::engine::events::{Happening, Log};
use crate::engine::measurements::{Machine, Store};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::vortex::digital_root;
use crate::plan::batch::{Batch, Slot};
use crate::plan::cost::{Demand, Evaluations, Executor, Model, Next, PROBE};

/// Values, of four bytes, whose way there and back is measured: enough that a launch does not count.
const WAY_VALUES: usize = 1 << 20;

/// How often each is measured; the least counts.
const TIMES: usize = 3;

/// The model of one machine.
#[derive(Debug)]
pub(super) struct Chooser {
    /// Nothing panics under its lock.
    model: Mutex<Model>,
    store: Option<Store>,
    /// Whether the file is behind.
    is_changed: AtomicBool,
}

impl Chooser {
    /// What was measured before, if it is for this machine; else how long a launch and the ways to the device and back take,
    /// measured in some ten milliseconds.
    pub(super) fn open(gpu: &Gpu, cpu: &Cpu, directory: Option<&Path>, log: &Log) -> Result<Self> {
        let store = Store::new(directory, Machine::new(gpu.identity(), cpu.describe()));
        let kept = match store.as_ref().map(Store::load) {
            Some(Ok(kept)) => kept,
            Some(Err(why)) => {
                let path = store.as_ref().map(|store| store.path.clone()).unwrap_or_default();
                log.add(Happening::MeasurementsIgnored { path, why });
                None
            }
            None => None,
        };
        let (model, is_changed) = match kept {
            Some(model) => (model, false),
            None => (measure(gpu, cpu)?, true),
        };
        Ok(Self { model: Mutex::new(model), store, is_changed: AtomicBool::new(is_changed) })
    }

    /// The executor of the job. Where too little is known of one, `probe` runs the job's beginning on it, and says how much
    /// that was and how long it took; the CPU does what cannot be measured. With `is_run` the job is run then, and where it
    /// is small itself measures the CPU.
    pub(super) fn executor(
        &self,
        demand: &Demand,
        is_run: bool,
        mut probe: impl FnMut(Executor) -> Result<(Demand, Duration)>,
    ) -> Executor {
        // Each is measured once.
        for _ in 0..2 {
            match self.with(|model| model.next(demand)) {
                Next::Run(executor) => return executor,
                Next::Measure(Executor::Cpu) if is_run && demand.work <= PROBE => return Executor::Cpu,
                Next::Measure(executor) => match probe(executor) {
                    Ok((part, took)) => self.observe(executor, &part, took),
                    // Whatever is wrong the job itself will meet.
                    Err(_) => return Executor::Cpu,
                },
            }
        }
        match self.with(|model| model.next(demand)) {
            Next::Run(executor) => executor,
            Next::Measure(_) => Executor::Cpu,
        }
    }

    /// Takes in how long a job took.
    pub(super) fn observe(&self, executor: Executor, demand: &Demand, took: Duration) {
        self.with(|model| model.observe(executor, demand, took));
        self.is_changed.store(true, Ordering::Relaxed);
    }

    /// How often a regression is expected to be evaluated.
    pub(super) fn expected(&self, evaluations: Evaluations) -> f64 {
        self.with(|model| model.expected(evaluations))
    }

    /// Takes in how often one was evaluated.
    pub(super) fn observe_evaluations(&self, evaluations: Evaluations, times: u64) {
        self.with(|model| model.observe_evaluations(evaluations, times));
        self.is_changed.store(true, Ordering::Relaxed);
    }

    /// The model as it is now.
    pub(super) fn model(&self) -> Model {
        self.with(|model| model.clone())
    }

    fn with<T>(&self, with: impl FnOnce(&mut Model) -> T) -> T {
        with(&mut self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Chooser {
    /// Keeps what was measured; where that fails it is measured again.
    fn drop(&mut self) {
        if let Some(store) = self.store.as_ref().filter(|_| self.is_changed.load(Ordering::Relaxed)) {
            let _ = store.save(&self.model());
        }
    }
}

/// Launches, and the ways to the device and back.
fn measure(gpu: &Gpu, cpu: &Cpu) -> Result<Model> {
    let (_, cpu_launch) = least(cpu, 4)?;
    let (_, gpu_launch) = least(gpu, 4)?;
    let (timing, took) = least(gpu, WAY_VALUES)?;
    let bytes = 4.0 * WAY_VALUES as f64;
    let upload = timing.upload.as_secs_f64();
    // Reading back waits for the rest of the upload and for the kernel, which is next to nothing.
    let rest =
        took.as_secs_f64() - upload - gpu_launch.as_secs_f64() - timing.kernels.unwrap_or_default().as_secs_f64();
    Ok(Model::new(cpu_launch.as_secs_f64(), gpu_launch.as_secs_f64(), upload / bytes, rest.max(0.0) / bytes))
}

/// The least of some runs over so many values, after one that does not count.
fn least(executor: &dyn Backend, items: usize) -> Result<(Timing, Duration)> {
    let values: Vec<u32> = (0..items as u32).collect();
    let mut roots = vec![0_u32; items];
    let params = digital_root::Params { words: 1, ..Default::default() };
    let mut best = (Timing::default(), Duration::MAX);
    for run in 0..=TIMES {
        let begin = Instant::now();
        let timing = executor.run_batch(Batch {
            kernel: Kernel::DigitalRoot,
            items,
            block: digital_root::BLOCK,
            operations: 0,
            params: bytes_of(&params),
            inputs: vec![Slot::<&[u8]>::items(&[&values[..]])],
            outputs: vec![Slot::<&mut [u8]>::items([&mut roots[..]])],
        })?;
        let took = begin.elapsed();
        if run > 0 && took < best.1 {
            best = (timing, took);
        }
    }
    Ok(best)
}
