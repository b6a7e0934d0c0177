//! How a case is measured: as large as the budget allows, compared with the CPU first, then timed.

use std::time::{Duration, Instant};

use consilience::kernel::Kernel;
use consilience::{Device, Engine, EngineOptions};

use super::agreement;
use super::cases::{Case, Job, timed};
use super::rivals::{Opened, Rival, apart};
use super::roof::Roof;
use super::sizes::{Budget, copies};
use super::statistics::{Often, Samples};
use crate::Failure;

/// How far a rival's answer may be from ours.
const RIVAL_APART: f32 = 1e-5;

/// The CPU on one thread takes at most so many times the device's budget.
const CPU_PATIENCE: u32 = 10;

/// Stands where an operation takes its inputs from the host's memory at every call.
pub const NOT_HELD: &str = "not held";

/// Half of what is moved by the largest copies where the CPU stands in for a device.
const HOST_COPY_BYTES: u64 = 256 << 20;

/// What is measured on, and how long.
pub struct Bench {
    pub device: Engine,
    pub one_core: Engine,
    pub all_cores: Engine,
    frameworks: Vec<(Rival, Opened)>,
    budget: Budget,
    kernels: Often,
    calls: Often,
}

/// What was measured, or why it was not.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    Taken(Samples),
    Not(String),
}

/// A copy on the device, by bytes copied.
pub struct Copy {
    pub bytes: u64,
    pub by_kernel: Figure,
    pub by_command: Figure,
}

/// Everything measured of a case. Times are in seconds.
pub struct Row {
    pub kernel: Kernel,
    pub name: String,
    pub items: usize,
    /// Bytes that must be read and written.
    pub moved: u64,
    pub operations: Option<f64>,
    /// On the device's own clock.
    pub kernel_time: Figure,
    /// Of the memory's speed in a copy that moves as much.
    pub of_copy: Option<f64>,
    /// From call to return, with inputs that the device holds.
    pub resident: Figure,
    /// From call to return, from the host's memory.
    pub end_to_end: Figure,
    pub one_core: Figure,
    pub all_cores: Figure,
    pub rivals: Vec<(Rival, Figure)>,
}

/// What became of a case.
pub enum Outcome {
    Measured(Box<Row>),
    /// The device cannot do it; why.
    Skipped(String),
    /// The device's answer is not the CPU's: how they differ.
    Wrong(String),
}

impl Figure {
    pub fn taken(&self) -> Option<&Samples> {
        match self {
            Self::Taken(samples) => Some(samples),
            Self::Not(_) => None,
        }
    }

    pub fn median(&self) -> Option<f64> {
        self.taken().map(Samples::median)
    }

    fn of(times: Vec<Duration>, otherwise: &str) -> Self {
        Samples::of(times).map_or_else(|| Self::Not(otherwise.to_owned()), Self::Taken)
    }
}

impl Row {
    /// Bytes a second that the kernel must have moved.
    pub fn rate(&self) -> Option<f64> {
        self.kernel_time.median().filter(|&seconds| seconds > 0.0).map(|seconds| self.moved as f64 / seconds)
    }

    /// Operations for each byte moved.
    pub fn intensity(&self) -> Option<f64> {
        self.operations.map(|operations| operations / self.moved as f64)
    }
}

impl Bench {
    pub fn open(device: &Device, quick: bool) -> Result<Self, Failure> {
        let cpu = |threads| Engine::open(&EngineOptions { device: Device::Cpu, threads, ..EngineOptions::default() });
        let device = match device {
            // The report is of a GPU, or of what stands for one, where there is any.
            Device::Auto => Engine::gpu().or_else(|_| Engine::auto())?,
            device => Engine::open(&EngineOptions { device: device.clone(), ..EngineOptions::default() })?,
        };
        let adapter = device.adapter();
        let is_hardware = adapter.as_ref().is_some_and(|adapter| !adapter.is_software());
        // Hardware is fast beside the transfers that a run may take; software is as slow as it looks.
        let milliseconds = match (is_hardware, quick) {
            (true, false) => 150,
            (true, true) => 30,
            (false, false) => 30,
            (false, true) => 6,
        };
        let budget = Budget { time: Duration::from_millis(milliseconds), bytes: 256 << 20 };
        let within = |runs| runs * budget.time;
        Ok(Self {
            one_core: cpu(Some(1))?,
            all_cores: cpu(None)?,
            frameworks: Rival::ALL.map(|rival| (rival, rival.open(adapter.as_ref()))).into(),
            kernels: Often { least: 20, most: 100, within: within(20) },
            calls: Often { least: 3, most: 20, within: within(8) },
            device,
            budget,
        })
    }

