//! The engine: validate, lower, run.

mod accelerator;
mod array;
mod attempt;
mod choice;
mod chooser;
mod events;
#[cfg(feature = "gpu")]
mod foreign;
mod host;
mod measurements;
mod operation;
mod placed;
mod planes;
mod regression;
mod resident;
mod self_test;
mod spent;
pub mod stream;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::accelerator::{Accelerator, Opening};
pub use self::array::ResidentArray;
use self::attempt::attempt;
pub use self::choice::{Choice, Reason};
use self::chooser::Chooser;
use self::events::Log;
pub use self::events::{Event, Happening, Health, Job};
use self::host::Host;
pub(crate) use self::operation::{Check, Operation, Read, Within};
pub use self::planes::ResidentPlanes;
use self::regression::Movable;
use self::resident::Residency;
pub use self::resident::{Input, Resident, ResidentFused, ResidentStats};
pub use self::spent::Spent;
use self::spent::{Account, Accounted};
use crate::backend::cpu::{Cpu, SimdLevel};
use crate::backend::fault::Faults;
use crate::backend::gpu::Wanted;
use crate::backend::{Adapter, Backend, Held, Regression, Timing};
use crate::error::{Error, EvidenceError, FitError, Result};
use crate::kernel::Kernel;
use crate::kernel::stacking::softmax_regression::{Features, MAX_PARAMETERS};
use crate::plan::batch::Batch;
pub(crate) use crate::plan::cost::Evaluations;
use crate::plan::{self, Program};
use crate::spec::Fusion;
use crate::tensor::{Evidence, Fused};

/// The environment variable that overrides the choice of [`Engine::auto`].
const DEVICE_VARIABLE: &str = "CONSILIENCE_DEVICE";

/// What uploaded evidence may take unless the caller says otherwise.
const RESIDENT_BYTES: u64 = 4 << 30;

/// How long a lost device is left alone at first, unless the caller says otherwise.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Fuses evidence on one device. Opening one takes a while; keep it and share it between threads.
///
/// What a GPU does cannot lose a job: where it is lost, is out of memory, does not answer or panics, the job is done again on
/// the CPU ([`EngineOptions::on_device_failure`]) and the event is noted ([`Engine::events`]). A GPU of which nothing more can
/// be asked is given up and opened again by the first job after a while ([`EngineOptions::retry_after`]).
///
/// # Examples
///
/// *Which device, and why.*
///
/// ```
/// let engine = consilience::Engine::cpu()?;
/// assert!(engine.describe().starts_with("cpu: "));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    host: Host,
    /// `None`: everything is done on the CPU.
    accelerator: Option<Accelerator>,
    /// `None`: there is no choice.
    chooser: Option<Chooser>,
    on_device_failure: OnDeviceFailure,
    log: Log,
    reason: String,
    residency: Arc<Residency>,
    account: Account,
}

/// Where an engine is to run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Device {
    /// A real GPU beside the CPU if there is one, each job where it is expected to take less; else the CPU.
    /// `CONSILIENCE_DEVICE` overrides.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU: a real one if there is one, else a software driver.
    Gpu,
    /// The first GPU whose name contains this, whatever the case; a software driver too.
    Named(String),
}

/// What becomes of a job that fails on the device or does not fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnDeviceFailure {
    /// It is done on the CPU.
    #[default]
    UseCpu,
    /// Its caller gets the error.
    Error,
}

