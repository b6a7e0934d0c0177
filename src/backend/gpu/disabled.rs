//! The GPU executor of a build without one.

use crate::backend::gpu::Wanted;
use crate::backend::{Backend, Held, Regression, Run, Timing};
use crate::error::{DeviceError, InvalidOpinion, Result};
use crate::kernel::stacking::softmax_regression::Features;
use crate::plan::Program;
use crate::plan::batch::Batch;
use crate::tensor::{Evidence, FusedMut, Outline};

/// Never opened.
#[derive(Debug)]
pub(crate) enum Gpu {}

/// Never made.
#[derive(Debug)]
pub(crate) enum Resident {}

impl Gpu {
    /// Declines.
    pub(crate) fn open(_wanted: &Wanted, _memory_bytes: Option<u64>) -> Result<Self> {
        Err(DeviceError::FeatureOff.into())
    }
}

impl Backend for Gpu {
    fn run(&self, _program: &Program, _evidence: &Evidence<'_>, _out: FusedMut<'_>) -> Result<Run> {
        match *self {}
    }

    fn held_bytes(&self, _outline: &Outline) -> Result<u64> {
        match *self {}
    }

    fn hold(&self, _evidence: &Evidence<'_>) -> Result<Held> {
        match *self {}
    }

    fn run_held(&self, _program: &Program, _held: &Held, _out: FusedMut<'_>) -> Result<Run> {
        match *self {}
    }

    fn diagnose_held(&self, _held: &Held, _item: usize) -> Result<InvalidOpinion> {
        match *self {}
    }

    fn run_batch(&self, _batch: Batch<'_>) -> Result<Timing> {
        match *self {}
    }

    fn regression(&self, _features: Features) -> Result<Box<dyn Regression + '_>> {
        match *self {}
    }

    fn describe(&self) -> String {
        match *self {}
    }

    fn is_gpu(&self) -> bool {
        match *self {}
    }
}
