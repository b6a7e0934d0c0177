//! The engine: validate, lower, run.

mod array;
#[cfg(feature = "gpu")]
mod foreign;
mod resident;
pub mod stream;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::array::ResidentArray;
pub(crate) use self::array::{Operation, Read};
use self::resident::Residency;
pub use self::resident::{Input, Resident, ResidentFused, ResidentStats};
use crate::backend::cpu::{Cpu, SimdLevel};
use crate::backend::gpu::{Gpu, Wanted};
use crate::backend::{Backend, Regression, Timing};
use crate::error::{Error, EvidenceError, Result};
use crate::kernel::stacking::softmax_regression::Features;
use crate::plan::batch::Batch;
use crate::plan::{self, Program};
use crate::spec::Fusion;
use crate::tensor::{Evidence, Fused};

/// The environment variable that overrides the choice of [`Engine::auto`].
const DEVICE_VARIABLE: &str = "CONSILIENCE_DEVICE";

/// What uploaded evidence may take unless the caller says otherwise.
const RESIDENT_BYTES: u64 = 4 << 30;

/// Fuses evidence on one device. Opening one takes a while; keep it and share it between threads.
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
    backend: Box<dyn Backend>,
    reason: String,
    residency: Arc<Residency>,
}

/// Where an engine is to run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Device {
    /// A real GPU if there is one, else the CPU; `CONSILIENCE_DEVICE` overrides.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU: a real one if there is one, else a software driver.
    Gpu,
    /// The first GPU whose name contains this, whatever the case; a software driver too.
    Named(String),
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
}

impl Engine {
    /// A real GPU if there is one, else the CPU. `CONSILIENCE_DEVICE=cpu|gpu|<adapter name>` overrides.
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
        match (&options.device, std::env::var(DEVICE_VARIABLE)) {
            (Device::Auto, Ok(name)) if !name.is_empty() => {
                Self::on(&name.parse()?, options, &format!("{DEVICE_VARIABLE}={name}"))
            }
            (device, _) => Self::on(device, options, "asked for"),
        }
    }

    fn on(device: &Device, options: &EngineOptions, why: &str) -> Result<Self> {
        let (backend, reason): (Box<dyn Backend>, _) = match device {
            Device::Cpu => (Box::new(Cpu::open(options.threads, options.simd)?), why.to_owned()),
            Device::Gpu => (Box::new(Gpu::open(&Wanted::Any, options.memory_bytes)?), why.to_owned()),
            Device::Named(name) => {
                (Box::new(Gpu::open(&Wanted::Named(name.clone()), options.memory_bytes)?), why.to_owned())
            }
            Device::Auto => match Gpu::open(&Wanted::Real, options.memory_bytes) {
                Ok(gpu) => (Box::new(gpu), "it is a real GPU".to_owned()),
                Err(error) => (Box::new(Cpu::open(options.threads, options.simd)?), error.to_string()),
            },
        };
        Ok(Self::with(backend, reason, options))
    }

    fn with(backend: Box<dyn Backend>, reason: String, options: &EngineOptions) -> Self {
        let residency = Residency::new(options.resident_bytes.unwrap_or(RESIDENT_BYTES));
        Self { backend, reason, residency: Arc::new(residency) }
    }

    /// The device and why it was chosen, in one line.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} (chosen: {})", self.backend.describe(), self.reason)
    }

    /// Whether it runs on a GPU, or what stands for one: whoever calls it waits for a device.
    #[must_use]
    pub fn is_gpu(&self) -> bool {
        self.backend.is_gpu()
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
        let out = fused.prepare(&outline, fusion.outputs);
        let run = match evidence {
            _ if outline.items == 0 => Default::default(),
            Input::Host(evidence) => self.backend.run(&program, evidence, out)?,
            Input::Resident(resident) => self.backend.run_held(&program, resident.held(self)?, out)?,
        };
        match run.first_invalid {
            Some(item) => {
                let invalid = match evidence {
                    Input::Host(evidence) => evidence.diagnose(item),
                    Input::Resident(resident) => self.backend.diagnose_held(resident.held(self)?, item)?,
                };
                Err(EvidenceError::Invalid(invalid).into())
            }
            None => Ok(Timing { total: start.elapsed(), ..run.timing }),
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
    /// An opinion that is not valid is found by whoever reads it.
    ///
    /// # Errors
    ///
    /// With what is held already it takes more than [`EngineOptions::resident_bytes`], one item of it is too large for the
    /// device, or the device fails.
    pub fn upload(&self, evidence: &Evidence<'_>) -> Result<Resident> {
        let outline = evidence.outline();
        let lease = self.residency.lease(self.backend.held_bytes(&outline)?)?;
        Ok(Resident::new(outline, self.backend.hold(evidence)?, lease))
    }

    /// Hands over what waits: the work of operations whose results are held and were not read yet. Nothing is waited for.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn flush(&self) -> Result<()> {
        self.backend.flush()
    }

    /// How many times work was handed to the device; 0 on the CPU.
    #[must_use]
    pub fn submissions(&self) -> u64 {
        self.backend.submissions()
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
        self.backend.copy_time(bytes)
    }

    /// Runs a kernel over arrays and says where the time went.
    pub(crate) fn run_batch(&self, batch: Batch<'_>) -> Result<Timing> {
        let start = Instant::now();
        let timing = if batch.items == 0 { Timing::default() } else { self.backend.run_batch(batch)? };
        Ok(Timing { total: start.elapsed(), ..timing })
    }

    /// A softmax regression over packed features, on this engine's device.
    pub(crate) fn regression(&self, features: Features) -> Result<Box<dyn Regression + '_>> {
        self.backend.regression(features)
    }

    /// The CPU executor for what has no other twin; on a GPU engine it runs on all cores.
    pub(crate) fn host(&self) -> Result<&Cpu> {
        self.backend.host()
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
