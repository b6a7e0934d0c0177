//! The executors: one interface, the CPU and the GPU behind it.

pub(crate) mod adapter;
pub(crate) mod cpu;
pub mod fault;
pub(crate) mod gpu;
pub(crate) mod held;

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use bytemuck::cast_slice;

pub use self::adapter::{Adapter, AdapterKind, AdapterLimits};
use self::held::{HeldArray, HeldBatch, Home, Shape};
use crate::error::{InvalidOpinion, Result};
use crate::kernel::stacking::softmax_regression::{Features, Targets};
use crate::plan::Program;
use crate::plan::batch::Batch;
use crate::plan::cost::Executor;
use crate::tensor::{Evidence, Fused, FusedMut, Outline, OwnedEvidence};

/// Runs programs.
pub(crate) trait Backend: fmt::Debug + Send + Sync {
    /// Runs the program over all items of the evidence and writes every output asked for.
    fn run(&self, program: &Program, evidence: &Evidence<'_>, out: FusedMut<'_>) -> Result<Run>;

    /// How much memory evidence that looks like this takes where the executor holds it, in bytes.
    fn held_bytes(&self, outline: &Outline) -> Result<u64>;

    /// Takes a copy of the evidence to where the executor reads it best.
    fn hold(&self, evidence: &Evidence<'_>) -> Result<Held>;

    /// [`Backend::run`] over evidence that this executor holds.
    fn run_held(&self, program: &Program, held: &Held, out: FusedMut<'_>) -> Result<Run>;

    /// What is wrong with an item that is held.
    fn diagnose_held(&self, held: &Held, item: usize) -> Result<InvalidOpinion>;

    /// Runs a kernel over arrays and fills its outputs.
    fn run_batch(&self, batch: Batch<'_>) -> Result<Timing>;

    /// The device in one line: name, driver, what it runs with.
    fn describe(&self) -> String;

    /// What the answers of a program over evidence that is held take where the executor holds them, in bytes.
    fn fused_bytes(&self, program: &Program, held: &Held) -> Result<u64>;

    /// [`Backend::run_held`], whose answers stay where they are.
    fn fuse_held(&self, program: &Program, held: &Held, outline: &Outline) -> Result<HeldFused>;

    /// Reads answers back together, once they are there; answers of each the lowest item with an invalid opinion, as a run
    /// does.
    fn read_fused(&self, fused: &[&HeldFused], out: Vec<FusedMut<'_>>) -> Result<Vec<Option<usize>>>;

    /// Copies the posterior of answers to a plane of an array that has a row for each of their items.
    fn copy_posterior(&self, fused: &HeldFused, array: &mut HeldArray, plane: usize) -> Result<()>;

    /// Evidence that looks like this, whose sources are the posteriors given.
    fn stack(&self, posteriors: &[&HeldFused], outline: Outline) -> Result<Held>;

    /// Evidence that is held, on the host.
    fn read_held(&self, held: &Held) -> Result<OwnedEvidence>;

    /// What some of the sources of evidence that is held would take by themselves, in bytes.
    fn selected_bytes(&self, held: &Held, sources: &[usize]) -> Result<u64>;

    /// Evidence of some of the sources of evidence that is held, which there are.
    fn select(&self, held: &Held, sources: &[usize]) -> Result<Held>;

    /// What an array that looks like this takes where the executor holds it, in bytes.
    fn array_bytes(&self, shape: Shape) -> u64;

    /// An array whose values mean nothing yet.
    fn new_array(&self, shape: Shape) -> Result<HeldArray>;

    /// Fills an array from the host.
    fn write_array(&self, array: &mut HeldArray, planes: &[&[u8]]) -> Result<()>;

    /// An array of one plane with the host's words, without a copy where the executor reads the host's memory.
    fn give_array(&self, shape: Shape, words: &Arc<Vec<u32>>) -> Result<HeldArray> {
        let mut array = self.new_array(shape)?;
        if !words.is_empty() {
            self.write_array(&mut array, &[cast_slice(words)])?;
        }
        Ok(array)
    }

    /// Reads an array back to the host, once all that was to write it has run: of each plane from its beginning as much as
    /// there is room for.
    fn read_array(&self, array: &HeldArray, planes: Vec<&mut [u8]>) -> Result<()>;

    /// [`Backend::run_batch`] over arrays that this executor holds; what it writes is there for whatever comes after.
    fn run_held_batch(&self, batch: HeldBatch<'_>) -> Result<()>;

    /// Hands over what waits.
    fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// How many times work was handed to a device.
    fn submissions(&self) -> u64 {
        0
    }

    /// After how many steps of its loops the device ends all of them; `None` where it does not.
    fn loop_steps(&self) -> Option<u64> {
        None
    }

    /// How long the device takes to copy so many bytes from one place in its memory to another, on its own clock;
    /// `None` where it has no memory or no clock of its own.
    fn copy_time(&self, _bytes: u64) -> Result<Option<Duration>> {
        Ok(None)
    }

    /// The same by a kernel, once for each of so many dispatches, after one that does not count.
    fn copy_kernel_times(&self, _bytes: u64, _dispatches: usize) -> Result<Option<Vec<Duration>>> {
        Ok(None)
    }

    /// What its driver says of the device; `None` where there is no driver.
    fn adapter(&self) -> Option<Adapter> {
        None
    }

    /// Takes packed features on, to evaluate a softmax regression over them; no item is labelled yet.
    fn regression(self: Arc<Self>, features: Arc<Features>) -> Result<Box<dyn Regression>>;
}

/// Evidence that an executor holds.
#[derive(Debug)]
pub(crate) enum Held {
    /// In the host's memory.
    Host(OwnedEvidence),
    /// In a device's.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "in a build without a GPU executor there is none"))]
    Device(gpu::Resident),
}

impl Held {
    pub(crate) const fn home(&self) -> Home {
        match self {
            Self::Host(_) => Home::Host,
            Self::Device(_) => Home::Device,
        }
    }
}

/// Answers that an executor holds.
#[derive(Debug)]
pub(crate) enum HeldFused {
    /// In the host's memory.
    Host {
        /// The answers.
        fused: Box<Fused>,
        /// What a run answers beside them.
        first_invalid: Option<usize>,
    },
    /// In a device's.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "in a build without a GPU executor there is none"))]
    Device(gpu::DeviceFused),
}

impl HeldFused {
    pub(crate) const fn home(&self) -> Home {
        match self {
            Self::Host { .. } => Home::Host,
            Self::Device(_) => Home::Device,
        }
    }
}

/// A softmax regression over features that an executor holds where it reads them best.
pub(crate) trait Regression: fmt::Debug {
    /// The features, on the host.
    fn features(&self) -> &Features;

    /// Takes these labels from here on, one per item.
    fn label(&mut self, targets: &Targets) -> Result<()>;

    /// The summed loss of the labelled items; `gradient`, laid out as the parameters, becomes its gradient. NaN where sums
    /// leave the numbers.
    fn evaluate(&mut self, parameters: &[f32], gradient: &mut [f64]) -> Result<f64>;

    /// Where it is evaluated.
    fn executor(&self) -> Executor;

    /// What the kernels of the last evaluation took, on the device's clock; on the CPU the whole of it. `None` where
    /// nothing ran, the device has no clock, or features were uploaded in between.
    fn kernels(&self) -> Option<Duration>;
}

/// What a run has to say beside its outputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Run {
    /// The lowest item with an invalid opinion, if the policy does not mend it; the outputs are then worthless.
    pub first_invalid: Option<usize>,
    /// Where the time went.
    pub timing: Timing,
}

/// Where the time of a fusion, or of a kernel over arrays, went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Timing {
    /// From call to return, on the host's clock.
    pub total: Duration,
    /// Filling staging memory, on the host's clock; zero on the CPU.
    pub upload: Duration,
    /// The kernels, on the device's clock where it has one; the whole run on the CPU.
    pub kernels: Option<Duration>,
    /// Waiting for the device and taking the results, on the host's clock; zero on the CPU.
    pub read_back: Duration,
    /// Into how many chunks the items were cut.
    pub chunks: usize,
    /// Where the kernels ran.
    pub executor: Executor,
}

impl Timing {
    /// Of what ran since an earlier sum; a clock that the earlier one lacks counts from nothing.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            upload: self.upload.saturating_sub(earlier.upload),
            kernels: self.kernels.map(|now| now.saturating_sub(earlier.kernels.unwrap_or_default())),
            read_back: self.read_back.saturating_sub(earlier.read_back),
            chunks: self.chunks.saturating_sub(earlier.chunks),
            executor: self.executor,
        }
    }
}

impl AddAssign for Timing {
    /// Of runs one after the other.
    fn add_assign(&mut self, later: Self) {
        self.total += later.total;
        self.upload += later.upload;
        self.kernels = match (self.kernels, later.kernels) {
            (Some(first), Some(later)) => Some(first + later),
            (first, later) => first.or(later),
        };
        self.read_back += later.read_back;
        self.chunks += later.chunks;
        self.executor = later.executor;
    }
}