/// How to open an engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineOptions {
    /// Where it runs.
    pub device: Device,
    /// Threads of the CPU executor; `None`: one per core.
    pub threads: Option<usize>,
    /// SIMD instructions of the CPU executor; `None`: the machine's best.
    pub simd: Option<SimdLevel>,
    /// Device memory that one fusion, or one fit, may take at a time, in bytes; larger jobs are cut along items. `None`:
    /// 256 MiB.
    pub memory_bytes: Option<u64>,
    /// Memory that evidence may take that was uploaded and not dropped, in bytes, on the CPU the host's. `None`: 4 GiB.
    pub resident_bytes: Option<u64>,
    /// What becomes of a job that fails on the device or does not fit it.
    pub on_device_failure: OnDeviceFailure,
    /// How long a device stays given up after it was lost, twice as long each time it is lost again without having done a
    /// job, to 512 times as long. `None`: one second.
    pub retry_after: Option<Duration>,
    /// Whether a device need not prove on small known problems, when it is opened, that it computes rightly.
    pub skip_self_test: bool,
    /// Whether kernels sum over a workgroup by the device's subgroups, where it has any, or by a tree of its lanes. `None`:
    /// by subgroups where they have 16 lanes or more and pass the self-test. [`Engine::describe`] says which.
    pub subgroups: Option<bool>,
    /// Whether a software driver counts as a GPU to [`Device::Auto`]: for tests, where there is no other.
    pub software_gpu: bool,
    /// Where measurements are kept from which [`Device::Auto`] chooses. `None`: in `CONSILIENCE_CACHE_DIR`, nowhere where
    /// that is empty, else in the system's place for caches.
    pub cache_dir: Option<PathBuf>,
}

impl Engine {
    /// A real GPU beside the CPU if there is one, else the CPU. `CONSILIENCE_DEVICE=cpu|gpu|<adapter name>` overrides.
    ///
    /// With a GPU each job goes where it is expected to take less, by what was measured on this machine: a launch, a byte's
    /// way there and back, and of each kernel the time of its work. A kernel is measured when a job first needs it: on up to
    /// 4 MiB of the job, three times on each executor, and on the GPU only where that could be faster however fast it
    /// works. Jobs correct by how long they took what they were expected to take. What was measured is kept in a file
    /// ([`EngineOptions::cache_dir`]) for this GPU, its driver, this processor and this version; [`Engine::describe_choice`]
    /// prints what a choice is made of, [`Engine::describe_kernel_choice`] and [`Engine::describe_fit_choice`] do so of a size.
    /// What is held is worked on where it is. A fit is chosen as a whole: its features go to the GPU once, and it is expected
    /// to evaluate as often as those before it did, which is kept with the rest; the first one as rarely as a fit can.
    ///
    /// # Errors
    ///
    /// The variable demands a device that there is not.
    pub fn auto() -> Result<Self> {
        Self::open(&EngineOptions::default())
    }

    /// The CPU, on all cores.
    ///
    /// # Errors
    ///
    /// The system gives no threads.
    pub fn cpu() -> Result<Self> {
        Self::open(&EngineOptions { device: Device::Cpu, ..EngineOptions::default() })
    }

    /// A GPU: a real one if there is one, else a software driver.
    ///
    /// # Errors
    ///
    /// There is none, it gives no device, or this build has no GPU executor.
    pub fn gpu() -> Result<Self> {
        Self::open(&EngineOptions { device: Device::Gpu, ..EngineOptions::default() })
    }

    /// As the options say.
    ///
    /// # Errors
    ///
    /// As the device chosen: [`Engine::auto`], [`Engine::cpu`] or [`Engine::gpu`].
    pub fn open(options: &EngineOptions) -> Result<Self> {
        Self::open_with(options, None)
    }

    /// The same with faults to be put into its device: for the tests of this crate.
    ///
    /// # Errors
    ///
    /// As [`Engine::open`].
    #[doc(hidden)]
    pub fn open_with(options: &EngineOptions, faults: Option<Faults>) -> Result<Self> {
        match (&options.device, std::env::var(DEVICE_VARIABLE)) {
            (Device::Auto, Ok(name)) if !name.is_empty() => {
                Self::on(&name.parse()?, options, faults, &format!("{DEVICE_VARIABLE}={name}"))
            }
            (device, _) => Self::on(device, options, faults, "asked for"),
        }
    }

