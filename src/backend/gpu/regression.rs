//! A softmax regression whose features stay on the device.

use std::sync::Arc;
use std::time::Duration;

use bytemuck::{cast_slice, cast_slice_mut};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, CommandEncoderDescriptor, ComputePassDescriptor,
    ComputePipeline,
};

use crate::backend::Regression;
use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::buffers::create;
use crate::backend::gpu::enabled::{Gpu, State};
use crate::backend::gpu::pipelines::Constants;
use crate::backend::gpu::profile::CLOCK_BYTES;
use crate::backend::gpu::readback::Piece as Read;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::stacking::softmax_regression::{BINDINGS, Features, LARGEST_LOGIT, LN_FLOOR, Row, Targets};
use crate::plan::cost::{Demand, Executor};
use crate::plan::regression::{Cut, FEATURES, LOSSES, PARAMETERS, PARAMS, PARTIALS, Piece, RESIDUALS, Shape, TARGETS};

/// Features on the device, as far as the budget goes, and on the host.
#[derive(Debug)]
pub(super) struct Held {
    gpu: Arc<Gpu>,
    features: Arc<Features>,
    /// `None` where there are no items.
    resident: Option<Resident>,
}

/// What stays on the device between evaluations.
#[derive(Debug)]
struct Resident {
    cut: Cut,
    targets: Buffer,
    parameters: Buffer,
    losses: Buffer,
    partials: Buffer,
    pieces: Vec<Bound>,
    /// What the last evaluation read back.
    read: (Vec<f32>, Vec<f32>),
    /// How long its kernels took.
    kernels: Option<Duration>,
}

/// A piece, ready to be dispatched.
#[derive(Debug)]
struct Bound {
    piece: Piece,
    /// Shared by the pieces that do not stay.
    features: Buffer,
    group: BindGroup,
    /// Each with its grid.
    dispatches: Vec<(ComputePipeline, [u32; 2])>,
}

impl Gpu {
    /// What a fit of so many items, classes and features asks that evaluates so often.
    ///
    /// # Errors
    ///
    /// The device cannot hold a part of the features.
    pub(crate) fn fit(&self, items: usize, classes: usize, features: usize, evaluations: f64) -> Result<Demand> {
        Ok(Cut::of(Shape::new(items, classes, features), self.limits)?.demand(evaluations))
    }
}

impl Held {
    /// Uploads the features; no item is labelled yet.
    pub(super) fn new(gpu: Arc<Gpu>, features: Arc<Features>) -> Result<Self> {
        let resident = if features.items == 0 { None } else { Some(Resident::new(&gpu, &features)?) };
        let mut held = Self { gpu, resident, features };
        let nobody = Targets::none(held.features.tiles());
        held.label(&nobody)?;
        Ok(held)
    }
}

impl Regression for Held {
    fn features(&self) -> &Features {
        &self.features
    }

    fn label(&mut self, targets: &Targets) -> Result<()> {
        let Some(resident) = &self.resident else { return Ok(()) };
        let (opened, rows) = (&self.gpu.opened, cast_slice(&targets.rows));
        self.gpu.alone(rows.len() as u64, |state| {
            state.upload.write(opened, &resident.targets, 0, rows)?;
            state.upload.flush(opened)
        })
    }

    fn evaluate(&mut self, parameters: &[f32], gradient: &mut [f64]) -> Result<f64> {
        gradient.fill(0.0);
        let Some(resident) = &mut self.resident else { return Ok(0.0) };
        resident.kernels = None;
        let Self { gpu, features, .. } = self;
        if !is_within_range(features, parameters) {
            gradient.fill(f64::NAN);
            return Ok(f64::NAN);
        }
        let by_feature = by_feature(features, parameters);
        gpu.alone(resident.cut.bytes().iter().sum(), |state| resident.run(&gpu.opened, state, features, &by_feature))?;
        let (losses, partials) = &resident.read;
        for block in partials.chunks_exact(gradient.len()) {
            gradient.iter_mut().zip(block).for_each(|(sum, &part)| *sum += f64::from(part));
        }
        Ok(losses.iter().map(|&loss| f64::from(loss)).sum())
    }

