//! Kernels over arrays: chunk by chunk through the device.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use wgpu::{BindGroupDescriptor, CommandEncoderDescriptor, ComputePassDescriptor};

use crate::backend::Timing;
use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::buffers::Buffers;
use crate::backend::gpu::enabled::{Gpu, State};
use crate::backend::gpu::pipelines::Constants;
use crate::backend::gpu::profile::{CLOCK_BYTES, Clock};
use crate::backend::gpu::readback::Piece;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::plan::batch::Batch;
use crate::plan::batch::sizes::Layout;

/// The buffers of the kernels that ran, kept while they stay within the budget together.
#[derive(Debug, Default)]
pub(super) struct Held {
    buffers: HashMap<Kernel, Buffers>,
}

impl Held {
    /// Makes room for a kernel's chunk.
    fn reserve(&mut self, opened: &Opened, kernel: Kernel, bytes: &[u64], budget: u64) {
        let others = self.buffers.iter().filter(|(held, _)| **held != kernel);
        if others.map(|(_, buffers)| buffers.bytes()).sum::<u64>() + bytes.iter().sum::<u64>() > budget {
            self.buffers.retain(|held, _| *held == kernel);
        }
        self.buffers.entry(kernel).or_default().reserve(opened, kernel.contract().bindings, bytes, budget);
    }
}

impl Gpu {
    /// Runs the kernel over all items.
    pub(super) fn run_in_chunks(&self, batch: Batch<'_>) -> Result<Timing> {
        let sizes = batch.sizes(self.limits)?;
        self.alone(sizes.bytes.iter().sum(), |state| {
            state.held.reserve(&self.opened, batch.kernel, &sizes.bytes, self.limits.chunk_bytes);
            let mut timing = Timing::default();
            let mut rest = batch;
            while rest.items > 0 {
                let (now, later) = rest.split_at(sizes.chunk);
                state.run_batch(&self.opened, now, &mut timing)?;
                rest = later;
            }
            Ok(timing)
        })
    }
}

impl State {
    /// Uploads, computes and reads back one chunk.
    fn run_batch(&mut self, opened: &Opened, batch: Batch<'_>, timing: &mut Timing) -> Result<()> {
        let Some(buffers) = self.held.buffers.get(&batch.kernel) else { return Ok(()) };
        let layout = Layout::of(batch.items, batch.block);

        let begin = Instant::now();
        self.upload.write(opened, buffers.at(0), 0, &layout.params(batch.params))?;
        for (binding, slot) in (1..).zip(&batch.inputs) {
            for (offset, plane) in slot.placed(layout) {
                self.upload.write(opened, buffers.at(binding), offset, plane)?;
            }
        }
        for (binding, slot) in (1 + batch.inputs.len()..).zip(&batch.outputs) {
            for (offset, plane) in slot.loaded(layout) {
                self.upload.write(opened, buffers.at(binding), offset, plane)?;
            }
        }
        self.upload.flush(opened)?;
        timing.upload += begin.elapsed();

        let label = Some(batch.kernel.name());
        let (pipeline, bind_group_layout) =
            self.pipelines.get(opened, batch.kernel, Constants::of(batch.kernel, batch.params));
        let group = opened.device.create_bind_group(&BindGroupDescriptor {
            label,
            layout: &bind_group_layout,
            entries: &buffers.entries(&[]),
        });
        let mut encoder = opened.device.create_command_encoder(&CommandEncoderDescriptor { label });
        let timestamp_writes = self.clock.as_ref().map(Clock::whole_pass);
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor { label, timestamp_writes });
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(layout.groups_per_row, layout.rows, 1);
        drop(pass);
        if let Some(clock) = &self.clock {
            clock.resolve(&mut encoder);
        }
        opened.submit(encoder);

        let begin = Instant::now();
        let mut ticks = [0; CLOCK_BYTES];
        let mut pieces = Vec::new();
        if let Some(clock) = &self.clock {
            pieces.push(Piece { from: &clock.resolved, from_offset: 0, to: &mut ticks });
        }
        for (binding, slot) in (1 + batch.inputs.len()..).zip(batch.outputs) {
            let from = buffers.at(binding);
            pieces.extend(slot.into_placed(layout).map(|(from_offset, to)| Piece { from, from_offset, to }));
        }
        self.readback.read(opened, pieces)?;
        timing.read_back += begin.elapsed();

        if let Some(clock) = &self.clock {
            *timing.kernels.get_or_insert(Duration::ZERO) += clock.between(ticks);
        }
        timing.chunks += 1;
        Ok(())
    }
}