    fn on(device: &Device, options: &EngineOptions, faults: Option<Faults>, why: &str) -> Result<Self> {
        let (log, mut chooser) = (Log::default(), None);
        let open = |wanted| {
            let EngineOptions { memory_bytes, skip_self_test, subgroups, .. } = *options;
            let opening = Opening { wanted, memory_bytes, is_tested: !skip_self_test, subgroups, faults };
            Accelerator::open(opening, options.retry_after.unwrap_or(RETRY_AFTER), &log)
        };
        let host = Host::new(options.threads, options.simd);
        let (accelerator, reason) = match device {
            Device::Cpu => (None, why.to_owned()),
            Device::Gpu => (Some(open(Wanted::Any)?), why.to_owned()),
            Device::Named(name) => (Some(open(Wanted::Named(name.clone()))?), why.to_owned()),
            Device::Auto => {
                let wanted = if options.software_gpu { Wanted::Any } else { Wanted::Real };
                let measured = |accelerator: Accelerator| {
                    let (gpu, cpu) = (accelerator.current(&log)?, host.cpu()?);
                    let chooser = attempt(|| Chooser::open(&gpu, cpu, options.cache_dir.as_deref(), &log))?;
                    Ok::<_, Error>((accelerator, chooser))
                };
                match open(wanted).and_then(measured) {
                    Ok((accelerator, measured)) => {
                        chooser = Some(measured);
                        (
                            Some(accelerator),
                            "each job where it is expected to take less, there or on the CPU".to_owned(),
                        )
                    }
                    Err(error) => (None, error.to_string()),
                }
            }
        };
        Self::with(accelerator, chooser, host, log, reason, options)
    }

    fn with(
        accelerator: Option<Accelerator>,
        chooser: Option<Chooser>,
        host: Host,
        log: Log,
        reason: String,
        options: &EngineOptions,
    ) -> Result<Self> {
        if accelerator.is_none() {
            host.cpu()?;
        }
        let residency = Residency::new(options.resident_bytes.unwrap_or(RESIDENT_BYTES));
        Ok(Self {
            host,
            accelerator,
            chooser,
            on_device_failure: options.on_device_failure,
            log,
            reason,
            residency: Arc::new(residency),
            account: Account::default(),
        })
    }

    /// The device, why it was chosen, and whether it is given up, in one line.
    #[must_use]
    pub fn describe(&self) -> String {
        let device = match (&self.accelerator, self.host.cpu()) {
            (Some(accelerator), _) => accelerator.to_string(),
            (None, Ok(cpu)) => cpu.describe(),
            // Not reached: where there is no device the executor was opened with the engine.
            (None, Err(error)) => error.to_string(),
        };
        format!("{device} (chosen: {})", self.reason)
    }

    /// Whether it runs on a GPU, or what stands for one: whoever calls it waits for a device.
    #[must_use]
    pub const fn is_gpu(&self) -> bool {
        self.accelerator.is_some()
    }