    /// Copies of all sizes, by a kernel and by command, and why there are no more.
    pub fn copies(&self) -> Result<(Vec<Copy>, Option<String>), Failure> {
        let adapter = self.device.adapter();
        let most = adapter.map_or(HOST_COPY_BYTES, |adapter| adapter.limits.binding_bytes.min((1 << 31) - 16));
        let mut found = Vec::new();
        for bytes in copies(most) {
            let copy = match self.copy(bytes) {
                Ok(copy) => copy,
                // The smaller ones were had.
                Err(error) if !found.is_empty() => return Ok((found, Some(format!("{bytes} bytes: {error}")))),
                Err(error) => return Err(error),
            };
            let took = copy.by_kernel.median().unwrap_or_default();
            found.push(copy);
            if took > 2.0 * self.budget.time.as_secs_f64() && bytes < most {
                return Ok((found, Some(format!("more than {bytes} bytes would take longer than is allowed"))));
            }
        }
        Ok((found, None))
    }

    fn copy(&self, bytes: u64) -> Result<Copy, Failure> {
        if !self.device.is_gpu() {
            return Ok(Copy { bytes, by_kernel: self.host_copy(bytes), by_command: Figure::Not("no device".into()) });
        }
        let no_clock = "the device has no clock";
        let times = self.device.copy_kernel_times(bytes, self.kernels.least)?.unwrap_or_default();
        let best = self.device.copy_time(bytes)?;
        Ok(Copy {
            bytes,
            by_kernel: Figure::of(times, no_clock),
            by_command: Figure::of(best.into_iter().collect(), no_clock),
        })
    }

    /// A copy in the host's memory, on as many threads as there are cores.
    fn host_copy(&self, bytes: u64) -> Figure {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (from, mut to) = (vec![1_u8; bytes as usize], vec![0_u8; bytes as usize]);
        let part = from.len().div_ceil(threads).max(1);
        let mut once = || -> Result<Duration, std::convert::Infallible> {
            let start = Instant::now();
            std::thread::scope(|scope| {
                for (to, from) in to.chunks_mut(part).zip(from.chunks(part)) {
                    scope.spawn(|| to.copy_from_slice(from));
                }
            });
            Ok(start.elapsed())
        };
        let Ok(_) = once();
        let Ok(times) = self.kernels.measure(once);
        Figure::of(times, "nothing was copied")
    }

    /// Measures a case; `Err` is no device's fault.
    pub fn case(&self, case: &Case, roof: &Roof) -> Result<Outcome, Failure> {
        let items = match self.size(case) {
            Ok(items) => items,
            Err(error) => return skipped(error),
        };
        let (mut ours, mut theirs) = (case.job(items)?, case.job(items)?);
        let before = self.device.spent(case.kernel);
        if let Err(error) = ours.run(&self.device) {
            return skipped(error);
        }
        let spent = self.device.spent(case.kernel).since(&before);
        theirs.run(&self.all_cores)?;
        if let Err(difference) = agreement::check(&theirs.answer(), &ours.answer()) {
            return Ok(Outcome::Wrong(difference));
        }
        let rivals = self.rivals(&*theirs)?;
        // What it makes of inputs that it holds is to be the same; operations in place go on from the same state.
        let again = ours.held(&self.device).and_then(|held| held.map_or(Ok(false), |mut held| held().map(|()| true)));
        match again {
            Ok(true) => theirs.run(&self.all_cores)?,
            Ok(false) => {}
            Err(error) => return skipped(error),
        }
        if let Err(difference) = agreement::check(&theirs.answer(), &ours.answer()) {
            return Ok(Outcome::Wrong(format!("from what is held, {difference}")));
        }
        let (kernel_time, resident, end_to_end) = match self.device_figures(case, &mut *ours) {
            Ok(figures) => figures,
            Err(error) => return skipped(error),
        };
        let of_kernel = (spent.operations > 0).then_some(spent.operations as f64);
        let mut row = Row {
            kernel: case.kernel,
            name: case.name.clone(),
            items,
            moved: spent.bytes,
            operations: case.operations.map(|operations| operations * items as f64).or(of_kernel),
            kernel_time,
            of_copy: None,
            resident,
            end_to_end,
            one_core: self.calls(&mut *theirs, &self.one_core)?,
            all_cores: self.calls(&mut *theirs, &self.all_cores)?,
            rivals,
        };
        row.of_copy = row.rate().zip(roof.at(row.moved as f64)).map(|(rate, copy)| rate / copy);
        Ok(Outcome::Measured(Box::new(row)))
    }