    fn executor(&self) -> Executor {
        Executor::Gpu
    }

    fn kernels(&self) -> Option<Duration> {
        self.resident.as_ref()?.kernels
    }
}

impl Resident {
    /// Reserves what an evaluation takes and uploads the features that stay.
    fn new(gpu: &Gpu, features: &Features) -> Result<Self> {
        let opened = &gpu.opened;
        let cut = Cut::of(Shape::of(features), gpu.limits)?;
        let bytes = cut.bytes();
        gpu.alone(bytes.iter().sum(), |state| {
            let buffer = |binding: usize, bytes| create(opened, &BINDINGS[binding], bytes);
            let [targets, parameters, residuals, losses, partials] =
                [TARGETS, PARAMETERS, RESIDUALS, LOSSES, PARTIALS].map(|binding| buffer(binding, bytes[binding]));
            let mut streamed = None;
            let mut pieces = Vec::new();
            for piece in cut.pieces() {
                let rows = cast_slice(rows(features, piece));
                let features = if piece.is_resident {
                    let own = buffer(FEATURES, rows.len() as u64);
                    state.upload.write(opened, &own, 0, rows)?;
                    own
                } else {
                    streamed.get_or_insert_with(|| buffer(FEATURES, bytes[FEATURES])).clone()
                };
                let params = buffer(PARAMS, bytes[PARAMS]);
                state.upload.write(opened, &params, 0, bytemuck::bytes_of(&cut.params(piece)))?;
                let bound = [&params, &features, &targets, &parameters, &residuals, &losses, &partials];
                pieces.push(Bound::new(opened, state, &cut, piece, &features, bound));
            }
            state.upload.flush(opened)?;
            let words = |binding: usize| vec![0.0; (bytes[binding] / 4) as usize];
            let read = (words(LOSSES), words(PARTIALS));
            Ok(Self { cut, targets, parameters, losses, partials, pieces, read, kernels: None })
        })
    }

    /// Evaluates at the parameters and reads back what the host is to add up.
    fn run(&mut self, opened: &Opened, state: &mut State, features: &Features, parameters: &[f32]) -> Result<()> {
        state.upload.write(opened, &self.parameters, 0, cast_slice(parameters))?;
        // Beside uploads in between the clock would run as well.
        let clock = state.clock.as_ref().filter(|_| self.pieces.iter().all(|bound| bound.piece.is_resident));
        for (place, Bound { piece, features: on_device, group, dispatches }) in self.pieces.iter().enumerate() {
            if !piece.is_resident {
                state.upload.write(opened, on_device, 0, cast_slice(rows(features, *piece)))?;
            }
            state.upload.flush(opened)?;
            let label = Some(Kernel::SoftmaxRegression.name());
            let mut encoder = opened.device.create_command_encoder(&CommandEncoderDescriptor { label });
            let (is_first, is_last) = (place == 0, place + 1 == self.pieces.len());
            let timestamp_writes = clock.and_then(|clock| clock.one_of(is_first, is_last));
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor { label, timestamp_writes });
            pass.set_bind_group(0, group, &[]);
            for (pipeline, [x, y]) in dispatches {
                pass.set_pipeline(pipeline);
                pass.dispatch_workgroups(*x, *y, 1);
            }
            drop(pass);
            if let Some(clock) = clock.filter(|_| is_last) {
                clock.resolve(&mut encoder);
            }
            opened.submit(encoder);
        }
        let mut ticks = [0; CLOCK_BYTES];
        let (losses, partials) = &mut self.read;
        let losses = Read { from: &self.losses, from_offset: 0, to: cast_slice_mut(losses) };
        let partials = Read { from: &self.partials, from_offset: 0, to: cast_slice_mut(partials) };
        let mut pieces = vec![losses, partials];
        if let Some(clock) = clock {
            pieces.push(Read { from: &clock.resolved, from_offset: 0, to: &mut ticks });
        }
        state.readback.read(opened, pieces)?;
        self.kernels = clock.map(|clock| clock.between(ticks));
        Ok(())
    }
}