    /// The last 64 events of its device, the oldest first: what failed, when, and what was done.
    ///
    /// # Examples
    ///
    /// *All is well.*
    ///
    /// ```
    /// let engine = consilience::Engine::cpu()?;
    /// assert!(engine.events().is_empty());
    /// assert_eq!((engine.health().failures, engine.health().device_in_use), (0, false));
    /// # Ok::<(), consilience::Error>(())
    /// ```
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.log.events()
    }

    /// How its device does: whether it is in use, and how often what happened.
    #[must_use]
    pub fn health(&self) -> Health {
        self.log.health(self.accelerator.as_ref().is_some_and(Accelerator::is_in_use))
    }

    /// Fuses the evidence.
    ///
    /// # Errors
    ///
    /// The specification does not fit the evidence, an opinion is invalid, or the device fails.
    pub fn fuse<'e>(&self, fusion: &Fusion, evidence: impl Into<Input<'e>>) -> Result<Fused> {
        let mut fused = Fused::default();
        self.fuse_into(fusion, evidence, &mut fused)?;
        Ok(fused)
    }

    /// Fuses the evidence into memory that an earlier answer left, and says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Engine::fuse`]; the memory then holds nothing that means anything.
    pub fn fuse_into<'e>(&self, fusion: &Fusion, evidence: impl Into<Input<'e>>, fused: &mut Fused) -> Result<Timing> {
        let start = Instant::now();
        let evidence = evidence.into();
        let outline = evidence.outline();
        let program = plan::lower(fusion, &outline)?;
        let mut out = fused.prepare(&outline, fusion.outputs);
        let run = match evidence {
            _ if outline.items == 0 => Default::default(),
            Input::Host(evidence) => self.run_program(&program, fusion.outputs, evidence, &mut out)?,
            Input::Resident(resident) => match resident.held(self)? {
                held @ Held::Host(_) => self.host.cpu()?.run_held(&program, held, out)?,
                held @ Held::Device(_) => self.run_program_held(&program, held, outline.items, out)?,
            },
        };
        match run.first_invalid {
            Some(item) => {
                let invalid = match evidence {
                    Input::Host(evidence) => evidence.diagnose(item),
                    Input::Resident(resident) => {
                        let held = resident.held(self)?;
                        self.at_home(held.home(), Job::Read, |home| home.diagnose_held(held, item))?
                    }
                };
                Err(EvidenceError::Invalid(invalid).into())
            }
            None => {
                let timing = Timing { total: start.elapsed(), ..run.timing };
                if outline.items > 0 {
                    self.account.add_fusion(&program, outline.items, timing);
                }
                Ok(timing)
            }
        }
    }

    /// The gradient by the numbers of the opinions, [N, B, C], of something computed from the posterior, given its gradient
    /// by the posterior, `upstream` [B, C]. `posterior` is what [`Engine::fuse`] answered. Of
    /// [`Rule::Linear`](crate::Rule::Linear), [`Rule::LogPool`](crate::Rule::LogPool) and
    /// [`Rule::Evidence`](crate::Rule::Evidence); the formula is in [`kernel::fusion::gradient`](crate::kernel::fusion::gradient).
    /// It is computed on the CPU, whatever the engine's device.
    ///
    /// # Errors
    ///
    /// The specification does not fit the evidence or has no gradient, a length is another, an opinion is invalid.
    ///
    /// # Examples
    ///
    /// *How the first class of a log pool moves with two sources' logits.*
    ///
    /// ```
    /// use consilience::{Engine, Evidence, Fusion, Rule};
    ///
    /// let engine = Engine::cpu()?;
    /// let (fusion, evidence) = (Fusion::new(Rule::LogPool), Evidence::logits(2, &[&[1.0, 1.0], &[0.0, 0.0]])?);
    /// let fused = engine.fuse(&fusion, &evidence)?;
    /// let gradient = engine.gradient(&fusion, &evidence, fused.posterior(), &[1.0, 0.0])?;
    /// assert_eq!(gradient, [0.125, -0.125, 0.125, -0.125]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn gradient(
        &self,
        fusion: &Fusion,
        evidence: &Evidence<'_>,
        posterior: &[f32],
        upstream: &[f32],
    ) -> Result<Vec<f32>> {
        let pool = plan::lower_differentiable(fusion, &evidence.outline())?;
        let len = evidence.items() * evidence.classes();
        EvidenceError::check_len("the posterior", len, posterior.len())?;
        EvidenceError::check_len("the gradient by the posterior", len, upstream.len())?;
        let mut gradient = vec![0.0; evidence.sources() * len];
        match self.host()?.gradient(&pool, evidence, posterior, upstream, &mut gradient) {
            Some(item) => Err(EvidenceError::Invalid(evidence.diagnose(item)).into()),
            None => Ok(gradient),
        }
    }

    /// Uploads the evidence once, to be used any number of times: on a GPU to its memory, on the CPU to a copy of its own.
    /// An opinion that is not valid is found by whoever reads it. Where the GPU is given up, or fails while it uploads, the
    /// copy is the CPU's; what was uploaded to a GPU before it is lost is lost with it, which is an error
    /// ([`DeviceError::HeldLost`](crate::DeviceError::HeldLost)) where it is used.
    ///
    /// # Errors
    ///
    /// With what is held already it takes more than [`EngineOptions::resident_bytes`]; or, where the options do not have it
    /// done on the CPU, one item of it is too large for the device, or the device fails.
    pub fn upload(&self, evidence: &Evidence<'_>) -> Result<Resident> {
        let outline = evidence.outline();
        let (held, lease) = self.on_either(
            Job::Upload,
            &mut (),
            |gpu, ()| {
                let lease = self.residency.lease(gpu.held_bytes(&outline)?)?;
                Ok((gpu.hold(evidence)?, lease))
            },
            |cpu, ()| {
                let lease = self.residency.lease(cpu.held_bytes(&outline)?)?;
                Ok((cpu.hold(evidence)?, lease))
            },
        )?;
        Ok(Resident::new(outline, held, lease))
    }

    /// Hands over what waits: the work of operations whose results are held and were not read yet. Nothing is waited for.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn flush(&self) -> Result<()> {
        match &self.accelerator {
            Some(accelerator) if accelerator.is_in_use() => self.on_gpu(Job::HandOver, |gpu| gpu.flush()),
            _ => Ok(()),
        }
    }

    /// How many times work was handed to the device; 0 on the CPU.
    #[must_use]
    pub fn submissions(&self) -> u64 {
        self.accelerator.as_ref().and_then(Accelerator::in_use).map_or(0, |gpu| gpu.submissions())
    }

    /// How much uploaded evidence there is.
    #[must_use]
    pub fn resident(&self) -> ResidentStats {
        self.residency.stats()
    }

    /// How long the device takes to copy so many bytes from one place in its own memory to another, on its own clock:
    /// the yardstick beside which benchmarks set the kernels. `None` on the CPU and where the device has no clock.
    ///
    /// # Errors
    ///
    /// The bytes do not fit the device, or it fails.
    pub fn copy_time(&self, bytes: u64) -> Result<Option<Duration>> {
        match &self.accelerator {
            Some(accelerator) => attempt(|| accelerator.current(&self.log)?.copy_time(bytes)),
            None => Ok(None),
        }
    }

    /// The same by a kernel that does nothing but copy, once for each of so many dispatches, after one that does not count:
    /// what a kernel that streams could reach at best. The beginning and the end of the copy are then compared.
    ///
    /// # Errors
    ///
    /// The bytes do not fit one of the device's bindings or its memory, the copy is another, or the device fails.
    pub fn copy_kernel_times(&self, bytes: u64, dispatches: usize) -> Result<Option<Vec<Duration>>> {
        match &self.accelerator {
            Some(accelerator) => attempt(|| accelerator.current(&self.log)?.copy_kernel_times(bytes, dispatches)),
            None => Ok(None),
        }
    }

    /// What its driver says of the device; `None` on the CPU.
    ///
    /// # Examples
    ///
    /// *The CPU has no driver.*
    ///
    /// ```
    /// assert_eq!(consilience::Engine::cpu()?.adapter(), None);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    #[must_use]
    pub fn adapter(&self) -> Option<Adapter> {
        self.accelerator.as_ref().and_then(Accelerator::in_use).and_then(|gpu| gpu.adapter())
    }

    /// What was spent on a kernel since the engine was opened, by calls that succeeded.
    #[must_use]
    pub fn spent(&self, kernel: Kernel) -> Spent {
        self.account.of(kernel)
    }

    /// Runs a kernel over arrays and says where the time went. After a failure the arrays that it updates in place are as
    /// they were.
    pub(crate) fn run_batch(&self, mut batch: Batch<'_>) -> Result<Timing> {
        let start = Instant::now();
        if batch.items == 0 {
            return Ok(Timing { total: start.elapsed(), ..Timing::default() });
        }
        let (kernel, bytes, operations) = (batch.kernel, batch.bytes(), batch.operations * batch.items);
        let timing = Timing { total: start.elapsed(), ..self.run_kernel(&mut batch)? };
        self.account.add(kernel, timing, bytes as u64, operations as u64);
        Ok(timing)
    }

    /// A softmax regression over packed features, where it is expected to take less.
    pub(crate) fn regression(&self, features: Features, expected: Evaluations) -> Result<Box<dyn Regression + '_>> {
        Ok(Box::new(Accounted { engine: self, regression: Box::new(Movable::new(self, features, expected)?) }))
    }

    /// The CPU executor for what has no other twin; on a GPU engine it runs on all cores unless the options say otherwise.
    pub(crate) fn host(&self) -> Result<&Cpu> {
        self.host.cpu().map(|cpu| &**cpu)
    }

    /// Where the fusion of the evidence runs and what that is decided on: what it is expected to take on either executor.
    /// What is not known yet is measured, as it would be for the fusion itself.
    ///
    /// # Errors
    ///
    /// The specification does not fit the evidence, or the evidence was uploaded to another engine.
    ///
    /// # Examples
    ///
    /// *Without a GPU there is no choice.*
    ///
    /// ```
    /// use consilience::{Engine, Evidence, Executor, Fusion};
    ///
    /// let row = [0.75, 0.25];
    /// let choice = Engine::cpu()?.describe_choice(&Fusion::default(), &Evidence::probabilities(2, &[&row])?)?;
    /// assert_eq!(choice.executor, Executor::Cpu);
    /// assert!(choice.to_string().ends_with("chosen  cpu: there is no GPU in use\n"));
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn describe_choice<'e>(&self, fusion: &Fusion, evidence: impl Into<Input<'e>>) -> Result<Choice> {
        let evidence = evidence.into();
        let program = plan::lower(fusion, &evidence.outline())?;
        match evidence {
            Input::Host(evidence) => self.choice(&program, fusion.outputs, evidence),
            Input::Resident(resident) => self.choice_held(&program, resident.held(self)?, resident.items()),
        }
    }

    /// Where a kernel over arrays of so many items in the host's memory runs, if each of them asks what those of the last job
    /// of this kernel did, which may be one of an engine before on this machine. `None` until there was one, or none that
    /// was large enough to say what this one takes: then the job itself measures it. `None` of a fusion's kernels and a
    /// fit's too, which [`Engine::describe_choice`] and [`Engine::describe_fit_choice`] know.
    ///
    /// # Examples
    ///
    /// *Without a GPU there is no choice.*
    ///
    /// ```
    /// use consilience::kernel::Kernel;
    /// use consilience::{Engine, Reason};
    ///
    /// let choice = Engine::cpu()?.describe_kernel_choice(Kernel::DigitalRoot, 1_000_000).unwrap();
    /// assert_eq!((choice.job.as_str(), choice.reason), ("vortex/digital_root", Reason::NoGpu));
    /// # Ok::<(), consilience::Error>(())
    /// ```
    #[must_use]
    pub fn describe_kernel_choice(&self, kernel: Kernel, items: usize) -> Option<Choice> {
        self.choice_of_kernel(kernel, items)
    }

    /// Where a fit of a stacked model ([`Stacking`](crate::stacking::Stacking)) to so many sources, classes and items runs,
    /// and what that is decided on: the upload of the features and as many evaluations as fits took before. What an
    /// evaluation takes is measured if it is not known yet.
    ///
    /// # Errors
    ///
    /// No sources, no classes, no items, more than 2^22 parameters, 2^31 items; or the device cannot
    /// hold a part of the features.
    ///
    /// # Examples
    ///
    /// *Without a GPU there is no choice.*
    ///
    /// ```
    /// use consilience::{Engine, Reason};
    ///
    /// let choice = Engine::cpu()?.describe_fit_choice(8, 10, 200_000)?;
    /// assert_eq!((choice.job.as_str(), choice.reason), ("stacking/softmax_regression", Reason::NoGpu));
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn describe_fit_choice(&self, sources: usize, classes: usize, items: usize) -> Result<Choice> {
        check_fit(sources, classes, items)?;
        self.choice_of_fit(items, classes, sources * classes)
    }

    /// The program the fusion is lowered to, printed: kernels, what they read, compute and write, and the bytes moved.
    ///
    /// # Errors
    ///
    /// The specification does not fit the evidence.
    pub fn explain<'e>(&self, fusion: &Fusion, evidence: impl Into<Input<'e>>) -> Result<String> {
        plan::lower(fusion, &evidence.into().outline()).map(|program: Program| program.to_string())
    }
}

/// Checks that a fit can be of this size.
fn check_fit(sources: usize, classes: usize, items: usize) -> Result<()> {
    for (size, error) in [(sources, EvidenceError::NoSources), (classes, EvidenceError::NoClasses)] {
        if size == 0 {
            return Err(error.into());
        }
    }
    if items == 0 {
        return Err(FitError::NoLabels.into());
    }
    if sources.saturating_mul(classes).saturating_add(1).saturating_mul(classes) > MAX_PARAMETERS {
        return Err(FitError::TooManyParameters { sources, classes, limit: MAX_PARAMETERS }.into());
    }
    if items >= 1 << 31 {
        return Err(EvidenceError::TooLarge { sources, items, classes, limit: "items must stay below 2^31" }.into());
    }
    Ok(())
}

impl FromStr for Device {
    type Err = Error;

    /// `auto`, `cpu`, `gpu`, or else part of a GPU's name.
    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Named(name) => name,
        })
    }
}