    /// As many items as the budget allows.
    fn size(&self, case: &Case) -> Result<usize, Failure> {
        let mut items = case.start;
        loop {
            let (mut job, mut on_cpu) = (case.job(items)?, case.job(items)?);
            let before = self.device.spent(case.kernel);
            // What is compiled or reserved in the first run is so once.
            job.run(&self.device)?;
            let bytes = self.device.spent(case.kernel).since(&before).bytes;
            let took = timed(|| job.run(&self.device))?;
            let on_cpu = timed(|| on_cpu.run(&self.one_core))?;
            match self.budget.next(items, took.max(on_cpu / CPU_PATIENCE), bytes) {
                Some(next) => items = next,
                None => return Ok(items),
            }
        }
    }

    /// Of the kernel alone, of calls over what the device holds, and of calls from the host's memory. Operations over arrays
    /// that are held wait for each other, which no clock tells apart: their kernels are timed in calls from the host's memory.
    fn device_figures(&self, case: &Case, job: &mut dyn Job) -> Result<(Figure, Figure, Figure), Failure> {
        let (mut kernels, mut held_calls) = (Vec::new(), Vec::new());
        let spent = || self.device.spent(case.kernel);
        if let Some(mut held) = job.held(&self.device)? {
            held()?;
            held_calls = self.kernels.measure(|| {
                let before = spent();
                let took = timed(&mut held)?;
                let ran = spent().since(&before);
                kernels.extend(ran.timing.kernels.filter(|_| ran.runs > 0));
                Ok::<_, Failure>(took)
            })?;
        }
        let is_timed = !kernels.is_empty();
        let often = if is_timed { self.calls } else { self.kernels };
        let calls = often.measure(|| {
            let before = spent();
            let took = timed(|| job.run(&self.device))?;
            if !is_timed {
                kernels.extend(spent().since(&before).timing.kernels);
            }
            Ok::<_, Failure>(took)
        })?;
        Ok((
            Figure::of(kernels, "the device has no clock"),
            Figure::of(held_calls, NOT_HELD),
            Figure::of(calls, "no call was made"),
        ))
    }

    fn calls(&self, job: &mut dyn Job, engine: &Engine) -> Result<Figure, Failure> {
        job.run(engine)?;
        Ok(Figure::of(self.calls.measure(|| timed(|| job.run(engine)))?, "no call was made"))
    }

    /// Each framework's composition, once it is known to come to the same.
    fn rivals(&self, job: &dyn Job) -> Result<Vec<(Rival, Figure)>, Failure> {
        let composable = job.composable();
        let figure = |framework: &Opened| -> Result<Figure, Failure> {
            let framework = match framework {
                Ok(framework) => framework,
                Err(reason) => return Ok(Figure::Not(reason.clone())),
            };
            let Some(given) = &composable else { return Ok(Figure::Not("not composed".to_owned())) };
            let mut running = framework.take(given)?;
            running.run()?;
            let apart = apart(given.ours, &running.answer()?);
            if apart > RIVAL_APART {
                return Ok(Figure::Not(format!("differs by {apart:e}")));
            }
            Ok(Figure::of(self.calls.measure(|| timed(|| running.run()))?, "no call was made"))
        };
        self.frameworks.iter().map(|(rival, framework)| Ok((*rival, figure(framework)?))).collect()
    }
}

/// What a device cannot do is named; anything else ends the report.
fn skipped(error: Failure) -> Result<Outcome, Failure> {
    match error.downcast_ref::<consilience::Error>() {
        Some(device) if device.is_device() => Ok(Outcome::Skipped(device.to_string())),
        _ => Err(error),
    }
}
