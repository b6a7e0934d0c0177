//! The GPU executor of a build without one.

use std::sync::Arc;

use crate::backend::fault::Faults;
use crate::backend::gpu::Wanted;
use crate::backend::held::{HeldArray, HeldBatch, Shape};
use crate::backend::{Backend, Held, HeldFused, Regression, Run, Timing};
use crate::error::{DeviceError, InvalidOpinion, Result};
use crate::kernel::stacking::softmax_regression::Features;
use crate::plan::Program;
use crate::plan::batch::Batch;
use crate::plan::cost::Demand;
use crate::tensor::{Evidence, FusedMut, Outline, OwnedEvidence};

/// Never opened.
#[derive(Debug)]
pub(crate) enum Gpu {}

/// Never made.
#[derive(Debug)]
pub(crate) enum Resident {}

/// Never made.
#[derive(Debug)]
pub(crate) enum DeviceFused {}

/// Never made.
#[derive(Debug)]
pub(crate) enum DeviceArray {}

impl Gpu {
    /// Declines.
    pub(crate) fn open(_wanted: &Wanted, _memory_bytes: Option<u64>, _faults: Option<Faults>) -> Result<Self> {
        Err(DeviceError::FeatureOff.into())
    }

    /// Nothing's.
    pub(crate) const fn sums_by_subgroups(&self) -> bool {
        match *self {}
    }

    /// Nothing's.
    pub(crate) fn sum_by_subgroups(&mut self, _by_subgroups: bool) {
        match *self {}
    }

    /// Nothing's.
    pub(crate) fn identity(&self) -> String {
        match *self {}
    }

    /// Nothing's.
    pub(crate) fn name(&self) -> &str {
        match *self {}
    }

    /// Nothing's.
    pub(crate) fn fit(&self, _items: usize, _classes: usize, _features: usize, _evaluations: f64) -> Result<Demand> {
        match *self {}
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

    fn fused_bytes(&self, _program: &Program, _held: &Held) -> Result<u64> {
        match *self {}
    }

    fn fuse_held(&self, _program: &Program, _held: &Held, _outline: &Outline) -> Result<HeldFused> {
        match *self {}
    }

    fn read_fused(&self, _fused: &[&HeldFused], _out: Vec<FusedMut<'_>>) -> Result<Vec<Option<usize>>> {
        match *self {}
    }

    fn copy_posterior(&self, _fused: &HeldFused, _array: &mut HeldArray, _plane: usize) -> Result<()> {
        match *self {}
    }

    fn stack(&self, _posteriors: &[&HeldFused], _outline: Outline) -> Result<Held> {
        match *self {}
    }

    fn read_held(&self, _held: &Held) -> Result<OwnedEvidence> {
        match *self {}
    }

    fn selected_bytes(&self, _held: &Held, _sources: &[usize]) -> Result<u64> {
        match *self {}
    }

    fn select(&self, _held: &Held, _sources: &[usize]) -> Result<Held> {
        match *self {}
    }

    fn array_bytes(&self, _shape: Shape) -> u64 {
        match *self {}
    }

    fn new_array(&self, _shape: Shape) -> Result<HeldArray> {
        match *self {}
    }

    fn write_array(&self, _array: &mut HeldArray, _planes: &[&[u8]]) -> Result<()> {
        match *self {}
    }

    fn read_array(&self, _array: &HeldArray, _planes: Vec<&mut [u8]>) -> Result<()> {
        match *self {}
    }

    fn run_held_batch(&self, _batch: HeldBatch<'_>) -> Result<()> {
        match *self {}
    }

    fn run_batch(&self, _batch: Batch<'_>) -> Result<Timing> {
        match *self {}
    }

    fn regression(self: Arc<Self>, _features: Arc<Features>) -> Result<Box<dyn Regression>> {
        match *self {}
    }

    fn describe(&self) -> String {
        match *self {}
    }
}