impl Bound {
    /// `buffers` in the order of bindings.
    fn new(
        opened: &Opened,
        state: &mut State,
        cut: &Cut,
        piece: Piece,
        features: &Buffer,
        buffers: [&Buffer; BINDINGS.len()],
    ) -> Self {
        let kernel = Kernel::SoftmaxRegression;
        let entries = (0..).zip(buffers);
        let entries = entries.map(|(binding, buffer)| BindGroupEntry { binding, resource: buffer.as_entire_binding() });
        let entries = entries.collect::<Vec<_>>();
        let mut pipeline = |stage| state.pipelines.get(opened, kernel, Constants::Regression(stage));
        let dispatches = cut.dispatches(piece);
        let layout = pipeline(dispatches[0].0).1;
        let descriptor = BindGroupDescriptor { label: Some(kernel.name()), layout: &layout, entries: &entries };
        let group = opened.device.create_bind_group(&descriptor);
        let dispatches = dispatches.into_iter().map(|(stage, grid)| (pipeline(stage).0, grid)).collect();
        Self { piece, features: features.clone(), group, dispatches }
    }
}

/// The features of a piece.
fn rows(features: &Features, piece: Piece) -> &[Row] {
    &features.rows[piece.first_tile as usize * features.len..][..piece.tiles as usize * features.len]
}

/// Whether no logit, nor any sum on the way to it, can leave the numbers.
fn is_within_range(features: &Features, parameters: &[f32]) -> bool {
    let (a, b) = parameters.split_at(features.classes * features.len);
    let sizes = a.chunks_exact(features.len).map(|a| a.iter().map(|&a| f64::from(a.abs())).sum::<f64>());
    // A NaN is within nothing.
    sizes.zip(b).all(|(a, &b)| a * -f64::from(LN_FLOOR) + f64::from(b.abs()) <= LARGEST_LOGIT)
}

/// The parameters as the shader reads them: [F + 1, 4 ceil(C / 4)], b last.
fn by_feature(features: &Features, parameters: &[f32]) -> Vec<f32> {
    let (classes, len) = (features.classes, features.len);
    let stride = classes.next_multiple_of(4);
    let (a, b) = parameters.split_at(classes * len);
    let mut by_feature = vec![0.0; (len + 1) * stride];
    for (class, a) in a.chunks_exact(len).enumerate() {
        by_feature.iter_mut().skip(class).step_by(stride).zip(a).for_each(|(to, &a)| *to = a);
    }
    by_feature[len * stride..][..classes].copy_from_slice(b);
    by_feature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_laid_out_by_feature() {
        let features = Features { items: 0, classes: 2, len: 3, rows: Vec::new() };
        let got = by_feature(&features, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let want = [1.0, 4.0, 0.0, 0.0, 2.0, 5.0, 0.0, 0.0, 3.0, 6.0, 0.0, 0.0, 7.0, 8.0, 0.0, 0.0];
        assert_eq!(got, want);
    }

    #[test]
    fn what_could_leave_the_numbers_is_out_of_range() {
        let features = Features { items: 0, classes: 1, len: 1, rows: Vec::new() };
        for (a, b, is_within) in [
            (1e34, -1e36, true),
            (1e35, 0.0, false),
            (0.0, 1e37, false),
            (f32::NAN, 0.0, false),
            (0.0, f32::NEG_INFINITY, false),
        ] {
            assert_eq!(is_within_range(&features, &[a, b]), is_within, "{a}, {b}");
        }
    }
}
