//! One step of a fusion as dispatches of a chain, over evidence and into answers that stay on the device.

use bytemuck::bytes_of;
use wgpu::{BindGroupDescriptor, BindGroupEntry, BindingResource, BufferBinding};

use crate::backend::gpu::buffers::create;
use crate::backend::gpu::chain::Fate;
use crate::backend::gpu::enabled::{Gpu, State};
use crate::backend::gpu::encode::Chunk;
use crate::backend::gpu::pipelines::{Constants, Switches};
use crate::error::{DeviceError, Result};
use crate::kernel::fusion::pool::BINDINGS;
use crate::plan::partition::{VALUES, check_loops, dispatch_items, work_per_item};

/// Where a step reads and writes.
#[derive(Debug, Clone)]
pub(super) struct Places<'a> {
    pub evidence: BufferBinding<'a>,
    pub presence: BufferBinding<'a>,
    pub confidence: BufferBinding<'a>,
    pub posterior: BufferBinding<'a>,
    pub columns: BufferBinding<'a>,
    pub status: BufferBinding<'a>,
    /// Whether evidence and answers may lie in one buffer.
    pub in_place: bool,
}

impl State {
    /// Records what computes the chunk, in as many dispatches as the watchdogs want. They run when the chain is submitted.
    pub(super) fn record(&mut self, gpu: &Gpu, chunk: Chunk<'_>, places: &Places<'_>) -> Result<Fate> {
        let (opened, step) = (&gpu.opened, chunk.step);
        check_loops(step, gpu.limits)?;
        let kernel = step.kernel();
        let constants = Constants::Fusion { switches: Switches::of(step), in_place: places.in_place };
        let (pipeline, layout) = self.pipelines.get(opened, kernel, constants);
        let (aside, allowed) = (chunk.bytes()[VALUES], gpu.limits.binding_bytes);
        if aside > allowed {
            let what = "what the rule puts aside";
            return Err(DeviceError::BindingTooLarge { what, needed: aside, allowed }.into());
        }
        let values = match self.aside.take().filter(|aside_now| aside_now.size() >= aside) {
            Some(values) => values,
            None => create(opened, &BINDINGS[VALUES], aside),
        };
        let tables = chunk.tables();
        let at_most = usize::try_from(dispatch_items(step, gpu.limits)).unwrap_or(usize::MAX);
        let mut fate = Fate::default();
        for first in (0..chunk.items).step_by(at_most) {
            let part = Chunk { first, items: at_most.min(chunk.items - first), ..chunk };
            let work = work_per_item(step) * part.items as u64;
            if self.chain.work() + work > gpu.limits.dispatch_values {
                self.chain.submit(opened);
            }
            let params = part.params();
            self.chain.make_room(opened, 2, (size_of_val(&params) + tables.len()) as u64);
            let params = self.chain.constants(opened, bytes_of(&params));
            let tables = self.chain.constants(opened, &tables);
            let bound = [
                params.binding(),
                places.evidence.clone(),
                places.presence.clone(),
                places.confidence.clone(),
                tables.binding(),
                places.posterior.clone(),
                places.columns.clone(),
                places.status.clone(),
                values.as_entire_buffer_binding(),
            ];
            let entry = |(binding, buffer)| BindGroupEntry { binding, resource: BindingResource::Buffer(buffer) };
            let group = opened.device.create_bind_group(&BindGroupDescriptor {
                label: Some(kernel.name()),
                layout: &layout,
                entries: &(0..).zip(bound).map(entry).collect::<Vec<_>>(),
            });
            let grid = part.grid();
            fate = self.chain.dispatch(opened, &pipeline, &group, [grid.groups_per_row, grid.rows], work);
        }
        self.aside = Some(values);
        Ok(fate)
    }
}
